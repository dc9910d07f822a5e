"""The jars that Spark takes beside its own, brought by the set-up, so that no job waits for them or for a network."""

import hashlib
import os

from cli.java import java_home
from cli.paths import ROOT
from tools.commands import announced, run
from tools.environments import CACHE, Environment

TITLE = "Iceberg and s3a for Spark"
JARS = CACHE / "ivy"
STAMP = JARS / ".set-up-whole"
NAMING_THEM = ROOT / "spark_jobs" / "session" / "jars.py"


def are_jars_whole() -> bool:
    """Whether all jars of that module's present names are there."""
    return STAMP.is_file() and STAMP.read_text() == wanted_stamp()


def bring_jars(environment: Environment) -> None:
    """Let that module resolve them with the environment's Spark, unless they are there; the stamp is written last."""
    if are_jars_whole():
        return
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "functions" / "shared")))
    settings = {**os.environ, "JAVA_HOME": str(java_home()), "PYTHONPATH": paths}
    with announced(TITLE):
        run(TITLE, [environment.python, "-m", "spark_jobs.session.jars", JARS], environment=settings)
        STAMP.write_text(wanted_stamp())


def wanted_stamp() -> str:
    """The stamp: a hash of the names of the jars."""
    return hashlib.sha256(NAMING_THEM.read_bytes()).hexdigest()
