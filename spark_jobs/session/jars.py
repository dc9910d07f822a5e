"""The jars of Iceberg and s3a: resolved once by Spark itself, stored in the project's cache, then used offline.

The set-up brings them by `python -m spark_jobs.session.jars FOLDER`; a start without jars brings them itself.
"""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pyspark

from cli.locks import in_turn
from spark_jobs.errors import SessionError

ICEBERG = "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.1"
AWS_VERSION = "2.29.52"
PACKAGES = (
    ICEBERG,
    "org.apache.hadoop:hadoop-aws:3.4.1",
    *(
        f"software.amazon.awssdk:{part}:{AWS_VERSION}"
        for part in ("s3", "s3-transfer-manager", "sts", "apache-client", "netty-nio-client")
    ),
)
#: All of AWS in one jar of half a gigabyte, which hadoop-aws asks for and the parts above replace.
EXCLUDED = "software.amazon.awssdk:bundle"

_FAILURE = re.compile(r"PKIX|UnknownHost|unresolved dependency|Connection refused|timed out|not found|No space left")


def resolved_jars(cache: Path) -> list[Path]:
    """The jars below `cache`, resolved there first if missing; SessionError when they cannot be resolved."""
    kept = _kept_jars(cache)
    if kept:
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with in_turn(cache / "lock", "jars of Spark"):  # two first starts resolve once
        return _kept_jars(cache) or _resolve(cache)


def _kept_jars(cache: Path) -> list[Path]:
    """The jars of an earlier, complete resolution of the same packages; empty when there is no such resolution."""
    stamp = cache / _stamp_name()
    if not stamp.is_file():
        return []
    names = [line.rsplit(" ", 1) for line in stamp.read_text().splitlines()]
    jars = [cache / "jars" / name for name, _ in names]
    whole = all(jar.is_file() and jar.stat().st_size == int(size) for jar, (_, size) in zip(jars, names, strict=True))
    return jars if whole else []


def _resolve(cache: Path) -> list[Path]:
    """Let Spark resolve the packages: it submits an application that does nothing."""
    for old in (*cache.glob("jars/*.jar"), *cache.glob("resolved-*")):
        old.unlink()
    nothing = Path(__file__).with_name("__init__.py")
    command = [
        str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--master", "local[1]",
        "--packages", ",".join(PACKAGES), "--exclude-packages", EXCLUDED,
        "--conf", f"spark.jars.ivy={cache}", str(nothing),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_GATEWAY")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    jars = sorted(cache.glob("jars/*.jar"))
    if done.returncode or not jars:
        raise SessionError(f"Iceberg and s3a could not be resolved: {_reason(done.stderr + done.stdout)}")
    stamp = cache / _stamp_name()
    partial = stamp.with_suffix(".partial")
    partial.write_text("".join(f"{jar.name} {jar.stat().st_size}\n" for jar in jars))
    partial.rename(stamp)
    return jars


def _stamp_name() -> str:
    wanted = "\n".join([*PACKAGES, EXCLUDED])
    return f"resolved-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if _FAILURE.search(line)] or lines[-1:] or ["no output"]
    return f"found '{telling[0][:200]}', expected a Maven repository that answers (needed once, then cached)"


if __name__ == "__main__":
    try:
        resolved_jars(Path(sys.argv[1]))
    except SessionError as error:
        sys.exit(str(error))
