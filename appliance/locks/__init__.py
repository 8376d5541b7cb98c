"""Locks: passphrases of images and albums, checked slowly and seldom, and what their viewers are given for one."""

from appliance.locks.locksmith import Locksmith

__all__ = ["Locksmith"]
