"""Compiled modules in a bundle: its folder is read-only, so without them each cold start would compile it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.commands import run

PLACE = "/opt/python"  # where the runtime finds the layer
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def find_python(version: str) -> str:
    """An interpreter of a version: our own, one on the path, or one of pyenv's; empty where there is no such one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    candidates = [sys.executable, *([on_path] if on_path else []), *map(str, pyenv.glob(f"{version}.*/bin/python"))]
    for candidate in candidates:
        done = subprocess.run([candidate, "-c", _VERSION], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return ""


def compile_modules(packages: Path, interpreter: str) -> None:
    """Put compiled modules beside their sources, unchecked against them: a bundle stores no times."""
    command: list[str | Path] = [interpreter, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    run("compiled modules", [*command, "-s", packages, "-p", PLACE, packages], environment=os.environ)
