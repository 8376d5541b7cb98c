"""The doctor: checks every part that the server needs, and says in a line for each whether it works and what to do.

It leaves no changes: probes are removed again, and the catalogue is only read. `checkup.examine` begins it.
"""
