"""Albums, images under one link: creating, showing and changing them, their end, and their download as a zip file."""

from appliance.albums.contents import Contents
from appliance.albums.ordering import AlbumChanges, AlbumOptions, Move, moves_to
from appliance.albums.service import Albums

__all__ = ["AlbumChanges", "AlbumOptions", "Albums", "Contents", "Move", "moves_to"]
