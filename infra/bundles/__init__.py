"""How the layer and the functions become what sam uploads; standard library and `tools` only."""
