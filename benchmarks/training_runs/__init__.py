"""The runs of the benchmark of training: the rows, the product's own training, and scikit-learn's."""
