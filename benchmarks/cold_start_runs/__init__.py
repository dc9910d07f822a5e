"""The runs of the benchmark of cold starts: the peers of our function, and their servers."""
