"""The HTML pages: handlers, templates and all that fills them, in the visitor's language."""
