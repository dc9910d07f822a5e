"""What the benchmark of scoring runs: our functions and the naive one, each as a process, and what is around them."""
