"""The runs of the benchmark of the windows: the question, the log, our side, and the comparison of answers."""
