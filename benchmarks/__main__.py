"""`make bench`: run the benchmarks and print their figures, one line each."""

import argparse
import platform
import statistics
import sys
from collections.abc import Sequence

from benchmarks.scoring import measure_scoring


def main(words: Sequence[str]) -> int:
    """Run, print, return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="counted runs of each (%(default)s)")
    options = parser.parse_args(words)
    machine = f"Python {platform.python_version()} on {platform.machine()}"
    print(f"{machine}, {options.runs} runs each; CPU time, median (least to most)")
    for shops in (1, 10):
        runs = [measure_scoring(shops=shops) for _ in range(options.runs)]
        cpu = sorted(run.cpu_microseconds for run in runs)
        print(
            f"scoring, batches of 100 events of {shops:2} shop(s), stored in memory: "
            f"{statistics.median(cpu):.0f} µs an event ({cpu[0]:.0f} to {cpu[-1]:.0f}), "
            f"{runs[0].calls_per_event:.3f} AWS calls an event"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
