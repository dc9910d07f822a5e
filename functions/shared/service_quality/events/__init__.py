"""Interaction events, validated where they enter, and their positions in a shop's log."""
