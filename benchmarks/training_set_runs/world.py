"""A synthetic world of a given size in a lake, and the instant at which it ends."""

import argparse
from pathlib import Path

from benchmarks.process_usage import print_numbers
from service_quality.instants import DAY, format_instant, parse_instant
from spark_jobs import generate_shop
from spark_jobs.lake.tables import read_events
from spark_jobs.session.start import start_session

SHOPS, DAYS = 4, 120
#: Messages, visits, orders and ratings about a contact, as the world is made.
EVENTS_OF_A_CONTACT = 13.7
_START = "2025-03-03"
AS_OF = format_instant(parse_instant(f"{_START}T00:00:00Z") + DAYS * DAY)


def main() -> None:
    """Write the world, print how many events it has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake", type=Path)
    parser.add_argument("events", type=int)
    options = parser.parse_args()
    contacts = max(1, round(options.events / (EVENTS_OF_A_CONTACT * SHOPS * DAYS)))
    spark = start_session("world", str(options.lake))
    size = ("--shops", str(SHOPS), "--new-shops", "0", "--days", str(DAYS), "--contacts-per-day", str(contacts))
    generate_shop.main([*size, "--start", _START, "--lake", str(options.lake)])
    events = read_events(spark).count()
    spark.stop()
    print_numbers({"events": events})


if __name__ == "__main__":
    main()
