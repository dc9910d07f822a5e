"""What the benchmark of cold starts runs: the peers of our function, and what all of them talk to."""
