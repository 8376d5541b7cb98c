"""Other servers, measured in the same run as ours. `make bench-peers` installs them under build/peers."""

from benchmarks.peers.images import IMAGE_PEERS, ImagePeer, Missing, oximg, sharp, thumbor
from benchmarks.peers.nginx import nginx

__all__ = ["IMAGE_PEERS", "ImagePeer", "Missing", "nginx", "oximg", "sharp", "thumbor"]
