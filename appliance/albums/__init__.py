"""Albums: images under one link. Making, showing and changing them, their end, and their download as a zip file."""

from appliance.albums.contents import Contents
from appliance.albums.ordering import AlbumChanges, AlbumWishes
from appliance.albums.service import Albums

__all__ = ["AlbumChanges", "AlbumWishes", "Albums", "Contents"]
