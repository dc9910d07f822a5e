"""Start Spark with the lake's catalog: locally, on a cluster, or inside what spark-submit has started."""

import os
import re
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from py4j.protocol import Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from cli.java import java_home
from cli.machine_errors import JavaMissingError
from cli.paths import ROOT
from spark_jobs.errors import ArgumentError, SessionError
from spark_jobs.session.code_archive import write_code_archive
from spark_jobs.session.jars import resolved_jars
from spark_jobs.session.java_classes import reading_options

CATALOG = "lake"
CATALOGS = ("hadoop", "glue")
DEFAULT_MASTER = "local[2]"
#: The least partitions of a shuffle, and those on a cluster: there Spark joins small ones, by the cores that it has.
FEWEST_PARTITIONS, CLUSTER_PARTITIONS = 4, 128

_CATALOG_CLASS = "org.apache.iceberg.spark.SparkCatalog"
_CATALOG_KEY = f"spark.sql.catalog.{CATALOG}"
_EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
_EXTENSIONS_KEY = "spark.sql.extensions"
_LOOPBACK = "127.0.0.1"
_MASTER = re.compile(r"local(\[[\w*, ]+\])?|local-cluster\[\d+, *\d+, *\d+\]|spark://\S+|k8s://\S+|yarn")
_S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem"


def start_session(name: str, lake: str, catalog: str = CATALOGS[0], master: str | None = None) -> SparkSession:
    """A session whose catalog `lake` is the lake at a local folder, `s3a://` or `s3://`.

    `master` None means spark-submit's own, else SPARK_MASTER, else local[2]. In a process that has a session
    already, another one on the same Spark with this lake. SessionError says in one line why no session starts.
    """
    settings = catalog_settings(lake, catalog)
    if catalog == "glue" and not _is_submitted():
        raise ArgumentError("--catalog glue: found no Glue client here, expected spark-submit on EMR, which has one")
    if SparkContext._active_spark_context is not None:
        return _another_session(settings)
    if _is_submitted():
        SparkContext._ensure_initialized()  # from then on a SparkConf begins with the settings of spark-submit
    conf = SparkConf().setAppName(name)
    for key, value in {**usual_settings(), **storage_settings()}.items():
        conf.setIfMissing(key, value)
    conf.setAll([*required_settings(conf.get(_EXTENSIONS_KEY, "") or "").items(), *settings.items()])
    if _is_submitted():
        _add_jars_to_running_driver(conf)
    else:
        _prepare_start(conf, master or os.environ.get("SPARK_MASTER") or DEFAULT_MASTER)
    partitions = shuffle_partitions(conf.get("spark.master", "") or "")
    conf.setIfMissing("spark.sql.shuffle.partitions", str(partitions))
    session = _start(conf)
    if _is_submitted():
        session.sparkContext.setLogLevel("ERROR")
    if _has_executors_elsewhere(session.sparkContext.master or "") and not runs_from_archive():
        session.sparkContext.addPyFile(str(write_code_archive(ROOT / "build" / "code.zip")))
    return session


def catalog_settings(lake: str, catalog: str) -> dict[str, str]:
    """The Iceberg catalog `lake`: a Hadoop catalog in the folder itself, or Glue with the folder as warehouse."""
    common = {_CATALOG_KEY: _CATALOG_CLASS, f"{_CATALOG_KEY}.warehouse": warehouse(lake)}
    if catalog == "glue":
        return {**common, f"{_CATALOG_KEY}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog"}
    return {**common, f"{_CATALOG_KEY}.type": "hadoop"}


def warehouse(lake: str) -> str:
    """The lake as Spark names it: object stores as they are, local folders absolute.

    >>> warehouse("s3a://shop/lake/")
    's3a://shop/lake'
    """
    scheme = urlsplit(lake).scheme
    if scheme in ("s3", "s3a", "hdfs"):
        return lake.rstrip("/")
    if scheme not in ("", "file"):
        raise ArgumentError(f"--lake: found '{lake}', expected a folder, s3a:// or s3://")
    folder = Path(lake.removeprefix("file://")).absolute()
    if folder.exists() and not folder.is_dir():
        raise ArgumentError(f"--lake: found a file at {folder}, expected a folder")
    return str(folder)


def required_settings(extensions: str = "") -> dict[str, str]:
    """The settings that every session needs, beside the `extensions` given to spark-submit."""
    others = [name for name in extensions.split(",") if name and name != _EXTENSIONS]
    return {
        _EXTENSIONS_KEY: ",".join([_EXTENSIONS, *others]),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    }


def usual_settings() -> dict[str, str]:
    """The settings of a session wherever it runs, unless spark-submit gives others."""
    return {
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.execution.arrow.maxBytesPerBatch": str(1 << 25),  # 10,000 blocks of a log would be gigabytes
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
    }


def shuffle_partitions(master: str) -> int:
    """The partitions of a shuffle: two a core of this machine, or enough for any cluster.

    >>> shuffle_partitions("local[2]"), shuffle_partitions("local[8]"), shuffle_partitions("spark://10.0.0.7:7077")
    (4, 16, 128)
    """
    if _has_executors_elsewhere(master):
        return CLUSTER_PARTITIONS
    cores = master.removeprefix("local").strip("[]").partition(",")[0] or "1"
    return max(FEWEST_PARTITIONS, 2 * (int(cores) if cores.isdigit() else os.cpu_count() or 1))


