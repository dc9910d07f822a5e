"""A corrected export, brought in after the first one counted: from there on it is served as if it had come first."""

import json
from array import array
from base64 import b64decode
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from service_quality.commit.state_items import decode_pack, decode_part
from service_quality.conversations.description import describe_conversation
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, MINUTE, parse_instant
from spark_jobs import check_consistency, import_events, materialize_histories
from spark_jobs.command_line import run_job
from tests.integration.contact_export import write_export
from tests.parity.archive_folder import write_archive
from tests.parity.functions_side import TARGET, FunctionsSide

pytestmark = [pytest.mark.spark, pytest.mark.long]

SHOP = "shop"
NOW = parse_instant("2023-08-04T08:00:00Z")
CONTACTS = [f"c-{number}" for number in range(6)]
FIRST = [{"Unique id": one, "CSAT Score": "5"} for one in CONTACTS]
#: Every third as it was; of the others rating, answer and kind of issue are others, and a contact had no rating.
LATER = [
    one
    if number % 3 == 2
    else one | {"CSAT Score": "1", "issue_responded": "01/08/2023 18:47", "category": "Complaint"}
    for number, one in enumerate(FIRST)
]


def asked(event_id: str, at: int) -> InteractionEvent:
    """A message of a contact of the kind that was corrected, to the agent whose contacts were."""
    return InteractionEvent(
        event_id=event_id, shop_id=SHOP, kind="customer_message", occurred_at=at, received_at=at,
        conversation_id=event_id, agent_id="Ann Example", category="Complaint", subcategory="Reverse pickup",
    )  # fmt: skip


class Shop:
    """A shop's lake, and the functions' side."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lake, self.side = folder, folder / "lake", FunctionsSide(NOW)
        self.archives = 0
        folder.mkdir()

    def import_export(self, rows: list[dict[str, str]], *options: str) -> dict:
        export = write_export(self.folder / f"contacts{len(options)}.csv", *rows)
        argv = [str(export), "--mapping", "contacts", "--shop", SHOP, "--time-zone", "UTC", *options]
        return self._run(import_events, [*argv, "--lake", str(self.lake)])

    def materialize(self) -> dict:
        argv = ["--as-of", "2023-08-05", "--archive", str(self.archive()), *TARGET, "--lake", str(self.lake)]
        with self.side.takes_imports():
            return self._run(materialize_histories, argv)

    def serve(self, event: InteractionEvent) -> dict[str, float]:
        """The features that the functions compute at an event."""
        self.side.logs[SHOP].append(event_to_json(event))
        self.side.serve()
        entries = [entry for link in self.side.links() for entry in link["entries"] if "vector" in entry]
        (served,) = (entry for entry in entries if entry["event"]["event_id"] == event.event_id)
        return dict(zip(FEATURES.names, array("f", b64decode(served["vector"])), strict=True))

    def check(self) -> dict:
        return self._run(check_consistency, [str(self.archive()), "--lake", str(self.lake)])

    def archive(self) -> Path:
        self.archives += 1
        links = self.side.links()
        return write_archive(self.folder / f"archive{self.archives}", links) if links else self.folder / "nothing"

    def _run(self, job, argv: list[str]) -> dict:
        summary = self.folder / "summary.json"
        assert run_job(job.main, [*argv, "--json", str(summary)]) == 0
        return json.loads(summary.read_text("utf-8"))


class Corrected(NamedTuple):
    """A shop whose export was corrected: summaries of that, and the features served before and after it."""

    shop: Shop
    before: dict[str, float]
    imported: dict
    materialized: dict
    after: dict[str, float]


@pytest.fixture(scope="module")
def corrected(tmp_path_factory) -> Corrected:
    """The first export, counted and served; then the later one, in its place."""
    shop = Shop(tmp_path_factory.mktemp("corrected") / "shop")
    shop.import_export(FIRST)
    shop.materialize()
    before = shop.serve(asked("before", NOW - DAY))
    imported = shop.import_export(LATER, "--later-export", "correct")
    materialized = shop.materialize()
    after = shop.serve(asked("after", NOW - MINUTE))
    return Corrected(shop, before, imported, materialized, after)


def test_what_was_corrected_is_a_difference_of_its_own(corrected):
    assert (corrected.imported["differing_events"], corrected.imported["corrected_events"]) == (12, 12)
    assert (corrected.materialized["events"], len(corrected.materialized["imports"])) == (12, 1)
    packs = [decode_pack(data) for data in corrected.shop.side.packs[1].values()]
    parts = {key: decode_part(data, SHOP) for pack in packs for key, data in pack.items() if key.startswith("contact")}
    described: list[dict[str, Any]] = [describe_conversation(part.after) for part in parts.values()]
    assert len(described) == 4
    rounds = [one["rounds"][0] for one in described]
    assert {(one["rating"], one["dissatisfied"], one["first_response_ms"]) for one in rounds} == {
        (1, True, (7 * 60 + 34) * MINUTE)
    }


def test_corrected_past_is_served_as_if_it_had_come_first(corrected, tmp_path):
    right = Shop(tmp_path / "shop")
    right.import_export(LATER)
    right.materialize()
    right.serve(asked("before", NOW - DAY))

    assert str(corrected.after) == str(right.serve(asked("after", NOW - MINUTE)))  # a missing value equals itself
    assert corrected.before["agent_dissatisfied_rate_30d"] < corrected.after["agent_dissatisfied_rate_30d"]
    assert corrected.before["category_dissatisfied_rate_30d"] < corrected.after["category_dissatisfied_rate_30d"]


def test_nothing_differs_between_what_was_served_around_a_correction_and_what_is_recomputed(corrected):
    found = corrected.shop.check()

    assert (found["mismatched"], found["missing"], found["extra"], found["chain"]) == (0, 0, 0, "whole")
    assert found["compared"] == 2 * (len(FEATURES.names) + 1)
