"""Why an image has no sizes: each reason once, for the API, the log and the pages, which translate it."""

UNDECODABLE = "Its pixels are stored in a way that this host can't decode."
CUT_SHORT = "The file is cut short, and what is left of its pixels can't be decoded."
BEYOND_HEVC = "It is coded as a single picture, larger than HEVC allows. Such images have to be coded in tiles."
TOO_MANY_SCANS = "It is a progressive JPEG with too many scans to decode in a reasonable time."
TOO_MANY_FRAMES = "It has too many frames to read in a reasonable time."
TOO_MANY_PAGES = "It has too many pages or tags to read in a reasonable time."
DAMAGED = (
    "No other size of this image can be made: its pixels can't be decoded, "
    "because the file is damaged, incomplete, or would take too much memory."
)
TOO_SLOW = "Decoding its pixels takes longer than this host allows."

REASONS = (UNDECODABLE, CUT_SHORT, BEYOND_HEVC, TOO_MANY_SCANS, TOO_MANY_FRAMES, TOO_MANY_PAGES, DAMAGED, TOO_SLOW)
"""All that say nothing but themselves, so that a page in another language can say them whole."""
