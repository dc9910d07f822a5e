"""Histories: facts of an entity summed in tiles, and the windows that are read from them."""
