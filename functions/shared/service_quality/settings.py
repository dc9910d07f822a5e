"""Settings: an app's environment, read once into its own frozen dataclass."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from service_quality.errors import DeploymentError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Declared = TypeVar("Declared", bound=DataclassInstance)
else:
    Declared = TypeVar("Declared")


def read_settings(declared: type[Declared], environment: Mapping[str, str]) -> Declared:
    """Fill a dataclass of str and int fields from variables of the same names in capitals.

    DeploymentError names every variable that is missing or empty, or an integer variable with other text.

    >>> from dataclasses import make_dataclass
    >>> read_settings(make_dataclass("Settings", [("event_stream", str)]), {"EVENT_STREAM": "events"})
    Settings(event_stream='events')
    """
    found = {field.name: environment.get(field.name.upper(), "").strip() for field in fields(declared)}
    missing = [name.upper() for name, text in found.items() if not text]
    if missing:
        raise DeploymentError(f"found no value of {', '.join(missing)}, expected it in the environment")
    values: dict[str, str | int] = {}
    for field in fields(declared):
        text = found[field.name]
        if field.type is int and not text.isdecimal():
            raise DeploymentError(f"{field.name.upper()}: found {text!r}, expected a whole number")
        values[field.name] = int(text) if field.type is int else text
    return declared(**values)
