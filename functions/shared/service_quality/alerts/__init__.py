"""Rules, the life of an alert, and how it is told."""
