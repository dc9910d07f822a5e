"""The long simulation: schedules drawn from a seed, played by as many processes as there are cores.

Hypothesis plays the same moves before the same judges in the short run of the test suite; its engine would take most of
the time of 100,000 schedules, so here a seed draws them. Whatever fails is printed with its seed and number, made
smaller, and ends the command with 1.
"""

import argparse
import sys
import time

from tests.simulation.runs import Played, explain, play_all, summary

_SHOWN = 3
_REPORT_EVERY = 15.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000, help="how many (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="what the schedules are drawn from (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first schedule (%(default)s)")
    options = parser.parse_args(arguments)
    total, began, reported = Played(), time.monotonic(), time.monotonic()
    indexes = range(options.first, options.first + options.schedules)
    for played in play_all(options.seed, indexes, workers=options.workers):
        total.add(played)
        for index, violation in sorted(played.violations.items()):
            print(f"schedule {index}: {violation}", file=sys.stderr)
        if time.monotonic() - reported > _REPORT_EVERY or total.schedules == options.schedules:
            reported = time.monotonic()
            pace = total.schedules / (reported - began)
            left = (options.schedules - total.schedules) / pace / 60
            print(
                f"{total.schedules:,} schedules, {len(total.violations)} violations, {pace:.0f} a second, "
                f"{left:.0f} minutes left",
                file=sys.stderr,
            )
    for index in sorted(total.violations)[:_SHOWN]:
        print(f"{total.violations[index]}\n  {explain(options.seed, index)}", file=sys.stderr)
    print(summary(total))
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
