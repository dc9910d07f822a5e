"""A text for people in each language."""

from typing import NamedTuple


class Message(NamedTuple):
    """One text in each language."""

    en: str
    zh: str

    def said(self, language: str) -> str:
        """The text in one of LANGUAGES."""
        return str(getattr(self, language))


LANGUAGES = Message._fields
NO_TEXT = Message("", "")
