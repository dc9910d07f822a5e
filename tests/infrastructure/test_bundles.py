"""The uploaded bundles: small enough, complete, and without the libraries that only training needs."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cli.machine_errors import MachineError
from infra.bundles.compiled_modules import find_python
from infra.bundles.layer import LAYERS, RUNTIME_PYTHON, build_layer
from tests.infrastructure.templates import FUNCTIONS, PROJECT, ROOT, Function

MOST_BYTES = 50_000_000
MOST_BYTES_WITHOUT_SCORING = 8_000_000
TRAINING_ONLY = ("pyspark", "pandas", "sklearn", "skl2onnx", "pyarrow")
SCORING_ONLY = ("numpy", "onnxruntime")
EACH = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)

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
def layers(tmp_path_factory) -> dict[str, Path]:
    """The folder of every layer, by its name in templates."""
    built = {f"{name}Layer": tmp_path_factory.mktemp(name) for name in LAYERS}
    for name, folder in built.items():
        build_layer(name.removesuffix("Layer"), folder, {})
    return built


def layers_of(function: Function, layers: dict[str, Path]) -> list[Path]:
    """The folders of the layers that a function's stack attaches."""
    return [layers[layer["Ref"].removesuffix("Arn")] for layer in function.properties["Layers"]]


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter of the functions' version."""
    return find_python(RUNTIME_PYTHON) or pytest.skip(f"no Python {RUNTIME_PYTHON} on this machine")


def zipped_bytes(*folders: Path) -> int:
    target = folders[0].parent / "bundle.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        for source in folders:
            for path in filter(Path.is_file, source.rglob("*")):
                bundle.write(path, path.relative_to(source))
    return target.stat().st_size


def test_every_layer_is_deployed_and_no_other():
    assert set(PROJECT.resources("AWS::Lambda::LayerVersion")) == {f"{name}Layer" for name in LAYERS}


def test_unknown_layer_is_refused(tmp_path):
    with pytest.raises(MachineError, match="found layer Nowhere, expected one of Core, Scoring"):
        build_layer("Nowhere", tmp_path, {})


@EACH
def test_layers_and_function_stay_small(function, layers):
    scores = {"Ref": "ScoringLayerArn"} in function.properties["Layers"]
    bundle = zipped_bytes(*layers_of(function, layers), function.folder)

    assert bundle < (MOST_BYTES if scores else MOST_BYTES_WITHOUT_SCORING)


def test_two_layers_hold_nothing_twice(layers):
    core, scoring = ({path.name for path in (folder / "python").iterdir()} for folder in layers.values())

    assert core & scoring <= {"__pycache__"}  # of modules that are one file
    assert set(SCORING_ONLY) <= scoring
    assert not [name for name in TRAINING_ONLY if name in core | scoring]


@EACH
def test_function_is_built_by_the_name_of_its_resource(function, tmp_path):
    makefile = ROOT / "infra" / "bundles" / "Makefile"
    command: list[str | Path] = ["make", "--makefile", makefile, f"build-{function.title}Function"]

    subprocess.run(command, cwd=function.folder, env={**os.environ, "ARTIFACTS_DIR": str(tmp_path)}, check=True)

    assert [path.name for path in tmp_path.iterdir()] == ["app.py"]


def test_layer_holds_the_present_core(layers):
    core = ROOT / "functions" / "shared" / "service_quality"
    sources = {path.relative_to(core): path.read_bytes() for path in core.rglob("*.py")}
    bundled = layers["CoreLayer"] / "python" / "service_quality"

    assert {path.relative_to(bundled): path.read_bytes() for path in bundled.rglob("*.py")} == sources


def test_layer_is_compiled_for_the_runtime_and_says_nothing_of_this_machine(layers, python):
    tag = f"cpython-{RUNTIME_PYTHON.replace('.', '')}"
    core = layers["CoreLayer"] / "python" / "service_quality"
    compiled = list(core.rglob(f"*.{tag}.pyc"))

    assert {path.name.removesuffix(f".{tag}.pyc") for path in compiled} == {path.stem for path in core.rglob("*.py")}
    assert not [path for path in compiled if str(layers["CoreLayer"]).encode() in path.read_bytes()]


@EACH
def test_everything_a_function_imports_is_in_its_bundle(function, layers, python):
    imported = sorted(
        {node.module for node in ast.walk(function.app) if isinstance(node, ast.ImportFrom) and node.module}
    )
    paths = [folder / "python" for folder in layers_of(function, layers)]

    command = [python, "-I", "-B", "-c", IMPORT_ALL, json.dumps(imported), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert not set(json.loads(done.stdout)) & set(TRAINING_ONLY)
    assert bool(set(json.loads(done.stdout)) & set(SCORING_ONLY)) == (len(paths) > 1)


def test_trimmed_onnxruntime_still_infers(layers, python, tmp_path):
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

    command = [python, "-I", "-B", "-c", code, model, *(folder / "python" for folder in layers.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) == pytest.approx(0.7310586, abs=1e-6)


def test_layer_knows_time_zones_where_the_machine_does_not(layers, python):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "import zoneinfo; zoneinfo.reset_tzpath(to=[])\n"
        "from service_quality.alerts.shop_settings import instant_in_words\n"
        "print(instant_in_words(1_692_872_130_000, 'Asia/Shanghai'))\n"
    )

    command = [python, "-I", "-B", "-c", code, layers["CoreLayer"] / "python"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "2023-08-24 18:15 Asia/Shanghai"


def test_layer_can_be_built_for_the_embedded_aws(tmp_path):
    build_layer("Scoring", tmp_path, {"LAYER_PYTHON": sys.executable})

    code = "import sys; sys.path.insert(0, sys.argv[1]); import onnxruntime, numpy; print(onnxruntime.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code, tmp_path / "python"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith(str(tmp_path))
