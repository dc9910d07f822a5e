"""Stand-ins of a few lines for the services outside the core."""
