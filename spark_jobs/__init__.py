"""Spark jobs: one module each, run by `python -m spark_jobs JOB` or by spark-submit."""

import sys
from pathlib import Path

from spark_jobs.session.worker import is_worker, settle

# The core is beside the functions that share it; in an archive made for a cluster it is beside this package.
sys.path.append(str(Path(__file__).parent.parent / "functions" / "shared"))

if is_worker():
    settle()
