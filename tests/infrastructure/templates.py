"""The project's templates as plain values: `!Ref X` reads {"Ref": "X"}, `!GetAtt X.Y` reads {"Fn::GetAtt": "X.Y"}."""

import ast
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("IngestEvents", "ScoreInteractions", "DispatchOutbox", "ArchiveOutbox", "SweepArchive")


class TemplateLoader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions."""


def short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


TemplateLoader.add_multi_constructor("!", short_form)


def read_template(path: str) -> dict[str, Any]:
    return yaml.load((ROOT / path).read_text("utf-8"), TemplateLoader)


ROOT_TEMPLATE = read_template("template.yaml")
NESTED = {
    name: read_template(resource["Properties"]["Location"]) for name, resource in ROOT_TEMPLATE["Resources"].items()
}


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Properties of every nested resource of a type, by logical name."""
    return {
        name: resource["Properties"]
        for template in NESTED.values()
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def statements(function: str) -> list[dict[str, Any]]:
    """The statements of the one policy of a function."""
    (policy,) = resources("AWS::IAM::Role")[f"{function}Role"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def variables(function: str) -> dict[str, Any]:
    """The environment that the template gives a function."""
    return resources("AWS::Lambda::Function")[f"{function}Function"]["Environment"]["Variables"]


def folder(function: str) -> Path:
    """The folder of a function's code."""
    code = resources("AWS::Lambda::Function")[f"{function}Function"]["Code"]
    return (ROOT / "infra" / code).resolve()


def app_tree(function: str) -> ast.Module:
    return ast.parse((folder(function) / "app.py").read_text("utf-8"))
