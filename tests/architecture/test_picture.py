"""The pictures of the packages on the architecture page are what the imports say."""

import re
from collections.abc import Callable

import pytest

from tests.architecture.source import ROOT, imports, modules

CORE, JOBS = "service_quality", "spark_jobs"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
ARROW = re.compile(r"^\s*(\w+)(?:\[.*?\])? --> (\w+)", re.MULTILINE)

Arrows = dict[str, set[str]]


def package(name: str) -> str:
    """The room of a module in the picture: a package of the core, or a top folder; "" for any other module."""
    top, _, rest = name.partition(".")
    if top != CORE:
        return top
    inner = rest.partition(".")[0]
    return inner if (ROOT / "functions" / "shared" / CORE / inner).is_dir() and inner else ""


def package_of_jobs(name: str) -> str:
    """The room of a module of the Spark jobs: a package of theirs, `jobs`, or "" for any other module."""
    top, _, rest = name.partition(".")
    inner = rest.partition(".")[0]
    if top != JOBS or not inner or inner == "errors":
        return ""
    is_job = (ROOT / JOBS / f"{inner}.py").is_file() and inner != "command_line"
    return "jobs" if is_job else inner


#: Heading of a picture → the rooms that it draws.
PICTURES = {"## Layering": package, "### Within the Spark jobs": package_of_jobs}


def imported_packages(room: Callable[[str], str]) -> Arrows:
    """The imports between the project's own packages."""
    ours = {room(module.name) for module in modules(ROOT)} - {""}
    arrows: Arrows = {name: set() for name in ours}
    for module in modules(ROOT):
        if own := room(module.name):
            arrows[own] |= ({room(name) for name in imports(module)} & ours) - {own}
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


@pytest.mark.parametrize("room", PICTURES.values(), ids=PICTURES)
def test_packages_import_one_another_one_way(room):
    arrows = imported_packages(room)

    assert not [name for name in arrows if name in below(name, arrows)]


@pytest.mark.parametrize(("title", "room"), PICTURES.items(), ids=PICTURES)
def test_picture_draws_the_imports(title, room):
    assert drawn(title) == without_shortcuts(imported_packages(room))


@pytest.mark.parametrize(
    ("arrows", "kept"),
    [
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, {"a": {"b"}, "b": {"c"}, "c": set()}),
        ({"a": {"b", "c"}, "b": set(), "c": set()}, {"a": {"b", "c"}, "b": set(), "c": set()}),
    ],
)
def test_a_shortcut_is_an_arrow_that_a_longer_way_says_too(arrows, kept):
    assert without_shortcuts(arrows) == kept
