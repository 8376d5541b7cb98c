"""Access: who may upload, and the access keys that let people in."""
