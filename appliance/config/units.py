"""Units of bytes, for defaults and limits."""

KB, MB, GB, TB = 10**3, 10**6, 10**9, 10**12
