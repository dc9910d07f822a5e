"""What a function imports before its first answer: few modules, and little time beside its libraries alone."""

import ast
import os
import subprocess
import sys

import pytest

from tests.infrastructure.templates import FUNCTIONS, ROOT, Function

#: Modules that may be loaded, of the core and of everything, where a function has a budget of its own.
MOST_MODULES = {"score_interactions": (117, 598), "dispatch_outbox": (73, 453)}
#: Facts, values and what a visit tells are declared in three modules of their own (docs/adr/0052).
#: Tasks and findings are declared in two more, and read by those that fold and judge (docs/adr/0053, 0054).
MOST_MODULES_OF_SCORING, MOST_MODULES_OF_OTHERS = (102, 582), (62, 450)
#: Processor time to import all of it ÷ that of the libraries alone.
MOST_TIMES_LIBRARIES = 1.6
RUNS = 6
EACH = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)

_IMPORT = """
import importlib, sys, time
began = time.process_time()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(time.process_time() - began, *sys.modules)
"""

pytestmark = pytest.mark.slow


def imports(function: Function) -> list[str]:
    """The modules that a function's app names."""
    found = {node.module for node in ast.walk(function.app) if isinstance(node, ast.ImportFrom) and node.module}
    return sorted(found)


def import_all(names: list[str]) -> tuple[float, set[str]]:
    """The processor time in seconds of importing modules in a process of their own, and all that it then holds."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "functions" / "shared"), "AWS_DEFAULT_REGION": "eu-west-1"}
    command = [sys.executable, "-c", _IMPORT, *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    seconds, *modules = done.stdout.split()
    return float(seconds), set(modules)


def times_libraries(names: list[str], libraries: list[str]) -> float:
    """The processor time of importing modules ÷ that of the libraries, each the least of runs by turns."""
    runs = [(import_all(names)[0], import_all(libraries)[0]) for _ in range(RUNS)]
    of_all, of_libraries = zip(*runs, strict=True)
    return min(of_all) / min(of_libraries)


def libraries_among(modules: set[str]) -> list[str]:
    """Those modules that are not the core's."""
    return sorted(name for name in modules if not name.startswith(("service_quality", "__")))


@EACH
def test_function_loads_few_modules(function):
    _, modules = import_all(imports(function))
    own = [name for name in modules if name.startswith("service_quality")]
    usual = MOST_MODULES_OF_SCORING if "onnxruntime" in modules else MOST_MODULES_OF_OTHERS
    most_own, most = MOST_MODULES.get(function.name, usual)
    advice = f"load less in functions/{function.name}/app.py, or give it a budget in MOST_MODULES with the reason"

    assert len(own) <= most_own, advice
    assert len(modules) <= most, advice


@EACH
def test_own_code_costs_little_beside_libraries(function):
    names = imports(function)
    libraries = libraries_among(import_all(names)[1])

    assert times_libraries(names, libraries) <= MOST_TIMES_LIBRARIES


def test_budget_notices_pandas():
    names = imports(FUNCTIONS["score_interactions"])
    libraries = libraries_among(import_all(names)[1])
    with_pandas = [*names, "pandas"]

    assert len(import_all(with_pandas)[1]) > MOST_MODULES["score_interactions"][1]
    assert times_libraries(with_pandas, libraries) > MOST_TIMES_LIBRARIES
