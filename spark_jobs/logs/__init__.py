"""Logs of shops as tables: what happened, what was archived, folded into conversations."""
