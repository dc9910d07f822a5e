"""Contact exports, read into interaction events."""
