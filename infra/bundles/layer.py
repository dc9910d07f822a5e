"""Build a layer into a folder, trimmed and compiled: `python3 -m infra.bundles.layer Core|Scoring FOLDER`.

For the functions' runtime, whatever Python runs this; for the interpreter that LAYER_PYTHON names, if it is set
(the embedded AWS runs functions under its own).
"""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Layer:
    """The lock file of a layer's packages, what its functions do not need of them, and whether it holds the core."""

    lock: str
    left_out: tuple[str, ...] = ()
    has_core: bool = False


#: No layer needs programs, stubs for type checkers, what was compiled for another place, the installer's lock.
LEFT_OUT = ("bin", ".lock", "**/*.pyi", "**/__pycache__")

#: Layer → what is in it; its resource is named after it.
LAYERS = {
    "Core": Layer("function.txt", has_core=True),
    "Scoring": Layer(
        "scoring.txt",
        (  # inference needs no training tools, no second copy of the library, no files of converters
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
        ),
    ),
}


def build_layer(name: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Fill `folder`/python, the place that the runtime puts on its path."""
    if name not in LAYERS:
        raise MachineError(f"found layer {name}, expected one of {', '.join(LAYERS)}")
    layer = LAYERS[name]
    packages = folder / "python"
    make(BOOTSTRAP)
    command: list[str | Path] = [BOOTSTRAP.folder / "bin" / "uv", "pip", "install", "--target", packages]
    command += target_options(environment)
    command += ["--only-binary", ":all:", "--require-hashes", "--link-mode", "copy"]
    command += ["-r", REQUIREMENTS / layer.lock]
    title = f"packages of layer {name}"
    try:
        run(title, [*command, "--offline"], environment=uv_settings())
    except CommandFailedError:  # the same packages by their hashes, but the set-up has not brought them all
        run(title, command, environment=uv_settings())
    remove(packages, (*LEFT_OUT, *layer.left_out))
    if layer.has_core:
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
        build_layer(sys.argv[1], Path(sys.argv[2]), os.environ)
    except MachineError as error:
        sys.exit(f"layer: {error}")
