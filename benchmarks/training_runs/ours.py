"""The product's training on a file of rows: ranges, basis, scaling and the final fit with one L2 penalty, by MLlib."""

import argparse
import time
from pathlib import Path

from benchmarks.process_usage import print_numbers
from service_quality.features.basis import basis_of
from service_quality.features.feature_set import FEATURES
from service_quality.tasks.declared_tasks import DISSATISFACTION
from spark_jobs.learning.learnt_ranges import learn_ranges
from spark_jobs.learning.linear_training import fit_linear, scaled_rows, training_rows
from spark_jobs.learning.model_selection import mean_log_loss
from spark_jobs.learning.term_scaling import coefficient_bounds, fit_scaling
from spark_jobs.session.start import start_session


def main() -> None:
    """Fit, judge on the same rows, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("l2", type=float)
    options = parser.parse_args()
    spark = start_session("training", str(options.rows.parent / "lake"))
    start = time.perf_counter()
    given = training_rows(spark.read.parquet(str(options.rows)))
    terms, learnt = basis_of(FEATURES), learn_ranges(given, FEATURES)
    scaling = fit_scaling(given, FEATURES, terms, learnt)
    rows = scaled_rows(given, FEATURES, terms, learnt.ranges, scaling)
    model = fit_linear(rows, options.l2, coefficient_bounds(DISSATISFACTION, terms, scaling))
    seconds = time.perf_counter() - start
    log_loss = mean_log_loss(rows, model)
    iterations = model.summary.totalIterations
    spark.stop()
    print_numbers({"seconds": seconds, "log_loss": log_loss, "iterations": iterations})


if __name__ == "__main__":
    main()
