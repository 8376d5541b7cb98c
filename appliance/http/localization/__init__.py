"""Languages: translated messages, numbers and dates as each language writes them, and errors in the reader's words."""
