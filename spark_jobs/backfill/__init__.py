"""A shop's past, made into items of the functions' state."""
