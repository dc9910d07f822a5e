"""The version that every command prints with `--version`."""

import argparse
import subprocess
import tomllib
import zipfile

from cli.paths import ROOT

OPTION = "--version"
#: The file of an archive of the code that holds the version of the checkout from which it was made.
VERSION_IN_ARCHIVE = "version.txt"


def version() -> str:
    """Name, release and, in a git checkout, the commit, as `service-quality 0.1.0 (1039f70)`.

    A checkout with changes that are not committed says so: `(1039f70-dirty)`.
    """
    if ROOT.is_file():
        with zipfile.ZipFile(ROOT) as archive:
            return archive.read(VERSION_IN_ARCHIVE).decode()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    commit = _commit()
    return f"{project['name']} {project['version']}{f' ({commit})' if commit else ''}"


def add_version(parser: argparse.ArgumentParser) -> None:
    """Give a parser the option."""
    parser.add_argument(OPTION, action=_Version, nargs=0, help="print the version and end")


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return ""
    return found.stdout.strip() if (ROOT / ".git").exists() else ""


class _Version(argparse.Action):
    """Prints the version, which is read only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(version())
        parser.exit()
