"""Bundles: the layer and the functions as sam uploads them; standard library and `tools` only."""
