"""The five layering rules: who may import whom, and what may happen at import."""

import ast
import re
import sys

import pytest

from tests.architecture.source import ROOT, Module, at_import, imports, modules, reachable

CORE_NAME, ADAPTERS_NAME = "service_quality", "service_quality.adapters"
LEAVES = ("functions", "spark_jobs", "model_export", "infra")
TRAINING_ONLY = {"pyspark", "pandas", "sklearn"}
# Libraries that come and go together count as one vendor.
FAMILIES = {"botocore": "boto3", "mypy_boto3": "boto3", "s3transfer": "boto3", "numpy": "onnxruntime"}
READS = {"open", "getenv", "read_text", "read_bytes", "urlopen", "create_connection", "client", "resource", "Session"}

# `_typeshed` is what type checkers call the standard library's own protocols; it exists for them alone.
STANDARD = sys.stdlib_module_names | {"_typeshed"}

MODULES = modules(ROOT)
WIRING = ADAPTERS_NAME + ".wiring"
ADAPTERS = [m for m in MODULES if m.name.startswith(ADAPTERS_NAME + ".") and m.name != WIRING]
CORE = [m for m in MODULES if m.name.split(".")[0] == CORE_NAME and not m.name.startswith(ADAPTERS_NAME)]
APPS = [m for m in MODULES if m.name.startswith("functions.") and m.name.endswith(".app")]


def present(found: list[Module], folder: str) -> list[Module]:
    """The modules to check; none may be missing once their folder holds code."""
    if not any((ROOT / folder).rglob("*.py")):
        pytest.skip(f"no {folder} yet")
    assert found, f"{folder} holds code but no module that these rules would see"
    return found


def vendor(name: str) -> str:
    """The vendor of an imported module; empty for the standard library and ourselves."""
    top = name.partition(".")[0]
    if top in STANDARD or top == CORE_NAME:
        return ""
    return next((family for prefix, family in FAMILIES.items() if top.startswith(prefix)), top)


def test_core_imports_the_standard_library_and_itself():
    wrong = {
        (m.name, name)
        for m in present(CORE, "functions/shared/service_quality")
        for name in imports(m)
        if vendor(name) or name.startswith(ADAPTERS_NAME)
    }

    assert not wrong


def test_core_has_no_import_cycle():
    names = {m.name: m for m in present(CORE, "functions/shared/service_quality")}

    cyclic = {name for name, m in names.items() if any(name in reachable(i, names) for i in imports(m) & names.keys())}

    assert not cyclic


def test_adapter_imports_one_vendor_and_no_other_adapter():
    for m in present(ADAPTERS, "functions/shared/service_quality/adapters"):
        assert len({vendor(name) for name in imports(m)} - {""}) <= 1, f"{m.name} imports several vendors"
        others = {name for name in imports(m) if name.startswith(ADAPTERS_NAME + ".") and not own(m, name)}
        assert not others, f"{m.name} imports other adapters"


def test_wiring_puts_adapters_together_and_apps_alone_use_it():
    (wiring,) = (m for m in MODULES if m.name == WIRING)

    assert {vendor(name) for name in imports(wiring)} <= {"", "boto3"}  # the types of its clients
    importers = {m.name for m in MODULES if any(name.startswith(WIRING) for name in imports(m))}
    assert importers == {m.name for m in APPS if "make_registry" in m.path.read_text("utf-8")}


def own(m: Module, imported: str) -> bool:
    """Whether an import stays inside the same adapter (a module or a package of its own)."""
    return imported.split(".")[2] == m.name.split(".")[2]


@pytest.mark.parametrize("leaf", LEAVES)
def test_leaf_is_imported_by_nobody(leaf):
    present(
        [m for m in MODULES if m.name.split(".")[0] == leaf],
        "functions/score_interactions" if leaf == "functions" else leaf,
    )
    outside = [m for m in MODULES if m.name.split(".")[0] not in (leaf, "tests", "benchmarks")]

    importers = {m.name for m in outside for name in imports(m) if name.split(".")[0] == leaf}

    assert not importers


def test_function_imports_no_other_function():
    for m in present(APPS, "functions/score_interactions"):
        assert not {name for name in imports(m) if name.startswith("functions.")}, m.name


def test_function_loads_nothing_of_training():
    names = {m.name: m for m in MODULES}
    for m in present(APPS, "functions/score_interactions"):
        loaded = {name.split(".")[0] for name in reachable(m.name, names)}
        assert not loaded & TRAINING_ONLY, f"{m.name} loads {loaded & TRAINING_ONLY}"


def reads(node: ast.AST) -> bool:
    """Whether a node reads the environment, a file or the network, or opens a way to it."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).split(".")[-1] in READS
    return isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node).split(".")[-1] == "environ"


def test_nothing_is_read_at_import():
    for m in MODULES:
        if m in APPS or m.name.split(".")[0] not in (CORE_NAME, *LEAVES):
            continue
        read = {ast.unparse(node) for node in at_import(m.tree) if reads(node)}
        assert not read, f"{m.name} reads at import"


def test_commands_share_the_standard_library_alone():
    shared = [m for m in MODULES if m.name.split(".")[0] == "cli"]

    others = {(m.name, name) for m in shared for name in imports(m) if vendor(name) not in ("", "cli")}
    assert others == {("cli.yaml_files", "yaml")}  # rule files are YAML to operators and to dry runs alike


@pytest.mark.parametrize("package", ["spark_jobs", "model_export", "reports", "cli"])
def test_what_runs_needs_nothing_that_prepares_a_checkout(package):
    names = {m.name: m for m in MODULES}

    met = {name for own in names if own.split(".")[0] == package for name in reachable(own, names)}

    assert not {name for name in met if name.split(".")[0] == "tools"}


#: Where a task holds a shop: logs of one piece, and the fold of rules by the commit itself (docs/adr/0034, 0045).
SHOP_IN_ONE_TASK = {"spark_jobs/logs/log_order.py", "spark_jobs/rule_effects/shop_messages.py"}


def test_no_task_of_a_job_holds_a_shop():
    by_shop = re.compile(
        r'partitionBy\("shop_id"\)|repartition\([^)]*"shop_id"\)|groupBy\("shop_id"\)\.apply'
        r'|\.join\((?!F\.broadcast\()[^()\[\]]*, "shop_id"'
    )
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "spark_jobs").rglob("*.py")
        if by_shop.search(path.read_text("utf-8"))
    }

    assert found == SHOP_IN_ONE_TASK
