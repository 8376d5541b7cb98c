"""The JSON API, the forms of upload that other programs know, and the progress of an upload as events."""
