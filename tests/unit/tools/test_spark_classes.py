"""When the archive of Spark's classes counts as made."""

import pytest

from tools import spark_classes
from tools.environments import Environment
from tools.errors import CommandFailedError
from tools.spark_classes import are_classes_kept, keep_classes


@pytest.fixture
def environment(tmp_path, monkeypatch):
    for name, value in {"FOLDER": "archives", "LOADING_THEM": "loading.py"}.items():
        monkeypatch.setattr(spark_classes, name, tmp_path / value)
    monkeypatch.setattr(spark_classes, "java_home", lambda: tmp_path)
    monkeypatch.setattr(spark_classes, "stamp_of_jars", lambda: "jars")
    (tmp_path / "loading.py").write_text("one")
    (tmp_path / "release").write_text('JAVA_VERSION="17.0.1"')
    return Environment("example", tmp_path / "env", tmp_path / "lock.txt")


def test_archive_is_made_once_and_again_for_another_java(environment, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(spark_classes, "run", lambda title, command, environment: calls.append(command))

    keep_classes(environment)
    keep_classes(environment)

    assert are_classes_kept(environment)
    assert calls == [[environment.python, "-m", "spark_jobs.session.keep_java_classes", tmp_path / "archives"]]

    (tmp_path / "release").write_text('JAVA_VERSION="21.0.1"')
    assert not are_classes_kept(environment)


def test_java_that_makes_no_archive_is_named_and_not_asked_again(environment, monkeypatch, capsys):
    def run(title, command, environment):
        raise CommandFailedError("this Java wrote no archive of its classes")

    monkeypatch.setattr(spark_classes, "run", run)

    keep_classes(environment)

    assert are_classes_kept(environment)
    assert "this Java wrote no archive of its classes; jobs start without it" in capsys.readouterr().err
