"""The runs of the benchmark of consistency: shops committed over stand-ins, and the job that compares."""
