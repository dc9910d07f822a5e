"""Features: declared as data, read in the context of an event, written as vectors."""
