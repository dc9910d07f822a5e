"""What the benchmark of the windows runs: the question, the log, our side, and whether answers are equal."""
