"""Private data in images: finding where a position, a serial number or an owner's name stands, and what to put there.

Everything here reads; what it answers are edits of the same length, so that no byte of the file moves. Cleaning what is
clean changes nothing, so that it may be done again after a crash.
"""

from appliance.imaging.metadata.scrub import find

__all__ = ["find"]
