"""Files of rules, as jobs are given them."""

import json
from pathlib import Path

from cli.yaml_files import read_yaml
from service_quality.alerts.rule_document import find_problems
from service_quality.features.feature_set import FEATURES
from spark_jobs.errors import InputError, MissingSourceError, mistakes_in_words


def read_rules_file(name: str) -> bytes:
    """The document of a file of rules; InputError names every mistake in it, with its line."""
    try:
        text = read_yaml(Path(name).read_bytes())
    except FileNotFoundError:
        raise MissingSourceError(f"found no file {name}, expected rules in YAML") from None
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}, expected a file that can be read") from None
    mistakes = [f"line {one.line}: found {one.found}, expected {one.expected}" for one in text.problems]
    document = json.dumps(text.value, ensure_ascii=False, separators=(",", ":")).encode()
    if text.value is not None or not mistakes:
        _, problems = find_problems(document, FEATURES)
        mistakes += [f"line {text.line_of(one.path) or 1}: {one}" for one in problems]
    if mistakes:
        raise InputError(f"{name}: found {mistakes_in_words(len(mistakes))} in the rules, expected none", mistakes)
    return document
