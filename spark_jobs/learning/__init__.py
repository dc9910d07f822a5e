"""Fitting models and judging their probabilities."""
