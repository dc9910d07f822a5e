"""Settings that every test needs, however pytest is started, and which tests share a process."""

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import settings

from cli.java import java_home
from cli.machine_errors import JavaMissingError

ROOT = Path(__file__).parent
CLUSTER_TESTS = ROOT / "tests" / "cluster"
SPARK_CONF = ROOT / "tests" / "spark_conf"

settings.register_profile("behaviour", deadline=None)  # a busy machine breaks no promise
settings.load_profile("behaviour")


def pytest_configure() -> None:
    """Set the environment of the tests and of the processes they start."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("SPARK_CONF_DIR", str(SPARK_CONF))
    os.environ.setdefault("SERVICE_QUALITY_RUNS", tempfile.mkdtemp(prefix="runs-"))  # cards of tests are nobody's
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "functions" / "shared")])
    try:
        os.environ["JAVA_HOME"] = str(java_home())
    except JavaMissingError as missing:
        print(f"tests marked spark will fail: {missing}", file=sys.stderr)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With pytest-xdist, keep tests that share an engine (Spark, the embedded AWS) and its preparation in one process.

    Those of one folder share both. A file of long tests prepares its own, but on a cluster, and goes to whatever
    process is free.
    """
    for item in items:
        engine = next((name for name in ("spark", "aws") if item.get_closest_marker(name)), None)
        if engine:
            is_alone = item.get_closest_marker("long") and not item.path.is_relative_to(CLUSTER_TESTS)
            place = item.path if is_alone else item.path.parent
            item.add_marker(pytest.mark.xdist_group(f"{engine} {place.relative_to(ROOT)}"))
