"""Build the layer into a folder: all that functions import, trimmed and compiled (`python3 -m infra.bundles.layer`).

For the functions' runtime, whatever Python runs this; for the interpreter that LAYER_PYTHON names, if it is set
(the embedded AWS runs functions under its own).
"""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from cli.machine_errors import MachineError
from cli.paths import ROOT
from infra.bundles.aws_calls import keep_calls
from infra.bundles.compiled_modules import compile_modules, find_python
from tools.commands import run, say
from tools.environments import BOOTSTRAP, REQUIREMENTS, make, uv_settings
from tools.errors import CommandFailedError

CORE = ROOT / "functions" / "shared" / "service_quality"
RUNTIME_PYTHON = "3.12"
RUNTIME_PLATFORM = "x86_64-manylinux_2_28"

# Inference does not need: training tools of onnxruntime, a second copy of its library, files of converters.
LEFT_OUT = (
    "bin",
    "google",
    "flatbuffers",
    "onnxruntime/backend",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "onnxruntime/capi/libonnxruntime.so*",
    "numpy/**/tests",
    "numpy/f2py",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/random/lib",
    "protobuf-*",
    "flatbuffers-*",
    "**/*.pyi",
    "**/__pycache__",
)


def build_layer(folder: Path, environment: Mapping[str, str]) -> None:
    """Fill `folder`/python, the place that the runtime puts on its path."""
    packages = folder / "python"
    make(BOOTSTRAP)
    command: list[str | Path] = [BOOTSTRAP.folder / "bin" / "uv", "pip", "install", "--target", packages]
    command += target_options(environment)
    command += ["--only-binary", ":all:", "--require-hashes", "--link-mode", "copy"]
    command += ["-r", REQUIREMENTS / "function.txt"]
    try:
        run("packages of the layer", [*command, "--offline"], environment=uv_settings())
    except CommandFailedError:  # the same packages by their hashes, but the set-up has not brought them all
        run("packages of the layer", command, environment=uv_settings())
    remove(packages, LEFT_OUT)
    keep_calls(packages / "botocore" / "data")
    shutil.copytree(CORE, packages / CORE.name, ignore=shutil.ignore_patterns("__pycache__"))
    interpreter = environment.get("LAYER_PYTHON") or find_python(RUNTIME_PYTHON)
    if interpreter:
        compile_modules(packages, interpreter)
    else:
        say(f"no Python {RUNTIME_PYTHON} here: the layer is not compiled, and each cold start takes longer")


def target_options(environment: Mapping[str, str]) -> list[str]:
    """The installer's arguments for the Python of the packages.

    >>> target_options({"LAYER_PYTHON": "bin/python"})
    ['--python', 'bin/python']
    """
    interpreter = environment.get("LAYER_PYTHON", "")
    if interpreter:
        return ["--python", interpreter]
    return ["--python-version", RUNTIME_PYTHON, "--python-platform", RUNTIME_PLATFORM]


def remove(folder: Path, patterns: Iterable[str]) -> None:
    """Remove what any of the patterns matches below `folder`."""
    for pattern in patterns:
        for path in list(folder.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        build_layer(Path(sys.argv[1]), os.environ)
    except MachineError as error:
        sys.exit(f"layer: {error}")
