"""Features: declared as data, read at a moment, written as vectors."""
