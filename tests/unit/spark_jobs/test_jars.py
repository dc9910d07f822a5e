"""When the jars are resolved, and what is said when they cannot be."""

import pytest

from spark_jobs.errors import SessionError
from spark_jobs.session import jars


class Submit:
    """Stands for spark-submit: leaves jars, or fails saying why."""

    def __init__(self, cache, output=""):
        self._cache, self._output = cache, output
        self.calls = 0
        self.returncode, self.stdout, self.stderr = int(bool(output)), "", output

    def __call__(self, command, **_):
        self.calls += 1
        if not self._output:
            (self._cache / "jars").mkdir(exist_ok=True)
            (self._cache / "jars" / "iceberg.jar").write_bytes(b"jar")
        return self


def test_jars_are_resolved_once(tmp_path, monkeypatch):
    submit = Submit(tmp_path)
    monkeypatch.setattr("subprocess.run", submit)

    first, second = jars.resolved_jars(tmp_path), jars.resolved_jars(tmp_path)

    assert first == second == [tmp_path / "jars" / "iceberg.jar"]
    assert submit.calls == 1


def test_broken_jar_is_resolved_again(tmp_path, monkeypatch):
    submit = Submit(tmp_path)
    monkeypatch.setattr("subprocess.run", submit)
    (jar,) = jars.resolved_jars(tmp_path)
    jar.write_bytes(b"")

    jars.resolved_jars(tmp_path)

    assert submit.calls == 2
    assert jar.read_bytes() == b"jar"


def test_resolution_that_fails_says_why_in_one_line(tmp_path, monkeypatch):
    output = ":: loading settings\nServer access error: java.net.UnknownHostException: some-host\n\tat a.b.c\n"
    monkeypatch.setattr("subprocess.run", Submit(tmp_path, output))

    with pytest.raises(SessionError, match=r"UnknownHostException.*expected a Maven repository") as failure:
        jars.resolved_jars(tmp_path)

    assert "\n" not in str(failure.value)


def test_kept_jars_are_read_where_nothing_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.run", Submit(tmp_path))
    first = jars.resolved_jars(tmp_path)
    (tmp_path / "lock").unlink()

    assert jars.resolved_jars(tmp_path) == first
    assert not (tmp_path / "lock").exists()
