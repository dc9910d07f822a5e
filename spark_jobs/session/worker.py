"""What a Python worker of Spark does once: it serves hundreds of short tasks, and pays before and after each.

Before each task Spark drops the caches of imports, for which zipimport reads the directory of every archive on the path
again (CPython issue 103200, open in Python 3.11), those of pyspark and of this code; after each it collects garbage
among all objects that live. On a cluster that was nine tenths of a worker's time (ADR 49).
"""

import gc
import sys
from zipimport import zipimporter


class UnchangingArchive(zipimporter):
    """Imports from an archive that stays as it is while the process lives."""

    def invalidate_caches(self) -> None:
        """Keep the directory of the archive."""


def is_worker() -> bool:
    """Whether this process serves tasks."""
    return "pyspark.worker" in sys.modules


#: Little of what a task makes is garbage of cycles: Python's own thresholds cost a sixth of a fold's time.
COLLECTIONS = 100_000, 50, 100


def settle() -> None:
    """Keep what is loaded by now out of every later collection, and the directories of archives as they are."""
    for path, finder in sys.path_importer_cache.items():
        if type(finder) is zipimporter:
            sys.path_importer_cache[path] = UnchangingArchive(path)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
