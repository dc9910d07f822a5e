"""The samples of exports, each with what a careful person reads in it, and other small files made for a test."""

import json
from pathlib import Path

from service_quality.events.event_forms import event_to_dict
from service_quality.instants import parse_instant
from spark_jobs.sources.beginnings import read_beginning
from spark_jobs.sources.cells import Context
from spark_jobs.sources.headers import Overrides
from spark_jobs.sources.mapping_file import load_mapping
from spark_jobs.sources.row_values import Given

SAMPLES = Path(__file__).parents[2] / "fixtures" / "exports"
UNTIL = parse_instant("2026-11-01T00:00:00Z")
DERIVED = ("version", "event_id", "shop_id", "received_at", "courtesy", "search_term")


def given_for(source, *, zone=None, currency=None, values=None):
    """What the caller gives."""
    return Given("shop", values or {}, Context(zone or source.zone, currency or source.currency, UNTIL))


def read_files(mapping, paths, *, zone=None, currency=None, values=None, overrides=None):
    """The beginning of files, by a mapping that comes along."""
    source = load_mapping(mapping)
    if overrides is not None:
        source = source._replace(resources=tuple(overrides.applied(one) for one in source.resources))
    given = given_for(source, zone=zone, currency=currency, values=values)
    return read_beginning(paths, source, given, most=10_000)


def expected_of(name):
    """What a careful person reads in a sample."""
    return json.loads((SAMPLES / name / "expected.json").read_text("utf-8"))


def read_sample(name):
    """What comes of a sample's rows; files in GB18030 say so in their name."""
    arguments = expected_of(name)["arguments"]
    said = {"zone": arguments["time_zone"], "currency": arguments["currency"], "values": arguments["given"]}
    paths = sorted(path for path in (SAMPLES / name).iterdir() if path.name != "expected.json")
    packed = [path for path in paths if "gb18030" in path.name]
    outcomes = read_files(name, [path for path in paths if path not in packed], **said).outcomes
    for path in packed:
        outcomes += read_files(name, [path], overrides=Overrides(encoding="gb18030"), **said).outcomes
    return outcomes


def described(event, *, without=()):
    """An event as a sample describes it."""
    return {name: value for name, value in event_to_dict(event).items() if name not in (*DERIVED, *without)}


def sorted_texts(events):
    """Events in an order that none of their own decides."""
    return sorted(json.dumps(event, sort_keys=True, ensure_ascii=False) for event in events)
