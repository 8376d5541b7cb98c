"""The JSON API, the upload APIs of other image hosts, and the progress of uploads as events."""
