"""Logs of shops as tables: events, archived entries, and their fold into conversations."""
