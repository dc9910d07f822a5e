"""Addresses of files, as Spark gives them and as people write them."""

import re
from pathlib import Path
from urllib.parse import unquote

_PATTERN_SIGNS = re.compile(r"[][{}*?\\]")


def plain_address(address: str) -> str:
    """A file's address as its rows name it.

    >>> plain_address("file:///tmp/a.csv")
    'file:/tmp/a.csv'
    """
    return re.sub("^file:/+", "file:/", address)


def as_pattern(path: str) -> str:
    """The path for a reader of patterns: the name of an existing file is no pattern.

    >>> as_pattern("no such/*.csv")
    'no such/*.csv'
    """
    plain = re.sub("^file:/+", "/", path)
    return _PATTERN_SIGNS.sub(r"\\\g<0>", plain) if Path(plain).is_file() else path


def file_name(address: str) -> str:
    """The file's own name, of an address in which signs are escaped."""
    return unquote(address).rpartition("/")[2]
