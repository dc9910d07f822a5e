"""Benchmarks of the claims; `make bench` prints the tables."""
