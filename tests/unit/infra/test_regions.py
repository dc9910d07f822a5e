"""The region that operators' commands work in: AWS_REGION as well as AWS_DEFAULT_REGION, and one line without any."""

import boto3
import pytest

from infra.operations.command_line import main as operate
from infra.operations.deployment import Clients
from model_export import command_line as model_export
from model_export.registry import Registry


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """An environment and a profile that name no region; what a command changes of it is taken back."""
    for variable in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(variable, "to be taken back")
        monkeypatch.delenv(variable)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def registries(monkeypatch) -> list[Registry]:
    """The registries that the command line of model_export opens."""
    opened: list[Registry] = []

    def history(registry: Registry) -> list[object]:
        opened.append(registry)
        return []

    monkeypatch.setattr(model_export, "history", history)
    return opened


HISTORY = ["history", "--bucket", "b", "--table", "t"]


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-west-3"}, "eu-west-3"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
    ],
)
def test_region_comes_from_the_environment(monkeypatch, registries, variables, region):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    clients = Clients()

    assert model_export.main(HISTORY) == 0

    made = (clients.s3, clients.kinesis, clients.dynamodb, clients.functions, registries[0].s3, registries[0].dynamodb)
    assert {client.meta.region_name for client in made} == {region}


def test_stack_is_looked_for_in_the_region_of_the_environment(monkeypatch):
    asked: list[str | None] = []

    def session(*, region_name: str | None) -> None:
        asked.append(region_name)
        raise OSError("far enough")

    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setattr(boto3, "Session", session)

    assert operate(["count", "--stack", "s"]) == 1
    assert asked == ["eu-west-3"]


def test_region_of_a_profile_is_taken_where_the_environment_names_none(tmp_path):
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n", "utf-8")

    assert Clients().dynamodb.meta.region_name == "eu-north-1"


def test_without_a_region_the_line_says_what_to_set(capsys):
    assert operate(["count", "--stack", "s"]) == 1
    assert model_export.main(HISTORY) == 1

    assert capsys.readouterr().err.splitlines() == [
        "count: found no region, expected AWS_REGION or a profile's",
        "model_export history: found no region, expected AWS_REGION or a profile's",
    ]


@pytest.mark.parametrize("endpoint", ["nonsense", "http://", "ftp://host", "http://host:port", "http://host:0"])
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"])
def test_endpoint_that_is_no_url_is_one_line_that_names_it(monkeypatch, capsys, variable, endpoint):
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setenv(variable, endpoint)

    assert operate(["count", "--stack", "s"]) == 1
    assert model_export.main(HISTORY) == 1

    found = f"{variable}: found '{endpoint}', expected http:// or https://, a host and perhaps a port"
    assert capsys.readouterr().err.splitlines() == [f"count: {found}", f"model_export history: {found}"]
