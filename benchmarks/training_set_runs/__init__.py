"""What the benchmark of the training set runs, each in a process of its own."""
