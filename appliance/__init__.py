"""An image host for one box: upload, share, see every size, forget after a year."""

__version__ = "0.1.0"
