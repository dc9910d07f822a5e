"""Rules, the state of an alert, and the messages about it."""
