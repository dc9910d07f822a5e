"""What the benchmark of training runs: the rows, the product's own training, and scikit-learn's."""
