"""The archive of the classes that Spark's Java loads at every start: Java reads it in place of hundreds of jars.

Java takes an archive only where itself and its jars are the same as when it was made, and loads classes as ever
without one (dynamic class data sharing, JEP 350). `keep_java_classes` makes it.
"""

import hashlib
from pathlib import Path

import pyspark

#: Nothing is said of an archive that cannot be used: a start without it is right, too.
_SILENT = "-Xlog:cds=off -Xlog:cds+dynamic=off"


def archive_file(folder: Path, home: Path) -> Path:
    """Where the archive for a Java and this Spark lies: it holds for the jars of one folder."""
    release, spark = (home / "release").read_bytes(), str(Path(pyspark.__file__).parent)
    named = hashlib.sha256(f"{spark}\n{pyspark.__version__}\n".encode() + release).hexdigest()[:16]
    return folder / f"spark-{named}.jsa"


def reading_options(folder: Path, home: Path) -> str:
    """The options by which Java reads the archive; empty where there is none."""
    file = archive_file(folder, home)
    return f'"-XX:SharedArchiveFile={file}" {_SILENT}' if file.is_file() else ""


def writing_options(file: Path) -> str:
    """The options by which Java writes the archive when it ends."""
    return f'"-XX:ArchiveClassesAtExit={file}" -XX:TieredStopAtLevel=1 {_SILENT}'
