"""Exports of other systems, each read into interaction events by a mapping that says what its columns mean."""
