"""The runs of the benchmark of the archive: an archive such as the functions write, folded into a lake."""
