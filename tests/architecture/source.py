"""The project's own source as syntax trees: modules, their imports, what runs when they are imported."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("functions", "spark_jobs", "model_export", "infra", "reports", "cli", "tools")


@dataclass(frozen=True, eq=False)
class Module:
    """One source file under the name it is imported by."""

    name: str
    path: Path
    tree: ast.Module


@cache
def modules(root: Path) -> list[Module]:
    """Every module of the project, tests and benchmarks left out."""
    paths = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    return [Module(module_name(path, root), path, ast.parse(path.read_text("utf-8"))) for path in paths]


def module_name(path: Path, root: Path) -> str:
    """The dotted name of a file: the shared layer is a root of its own."""
    parts = list(path.relative_to(root).with_suffix("").parts)
    if parts[:2] == ["functions", "shared"]:
        parts = parts[2:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(module: Module) -> set[str]:
    """Dotted names that a module imports, anywhere in it; `from a import b` counts as a and as a.b."""
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module.name}:{node.lineno}: imports are absolute"
            assert node.module
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def reachable(name: str, known: Mapping[str, Module]) -> set[str]:
    """The module and everything that importing it imports; only known modules are followed."""
    seen: set[str] = set()
    ahead = [name]
    while ahead:
        current = ahead.pop()
        if current in seen:
            continue
        seen.add(current)
        parents = [current.rsplit(".", n)[0] for n in range(1, current.count(".") + 1)]
        if current in known:
            ahead += [*imports(known[current]), *parents]
    return seen


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that are evaluated when the module is imported: no bodies of functions, no main block."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "__name__ == '__main__'":
            continue
        if isinstance(child, ast.Lambda):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in (*child.decorator_list, child.args):
                yield part
                yield from at_import(part)
            continue
        yield child
        yield from at_import(child)
