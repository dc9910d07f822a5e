"""Stand-ins of a few lines for what lies outside the core."""