def storage_settings() -> dict[str, str]:
    """s3:// read by s3a, and with AWS_ENDPOINT_URL the store that answers there, for executors elsewhere too."""
    settings = {
        "spark.hadoop.fs.s3.impl": _S3A,
        "spark.hadoop.fs.s3a.impl": _S3A,
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
    }
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return settings
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"
    key, secret = (os.environ.get(name, "test") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    of_clients = {name: value for name, value in os.environ.items() if name.startswith("AWS_ENDPOINT_URL")} | {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    return (
        settings
        | {f"spark.executorEnv.{name}": value for name, value in of_clients.items()}
        | {
            "spark.hadoop.fs.s3a.endpoint": endpoint,
            "spark.hadoop.fs.s3a.endpoint.region": region,
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.connection.ssl.enabled": str(endpoint.startswith("https:")).lower(),
            "spark.hadoop.fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
            "spark.hadoop.fs.s3a.access.key": key,
            "spark.hadoop.fs.s3a.secret.key": secret,
        }
    )


def network_settings(master: str) -> dict[str, str]:
    """The driver's address: of this machine only for local executors; elsewhere Spark finds it.

    >>> network_settings("spark://10.0.0.7:7077")
    {}
    """
    if not _stays_here(master):
        return {}
    return {"spark.driver.host": _LOOPBACK, "spark.driver.bindAddress": _LOOPBACK}


def runs_from_archive() -> bool:
    """Whether this code was imported from the archive of spark-submit's --py-files."""
    return not ROOT.is_dir()


def jar_cache() -> Path:
    """The folder of the jars: below the checkout; below the working folder where the code is an archive."""
    return (Path.cwd() if runs_from_archive() else ROOT) / ".cache" / "ivy"


def class_archives() -> Path:
    """The folder of the archives of Java's classes, beside the jars."""
    return jar_cache().with_name("java-classes")


def _prepare_start(conf: SparkConf, master: str) -> None:
    """Settings that this process needs before it starts a Java of its own."""
    if not _MASTER.fullmatch(master):
        raise ArgumentError(f"--master: found '{master}', expected local[N], spark://HOST:PORT, yarn or k8s://…")
    try:
        home = java_home()
    except JavaMissingError as error:
        raise SessionError(str(error)) from error
    os.environ["JAVA_HOME"] = str(home)
    if _stays_here(master):
        os.environ.setdefault("SPARK_LOCAL_IP", _LOOPBACK)
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    own = [str(ROOT), str(ROOT / "functions" / "shared")]
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    os.environ["PYTHONPATH"] = os.pathsep.join([*given, *(path for path in own if path not in given)])
    log_settings = Path(__file__).with_name("log4j2.properties")
    classes = reading_options(class_archives(), home)
    java_options = f"-Dlog4j2.configurationFile={log_settings.as_uri()} -Duser.timezone=UTC {classes}"
    conf.setMaster(master)
    conf.setAll(
        [
            *network_settings(master).items(),
            ("spark.driver.extraJavaOptions", java_options),
            ("spark.jars", ",".join(map(str, resolved_jars(jar_cache())))),
        ]
    )
    conf.setIfMissing("spark.driver.memory", "3g")


def _add_jars_to_running_driver(conf: SparkConf) -> None:
    """Under spark-submit Java runs already: bring the jars there, unless the platform has Iceberg."""
    jvm = SparkContext._jvm
    assert jvm is not None
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        jvm.java.lang.Class.forName(_CATALOG_CLASS, False, loader)
    except Py4JJavaError:
        jars = resolved_jars(jar_cache())
        for jar in jars:
            loader.addURL(jvm.java.net.URL(jar.as_uri()))
        given = conf.get("spark.jars", "")
        conf.set("spark.jars", ",".join([*filter(None, [given]), *map(str, jars)]))


def _start(conf: SparkConf) -> SparkSession:
    takes_interrupts = signal.getsignal(signal.SIGINT)
    try:
        SparkContext.getOrCreate(conf)
        if threading.current_thread() is threading.main_thread():  # Spark's own would call Java within another call
            signal.signal(signal.SIGINT, takes_interrupts)
        return SparkSession.builder.config(conf=conf).getOrCreate()
    except (PySparkException, Py4JJavaError, OSError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        causes = [line for line in lines if "Exception" in line or "Error" in line] or lines or ["no message"]
        raise SessionError(f"Spark did not start on {conf.get('spark.master')}: {causes[-1][:300]}") from error


def _another_session(settings: dict[str, str]) -> SparkSession:
    session = SparkSession.builder.getOrCreate().newSession()
    for key, value in settings.items():
        session.conf.set(key, value)
    return session


def _is_submitted() -> bool:
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _stays_here(master: str) -> bool:
    return master.startswith("local") or urlsplit(master).hostname in (_LOOPBACK, "localhost")


def _has_executors_elsewhere(master: str) -> bool:
    return master != "local" and not master.startswith("local[")
