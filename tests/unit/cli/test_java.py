"""The Java that is taken."""

from pathlib import Path

import pytest

from cli import java
from cli.machine_errors import JavaMissingError


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(java, "SYSTEM_FOLDER", tmp_path / "jvm")
    monkeypatch.setattr(java, "PRIVATE_HOME", tmp_path / "private")


def install(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch(mode=0o755)
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return home


def test_java_home_variable_comes_first(monkeypatch, tmp_path):
    named = install(tmp_path / "named", "21.0.8")
    install(tmp_path / "jvm" / "java-17", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(named))

    assert java.java_home() == named


def test_java_on_path_that_is_too_new_is_passed_over(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(install(tmp_path / "new", "25.0.1") / "bin"))
    older = install(tmp_path / "jvm" / "java-17", "17.0.15")

    assert java.java_home() == older


def test_private_java_is_the_last_resort(tmp_path):
    private = install(tmp_path / "private", "21.0.8")

    assert java.machine_java_home() is None
    assert java.java_home() == private


def test_missing_java_names_what_was_found(tmp_path):
    install(tmp_path / "jvm" / "java-25", "25")

    with pytest.raises(JavaMissingError, match=r"found Java 25 in .*, expected Java 17 or 21"):
        java.java_home()
