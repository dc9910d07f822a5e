"""From a step of a conversation to a score with reasons."""
