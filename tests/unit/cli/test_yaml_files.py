"""YAML files: what JSON has, too, with lines, and every mistake of the text."""

import pytest

from cli.yaml_files import YamlProblem, read_yaml


def test_values_are_those_of_json():
    text = b"a: {b: [1, 0.5, true, null, text]}\nday: 2026-11-20\nhour: 12:30\nlong: >-\n  two\n  lines\n"

    assert read_yaml(text).value == {
        "a": {"b": [1, 0.5, True, None, "text"]},
        "day": "2026-11-20",
        "hour": 750,  # as YAML 1.1 has it: such a value is quoted
        "long": "two lines",
    }


def test_json_is_read_as_it_is():
    assert read_yaml('{"a": [1, {"b": "顾客"}]}'.encode()).value == {"a": [1, {"b": "顾客"}]}


def test_each_value_has_its_line():
    text = read_yaml(b"rules:\n  - name: a\n    title:\n      en: x\n  - name: b\n")

    assert [text.line_of(path) for path in ("rules", "rules[0].title.en", "rules[1].name")] == [1, 4, 5]
    assert text.line_of("rules[0].title.zh") == 3
    assert text.line_of("rules[1].examples[2].values") == 5
    assert text.line_of("owner") == 1


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        (b"a: 1\nb: 2\na: 3", 3, "the key a again"),
        (b"a: &x 1\nb: *x", 1, "a value that an alias uses again"),
        (b"a: !!python/object:os.system x", 1, "the tag tag:yaml.org,2002:python/object:os.system"),
        (b"a: !mine {b: 1}", 1, "the tag !mine"),
        (b"[1]: 2", 1, "a key that is no text"),
        (b"a: [1\nb: 2", 2, "a text that cannot be read at column 2 (expected ',' or ']', but got ':')"),
        (b"a: 1\n---\nb: 2", 2, "a text that cannot be read at column 1 (but found another document)"),
        (b"\xff\xfe\x00", 1, None),
        (b"a: \x00", 1, None),
        (b"[" * 3000, 1, None),
    ],
)
def test_text_with_a_mistake_names_its_line(text, line, found):
    (problem, *_) = read_yaml(text).problems

    assert problem.line == line or found is None
    assert problem.found == (found or problem.found)


def test_every_mistake_is_found_and_the_rest_is_read():
    text = read_yaml(b"a: 1\na: 2\nb: !x 3\nc: 4")

    assert text.problems == (
        YamlProblem(2, "the key a again", "each key once"),
        YamlProblem(3, "the tag !x", "a plain value"),
    )
    assert text.value == {"a": 1, "b": None, "c": 4}


def test_empty_text_says_nothing():
    assert (read_yaml(b"").value, read_yaml(b"# only a comment\n").problems) == (None, ())


def test_aliases_cannot_make_a_text_huge():
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    text = read_yaml("\n".join(lines).encode())

    assert len(text.problems) == 99
    assert len(str(text.value)) < 2_000


@pytest.mark.parametrize(
    ("written", "read"), [("010", "8"), ("-010", "-8"), ("0x1F", "31"), ("0b11", "3"), ("1:30", "90"), ("0_7", "7")]
)
def test_number_that_yaml_reads_as_another_is_a_mistake(written, read):
    (problem,) = read_yaml(f"a: 1\nversion: {written}".encode()).problems

    assert (problem.line, problem.found) == (2, f"{written}, which YAML reads as {read}")
    assert problem.expected == "a number in decimal digits without a leading 0, or a text in quotes"


@pytest.mark.parametrize("written", ["0", "10", "-1", "0.5", "1e3", "008", "'010'", "2026-01-01"])
def test_number_that_is_read_as_it_is_written_and_text_are_no_mistake(written):
    assert read_yaml(f"version: {written}".encode()).problems == ()
