"""Buckets of S3: the archive, and what was rejected."""
