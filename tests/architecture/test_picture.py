"""The picture of the packages on the architecture page is what the imports say."""

import re

import pytest

from tests.architecture.source import ROOT, imports, modules

CORE = "service_quality"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
ARROW = re.compile(r"^\s*(\w+)(?:\[.*?\])? --> (\w+)", re.MULTILINE)

Arrows = dict[str, set[str]]


def package(name: str) -> str:
    """The room of a module in the picture: a package of the core, or a top folder; "" for what stands beside all."""
    top, _, rest = name.partition(".")
    if top != CORE:
        return top
    inner = rest.partition(".")[0]
    return inner if (ROOT / "functions" / "shared" / CORE / inner).is_dir() and inner else ""


def imported_packages() -> Arrows:
    """Which package imports which, among the project's own."""
    ours = {package(module.name) for module in modules(ROOT)} - {""}
    arrows: Arrows = {name: set() for name in ours}
    for module in modules(ROOT):
        found = {package(name) for name in imports(module) if name.split(".")[0] in {CORE, *ours}}
        if package(module.name):
            arrows[package(module.name)] |= (found & ours) - {package(module.name)}
    return arrows


def below(name: str, arrows: Arrows) -> set[str]:
    """Everything that a package reaches in one step or more."""
    reached: set[str] = set()
    ahead = [*arrows[name]]
    while ahead:
        current = ahead.pop()
        if current not in reached:
            reached.add(current)
            ahead += arrows[current]
    return reached


def without_shortcuts(arrows: Arrows) -> Arrows:
    """Only the arrows that no way over a third package says already."""
    return {
        name: {to for to in direct if not any(to in below(other, arrows) for other in direct - {to})}
        for name, direct in arrows.items()
    }


def drawn(title: str) -> Arrows:
    """The arrows of the picture under a heading."""
    picture = PAGE[PAGE.index(title) :].partition("```mermaid")[2].partition("```")[0]
    arrows: Arrows = {}
    for start, end in ARROW.findall(picture):
        arrows.setdefault(start, set()).add(end)
        arrows.setdefault(end, set())
    return arrows


def test_packages_import_one_another_one_way():
    arrows = imported_packages()

    assert not [name for name in arrows if name in below(name, arrows)]


def test_picture_draws_the_imports():
    assert drawn("## Layering") == without_shortcuts(imported_packages())


@pytest.mark.parametrize(
    ("arrows", "kept"),
    [
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, {"a": {"b"}, "b": {"c"}, "c": set()}),
        ({"a": {"b", "c"}, "b": set(), "c": set()}, {"a": {"b", "c"}, "b": set(), "c": set()}),
    ],
)
def test_a_shortcut_is_an_arrow_that_a_longer_way_says_too(arrows, kept):
    assert without_shortcuts(arrows) == kept
