"""A card for each run of a job: what it was given, read and counted, and what comes next, as a page and as JSON."""
