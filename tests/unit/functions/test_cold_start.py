"""A missing or forbidden resource stops a function at its cold start, with a message that names it."""

import ast
import gc

import pytest

from service_quality.errors import DeploymentError, ModelError
from tests.unit.functions.conftest import ROOT

APPS = {path.parent.name: ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.glob("functions/*/app.py"))}
#: Read for the first record that needs them: few batches hold one.
READ_LATER = {("score_interactions", variable) for variable in ("EVENT_STREAM", "CONTROL_KEY_SECRET", "ID_SALT_SECRET")}


def settings_of(name: str) -> list[tuple[str, str]]:
    """The variables of a function and their types, as its app declares them."""
    (declared,) = (node for node in APPS[name].body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    fields = [node for node in declared.body if isinstance(node, ast.AnnAssign)]
    return [(ast.unparse(field.target).upper(), ast.unparse(field.annotation)) for field in fields]


SETTINGS = [(name, variable, kind) for name in APPS for variable, kind in settings_of(name)]
READ_AT_ONCE = [
    (name, variable, f"{variable}: found 'nowhere'" if kind == "int" else "nowhere")
    for name, variable, kind in SETTINGS
    if (name, variable) not in READ_LATER
]


@pytest.mark.parametrize("name", APPS)
def test_function_starts_where_everything_is_there(load, name):
    assert callable(load(name).handler)


@pytest.mark.parametrize(("name", "variable"), [(name, variable) for name, variable, _ in SETTINGS])
def test_missing_variable_is_named(load, aws, name, variable):
    del aws.environment[variable]

    with pytest.raises(DeploymentError, match=variable):
        load(name)


@pytest.mark.parametrize(("name", "variable", "named"), READ_AT_ONCE)
def test_missing_resource_is_named(load, aws, name, variable, named):
    aws.environment[variable] = "nowhere"

    with pytest.raises(DeploymentError, match=named):
        load(name)


def test_missing_permission_is_named(load, aws):
    aws.s3.failing = "AccessDenied"

    with pytest.raises(DeploymentError, match="AccessDenied at bucket archive"):
        load("archive_outbox")


@pytest.mark.parametrize("name", ["score_interactions", "preview_score"])
def test_missing_champion_is_named(load, aws, name):
    aws.dynamodb.tables["models"].clear()

    with pytest.raises(DeploymentError, match="no champion in table models"):
        load(name)


def test_wrong_model_is_refused(load, aws):
    aws.promote(other_meaning=True)

    with pytest.raises(ModelError, match="features that are not served or mean something else"):
        load("score_interactions")


def test_inlet_starts_without_a_champion(load, aws):
    aws.dynamodb.tables["models"].clear()

    assert callable(load("ingest_events").handler)


def test_what_a_start_made_is_never_looked_through_again(load):
    load("score_interactions")

    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000
