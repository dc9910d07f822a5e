"""The oracle shares no code with what it judges: a mistake of the product may not be its own."""

import ast

from tests.architecture.source import ROOT, Module, imports, module_name, reachable

READER = "tests.properties.naive_reader"
#: Judges business time alone, and is reached by its own check.
OF_BUSINESS_TIME = "tests.oracle.business_minutes"
#: Judges what alerts live through alone, and is reached by its own check.
OF_ALERTS = "tests.oracle.alert_life"
#: Judges when rules look again, and is reached by the checks of timers.
OF_LOOKS = "tests.oracle.looks"
#: Judges alerts about customers alone, and is reached by the check of the online reader.
OF_LEAVING = "tests.oracle.leaving"
#: The form of an event, and the declarations of features as data: all that the oracle may know of the product.
DATA = {
    "service_quality.events.interaction_event": {"InteractionEvent"},
    "service_quality.features.declarations": {
        "AmountTotal", "Combined", "Distinct", "EventValue", "Feature", "FeatureSet", "Mean", "Quantile", "Rate",
        "TimeSince", "TimeSinceFirst", "TopShare", "Total", "WindowRatio",
    },
}  # fmt: skip
#: Values that a declaration computes itself belong to the product, not to the oracle.
WORKED_OUT = {"compute", "reads", "plan", "names", "kept", "fingerprint", "even_share", "event_values"}
PRODUCT = ("service_quality", "functions", "spark_jobs", "model_export", "infra", "reports", "cli", "tools")

PATHS = [*sorted((ROOT / "tests" / "oracle").glob("*.py")), ROOT / "tests" / "properties" / "naive_reader.py"]
ORACLE = {m.name: m for m in (Module(module_name(p, ROOT), p, ast.parse(p.read_text("utf-8"))) for p in PATHS)}


def reached() -> set[str]:
    """All that the oracle's readers import, directly or not."""
    return set().union(*(reachable(one, ORACLE) for one in (READER, OF_BUSINESS_TIME, OF_ALERTS, OF_LOOKS, OF_LEAVING)))


def test_oracle_is_all_that_its_reader_reaches():
    met = reached()

    assert ORACLE.keys() <= met
    assert not {name for name in met if (ROOT / f"{name.replace('.', '/')}.py").is_file()} - ORACLE.keys()


def test_oracle_imports_of_the_product_only_data():
    allowed = {*DATA, *(f"{module}.{name}" for module, names in DATA.items() for name in names)}

    found = {name for name in reached() if name.split(".")[0] in PRODUCT}

    packages = {module.rsplit(".", n)[0] for module in allowed for n in range(1, module.count(".") + 1)}
    assert found <= allowed | packages
    for module in ORACLE.values():
        assert not imports(module) & packages - DATA.keys(), f"{module.name} imports a package whole"


def test_oracle_asks_a_declaration_for_nothing_that_it_works_out():
    for module in ORACLE.values():
        of_features = {
            node.attr
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and "feature" in ast.unparse(node.value).split(".")[-1]
        }
        assert not of_features & WORKED_OUT, f"{module.name} lets the product work out {of_features & WORKED_OUT}"
