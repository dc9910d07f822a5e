"""The uploaded bundles: small enough, complete, and without the libraries that only training needs."""

import ast
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.bundles.compiled_modules import find_python
from infra.bundles.layer import RUNTIME_PYTHON, build_layer
from tests.infrastructure.templates import FUNCTIONS, ROOT, app_tree, folder

MOST_BYTES = 50_000_000
TRAINING_ONLY = ("pyspark", "pandas", "sklearn", "skl2onnx", "pyarrow")

# With -I only the folders named here are found, not this checkout or its environment.
IMPORT_ALL = """
import importlib, json, sys
sys.path[:0] = sys.argv[2:]
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps([name for name in sys.modules if "." not in name]))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def layer(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("layer")
    build_layer(target, {})
    return target


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter of the functions' version."""
    return find_python(RUNTIME_PYTHON) or pytest.skip(f"no Python {RUNTIME_PYTHON} on this machine")


def zipped_bytes(*folders: Path) -> int:
    target = folders[0].parent / "bundle.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        for source in folders:
            for path in source.rglob("*"):
                bundle.write(path, path.relative_to(source))
    return target.stat().st_size


def test_layer_and_function_stay_small(layer):
    largest = max((folder(function) for function in FUNCTIONS), key=lambda path: (path / "app.py").stat().st_size)

    assert zipped_bytes(layer, largest) < MOST_BYTES


def test_layer_holds_nothing_of_training(layer):
    assert not [name for name in TRAINING_ONLY if (layer / "python" / name).exists()]


def test_layer_holds_the_present_core(layer):
    core = ROOT / "functions" / "shared" / "service_quality"
    sources = {path.relative_to(core): path.read_bytes() for path in core.rglob("*.py")}
    bundled = layer / "python" / "service_quality"

    assert {path.relative_to(bundled): path.read_bytes() for path in bundled.rglob("*.py")} == sources


def test_layer_is_compiled_for_the_runtime_and_says_nothing_of_this_machine(layer, python):
    tag = f"cpython-{RUNTIME_PYTHON.replace('.', '')}"
    sources = {path.stem for path in (layer / "python" / "service_quality").rglob("*.py")}
    compiled = list((layer / "python" / "service_quality").rglob(f"*.{tag}.pyc"))

    assert {path.name.removesuffix(f".{tag}.pyc") for path in compiled} == sources
    assert not [path for path in compiled if str(layer).encode() in path.read_bytes()]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_everything_a_function_imports_is_in_its_bundle(function, layer, python):
    imported = sorted(
        {node.module for node in ast.walk(app_tree(function)) if isinstance(node, ast.ImportFrom) and node.module}
    )

    command = [python, "-I", "-B", "-c", IMPORT_ALL, json.dumps(imported), layer / "python"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert not set(json.loads(done.stdout)) & set(TRAINING_ONLY)


def test_trimmed_onnxruntime_still_infers(layer, python, tmp_path):
    from tests.stand_ins.tiny_model import tiny_model

    model = tmp_path / "model.onnx"
    model.write_bytes(tiny_model())
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from array import array; from pathlib import Path\n"
        "from service_quality.adapters.onnx_model import OnnxScorer\n"
        "from service_quality.features.feature_set import FEATURES\n"
        "scorer = OnnxScorer(Path(sys.argv[1]).read_bytes(), 'tiny')\n"
        "print(scorer.score(array('f', [1.0] * len(FEATURES.names))).probability)\n"
    )

    command = [python, "-I", "-B", "-c", code, model, layer / "python"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) == pytest.approx(0.7310586, abs=1e-6)


def test_layer_can_be_built_for_the_embedded_aws(tmp_path):
    build_layer(tmp_path, {"LAYER_PYTHON": sys.executable})

    code = "import sys; sys.path.insert(0, sys.argv[1]); import onnxruntime, numpy; print(onnxruntime.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code, tmp_path / "python"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith(str(tmp_path))
