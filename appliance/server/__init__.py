"""The server process: its listening sockets, control socket and systemd, and the lock on its data directory."""
