"""The project's templates as plain values: `!Ref X` reads {"Ref": "X"}, `!GetAtt X.Y` reads {"Fn::GetAtt": "X.Y"}.

A folder below `functions` with an `app.py` is a function; everything else about it is read from its folder.
"""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


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


def read_template(path: Path) -> dict[str, Any]:
    """A template; AssertionError where there is no such file."""
    assert path.is_file(), f"found no {'/'.join(path.parts[-3:])}, expected one that template.yaml includes"
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), TemplateLoader)
    return found


@dataclass(frozen=True)
class Function:
    """One function: its folder, its app as a tree, its stack."""

    folder: Path

    @property
    def name(self) -> str:
        """The name of the folder, such as score_interactions."""
        return self.folder.name

    @property
    def title(self) -> str:
        """The name in templates, such as ScoreInteractions."""
        return self.name.title().replace("_", "")

    @cached_property
    def source(self) -> str:
        return (self.folder / "app.py").read_text("utf-8")

    @cached_property
    def app(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def imported_source(self) -> str:
        """The sources of the modules of `service_quality` that the app imports."""
        names = {node.module or "" for node in ast.walk(self.app) if isinstance(node, ast.ImportFrom)}
        folders = [self.folder.parent / "shared" / name.replace(".", "/") for name in sorted(names)]
        files = [path for one in folders for path in (one.with_name(f"{one.name}.py"), one / "__init__.py")]
        return "".join(path.read_text("utf-8") for path in files if path.is_file())

    @cached_property
    def stack(self) -> dict[str, Any]:
        return read_template(self.folder / "stack.yaml")

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of the stack's resources of a type, by logical name."""
        found = self.stack["Resources"]
        return {name: resource["Properties"] for name, resource in found.items() if resource["Type"] == kind}

    @property
    def properties(self) -> dict[str, Any]:
        """The properties of its one AWS::Lambda::Function."""
        return self.resources("AWS::Lambda::Function")[f"{self.title}Function"]

    @property
    def variables(self) -> dict[str, Any]:
        """The environment that the stack gives it."""
        return self.properties["Environment"]["Variables"]

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The statements of its one policy."""
        (policy,) = self.resources("AWS::IAM::Role")[f"{self.title}Role"]["Policies"]
        return policy["PolicyDocument"]["Statement"]

    @property
    def settings(self) -> set[str]:
        """The variables that the app reads."""
        (declared,) = (n for n in self.app.body if isinstance(n, ast.ClassDef) and n.name == "Settings")
        return {ast.unparse(n.target).upper() for n in declared.body if isinstance(n, ast.AnnAssign)}


@dataclass(frozen=True)
class Project:
    """A checkout."""

    root: Path

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Every function by name."""
        found = [Function(path.parent) for path in sorted((self.root / "functions").glob("*/app.py"))]
        return {one.name: one for one in found}

    @cached_property
    def template(self) -> dict[str, Any]:
        """The root template."""
        return read_template(self.root / "template.yaml")

    @cached_property
    def locations(self) -> dict[str, str]:
        """The file of every nested stack, by its logical name."""
        return {name: one["Properties"]["Location"] for name, one in self.template["Resources"].items()}

    @cached_property
    def stacks(self) -> dict[str, dict[str, Any]]:
        """Every nested stack, by its logical name in the root template."""
        return {name: read_template(self.root / location) for name, location in self.locations.items()}

    def given_to(self, function: Function) -> dict[str, Any]:
        """The parameters that template.yaml gives to a function's stack; AssertionError where it includes none."""
        stack, location = f"{function.title}Stack", f"functions/{function.name}/stack.yaml"
        assert self.locations.get(stack) == location, (
            f"{function.name}: found {self.locations.get(stack, 'nothing')} as {stack}, expected {location}:"
            " include it in template.yaml"
        )
        given: dict[str, Any] = self.template["Resources"][stack]["Properties"]["Parameters"]
        return given

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of every nested resource of a type, by logical name."""
        return {
            name: resource["Properties"]
            for stack in self.stacks.values()
            for name, resource in stack["Resources"].items()
            if resource["Type"] == kind
        }


PROJECT = Project(ROOT)
FUNCTIONS = PROJECT.functions
