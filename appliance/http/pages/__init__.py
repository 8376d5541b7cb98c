"""The HTML pages in the visitor's language: handlers, templates, and the values for them."""
