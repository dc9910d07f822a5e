"""Spark's classes in one archive of Java's, made by the set-up: every job then starts seconds earlier."""

import hashlib
import os

from cli.java import java_home
from cli.paths import ROOT
from tools.commands import announced, run, say
from tools.environments import CACHE, Environment
from tools.errors import CommandFailedError
from tools.spark_jars import wanted_stamp as stamp_of_jars

TITLE = "Spark's classes in one archive"
FOLDER = CACHE / "java-classes"
LOADING_THEM = ROOT / "spark_jobs" / "session" / "keep_java_classes.py"


def are_classes_kept(environment: Environment) -> bool:
    """Whether the archive for this environment's Spark was made, or its Java makes none."""
    stamp = FOLDER / f".set-up-{environment.folder.name}"
    return stamp.is_file() and stamp.read_text() == wanted_stamp()


def keep_classes(environment: Environment) -> None:
    """Make the archive, unless it is there; the stamp is written last.

    Not every Java makes one; without it Spark starts as ever.
    """
    if are_classes_kept(environment):
        return
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "functions" / "shared")))
    settings = {**os.environ, "JAVA_HOME": str(java_home()), "PYTHONPATH": paths, "SPARK_LOCAL_IP": "127.0.0.1"}
    with announced(TITLE):
        try:
            run(TITLE, [environment.python, "-m", "spark_jobs.session.keep_java_classes", FOLDER], environment=settings)
        except CommandFailedError as error:
            say(f"{error}; jobs start without it")
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f".set-up-{environment.folder.name}").write_text(wanted_stamp())


def wanted_stamp() -> str:
    """The stamp: a hash of what the archive is made by: the loading code, the jars and the Java."""
    release = (java_home() / "release").read_bytes()
    return hashlib.sha256(LOADING_THEM.read_bytes() + stamp_of_jars().encode() + release).hexdigest()
