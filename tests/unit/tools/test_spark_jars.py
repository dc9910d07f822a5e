"""When the jars count as brought."""

import pytest

from tools import spark_jars
from tools.environments import Environment
from tools.errors import CommandFailedError
from tools.spark_jars import are_jars_whole, bring_jars


@pytest.fixture
def environment(tmp_path, monkeypatch):
    monkeypatch.setattr(spark_jars, "JARS", tmp_path / "ivy")
    monkeypatch.setattr(spark_jars, "STAMP", tmp_path / "ivy" / "stamp")
    monkeypatch.setattr(spark_jars, "NAMING_THEM", tmp_path / "jars.py")
    monkeypatch.setattr(spark_jars, "java_home", lambda: tmp_path)
    (tmp_path / "jars.py").write_text("one")
    return Environment("example", tmp_path / "env", tmp_path / "lock.txt")


def brought(monkeypatch, tmp_path):
    calls = []

    def run(title, command, environment):
        (tmp_path / "ivy").mkdir(exist_ok=True)
        calls.append(command)

    monkeypatch.setattr(spark_jars, "run", run)
    return calls


def test_jars_are_brought_once_and_again_when_others_are_named(environment, monkeypatch, tmp_path):
    calls = brought(monkeypatch, tmp_path)

    bring_jars(environment)
    bring_jars(environment)
    assert are_jars_whole()
    assert len(calls) == 1

    (tmp_path / "jars.py").write_text("two")
    assert not are_jars_whole()


def test_jars_that_could_not_be_brought_are_not_whole(environment, monkeypatch):
    def run(title, command, environment):
        raise CommandFailedError("no network")

    monkeypatch.setattr(spark_jars, "run", run)

    with pytest.raises(CommandFailedError):
        bring_jars(environment)

    assert not are_jars_whole()
