"""The runs of the benchmark of scoring: our functions and the naive one, each as a process, and their AWS."""
