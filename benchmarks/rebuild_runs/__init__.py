"""What the benchmark of a rebuild runs."""
