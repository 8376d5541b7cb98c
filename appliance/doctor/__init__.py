"""The doctor: looks at every part that the server needs, and says of each in a line whether it is well and what to do.

It changes nothing that lasts: probes are removed again, and the catalogue is only read. `round.examine` begins it.
"""
