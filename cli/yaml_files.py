"""YAML that people write, as the JSON that it says, with the line of each value.

Only what JSON has, too, is read: no tag, no alias, no date, and each key once.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import yaml

Json = object

_SCALARS = {"null", "bool", "int", "float", "str"}
_TAG = "tag:yaml.org,2002:"
#: Numbers that YAML takes for octal, hexadecimal or binary, or of base 60, as it does 010 and 1:30.
_MISREAD = re.compile(r"[-+]?0[0-9a-zA-Z_]|.*:")


class YamlProblem(NamedTuple):
    """A mistake of the text itself, whatever it says: its line, what was found, what is expected."""

    line: int
    found: str
    expected: str


class YamlText(NamedTuple):
    """The value of a text; `lines` are the first lines of values by path, such as `rules[0].title.en`."""

    value: Json
    lines: dict[str, int]
    problems: tuple[YamlProblem, ...] = ()

    def line_of(self, path: str) -> int | None:
        """The line of a path, or of what it is within; None where the text has nothing of it."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path)


class _PlainLoader(yaml.SafeLoader):
    """Reads days and times as the text that they are."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix(_TAG) in _SCALARS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: bytes) -> YamlText:
    """The value of a text of one document, with every mistake of it that does not end the reading.

    >>> read_yaml(b"a: {b: [1, 2020-01-01]}").value
    {'a': {'b': [1, '2020-01-01']}}
    >>> read_yaml(b"a: 1\\na: 2").problems
    (YamlProblem(line=2, found='the key a again', expected='each key once'),)
    """
    reader = _Reader()
    try:
        value = reader.read_text(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        column = f" at column {mark.column + 1}" if mark else ""
        found = f"a text that cannot be read{column} ({error.problem or error.context})"
        reader.problems.append(YamlProblem(line, found, "YAML"))
        value = None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        reader.problems.append(YamlProblem(1, f"a text that cannot be read ({first})", "YAML in UTF-8"))
        value = None
    return YamlText(value, reader.lines, tuple(reader.problems))


class _Reader:
    """Reads nodes into plain values, and notes their lines."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.problems: list[YamlProblem] = []
        self._seen: set[int] = set()

    def read_text(self, text: bytes) -> Json:
        """The value of the one document in a text; None for a text without one."""
        self._loader = _PlainLoader(text)
        node = self._loader.get_single_node()
        return None if node is None else self.read(node, "")

    def read(self, node: yaml.Node, path: str) -> Json:
        self.lines[path] = node.start_mark.line + 1
        if id(node) in self._seen:
            self._add(node, "a value that an alias uses again", "the value itself in each place")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._require_tag(node, "seq")
            return [self.read(one, f"{path}[{number}]") for number, one in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)  # there is no other kind
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: str) -> Json:
        self._require_tag(node, "map")
        return dict(self._entries(node, path))

    def _entries(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, Json]]:
        known: set[str] = set()
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                self._add(key_node, "a key that is no text", "a text")
            elif key in known:
                self._add(key_node, f"the key {key} again", "each key once")
            else:
                known.add(key)
                yield key, self.read(value_node, f"{path}.{key}" if path else key)
                self.lines[f"{path}.{key}" if path else key] = key_node.start_mark.line + 1

    def _scalar(self, node: yaml.ScalarNode) -> Json:
        if node.tag.removeprefix(_TAG) not in _SCALARS:
            self._add(node, f"the tag {node.tag}", "a plain value")
            return None
        try:
            value: Json = self._loader.construct_object(node)
        except ValueError:
            self._add(node, f"{node.value!r} as {node.tag}", "a plain value")
            return None
        if node.tag.removeprefix(_TAG) in ("int", "float") and _MISREAD.match(node.value):
            found = f"{node.value}, which YAML reads as {value}"
            self._add(node, found, "a number in decimal digits without a leading 0, or a text in quotes")
        return value

    def _require_tag(self, node: yaml.Node, name: str) -> None:
        if node.tag != f"{_TAG}{name}":
            self._add(node, f"the tag {node.tag}", "a plain value")

    def _add(self, node: yaml.Node, found: str, expected: str) -> None:
        self.problems.append(YamlProblem(node.start_mark.line + 1, found, expected))
