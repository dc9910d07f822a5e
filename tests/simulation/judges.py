"""The judges of a schedule that has ended: what was served, stored, sent and archived, against the raw log."""

import json
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Mapping

from service_quality.commit.put_back import KEEPS_ARRIVAL_FOR
from service_quality.events.control_records import control_to_dict
from service_quality.events.event_forms import event_to_dict
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.features.vectors import vector_from_bytes
from tests.oracle.bounds import fold_key
from tests.properties.naive_reader import Reading
from tests.properties.random_logs import read_record
from tests.simulation.evidence import Evidence, require
from tests.simulation.models import NamedScorer, is_cursed, is_ill
from tests.simulation.world import World

#: How a rejection is named on the archive, by what the naive reader says of the record.
_BECAME = {
    "too old": "older_than_retention",
    "full": "conversation_full",
    "conflict": "conflicting_content",
    "no policy": "wrong_policy",
    "no rules": "wrong_rules",
    "follows another": "other_revision",
    "known before": "known_revision",
    "unknown finding": "unknown_finding",
    "unknown subject": "unknown_subject",
    "no history": "no_history",
}
#: Reasons that one release finds and another one may not.
_OF_RELEASES = {"fold_failed", "item_full", "other_fold", "other_position", "wrong_rules"}
#: Kinds that change the shop alone, and that no reader of events looks at.
_NO_EVENT = ("shop_unparked", "state_rebuilt")


def judge_chain(evidence: Evidence) -> None:
    """The archive is one chain to where the shop stands, each record of the log at most once, in order."""
    positions = [entry["position"] for entry in evidence.entries]
    require(positions == sorted(set(positions)), "a record is archived twice or out of order")
    last = evidence.links[-1]["last"] if evidence.links else ""
    require(last == evidence.shop.last_position, "the archive ends where the shop does not stand")
    require(len(evidence.links) == evidence.shop.version, "the shop was written without a link, or a link without it")
    require(len(evidence.rows("archive")) == len(evidence.links), "an archive row was written twice")


def judge_records(evidence: Evidence) -> None:
    """Each record is on the chain or in the failure store; what was rejected is stored whole, and nothing else is."""
    given_up = evidence.world.stream.given_up(evidence.shop_id)
    by_position = {record.position: record for record in evidence.log}
    taken = {record.position for record in evidence.taken}
    require(len(taken) == len(evidence.entries), "the archive holds a record that was never on the log")
    unfounded = evidence.unfounded
    passed = evidence.passed_by
    lost = by_position.keys() - taken - given_up - unfounded - (passed & evidence.unreadable)
    require(not lost, f"lost records: {sorted(lost)}")
    stored, parked = evidence.rejected_records(), evidence.parked()
    first = {position: evidence.first_of(record) for position, record in by_position.items()}
    rejected = {position: reason for position, reason in evidence.rejected_reasons.items() if reason != "parked"}
    require(not rejected.keys() - stored.keys(), f"rejected but not stored: {sorted(rejected.keys() - stored.keys())}")
    aside = {first[position].position for position, reason in evidence.rejected_reasons.items() if reason == "parked"}
    require(not aside - parked.keys(), f"parked but not stored: {sorted(aside - parked.keys())}")
    require(not passed & taken, f"taken and stored as passed by: {sorted(passed & taken)}")
    _require_unfenced(evidence, stored.keys() - rejected.keys() - passed - unfounded)
    nowhere = evidence.answered - taken - passed - unfounded
    require(not nowhere, f"taken by a function and nowhere: {sorted(nowhere)}")
    for position, one in stored.items():
        require(one.data in (first[position].data, by_position[position].data), "a record was stored with other bytes")
        reasons = {one.reason, rejected.get(position, one.reason)}
        is_other = len(reasons) > 1
        evidence.world.count("stored with another reason", is_other)
        # The archive's reason is true. A worker whose batch lacks records that were given up judges behind others, and
        # some reasons depend on the release.
        may_differ = bool(given_up) or reasons & _OF_RELEASES
        require(not is_other or bool(may_differ), f"stored for another reason than the archive's: {position}")
    _require_first_arrivals(evidence, by_position)
    sent: dict[str, set[bytes]] = defaultdict(set)
    for original in first.values():
        sent[original.position].add(original.data)
    for position, aside_record in parked.items():
        require(aside_record.data in sent[position], "a record was parked with other bytes")


def _require_first_arrivals(evidence: Evidence, by_position: Mapping[str, LogRecord]) -> None:
    """A record put back within a week has its first content and arrival."""
    for record in by_position.values():
        first = evidence.first_of(record)
        original = by_position.get(first.position)
        if first is record or original is None:
            continue
        if record.arrived_at - evidence.first_of(original).arrived_at > KEEPS_ARRIVAL_FOR:
            continue
        says, said = (evidence.outcome_of(one) for one in (record, original))
        require(says == said, f"came back otherwise than it was: {record.position}")


def _require_unfenced(evidence: Evidence, unmarked: set[str]) -> None:
    """Bytes are stored before the transaction that rejects them. Stored without an entry is only what none landed for.

    An attempt whose set was torn, or that goes on behind records which were given up, may reject what the one that
    overtakes it takes; only the commit is fenced. Once it lands a transaction that goes so far, its rejections count.
    """
    outside, item_key = evidence.world.outside, f"{evidence.shop_id}\x1fshop"
    for stored in (
        one for one in outside.landed_rejections if one.shop_id == evidence.shop_id and one.position in unmarked
    ):
        landed = [one for one in outside.journal if one.attempt is stored.attempt and one.item_key == item_key]
        require(
            all(one.last_position < stored.position for one in landed), f"stored but not rejected: {stored.position}"
        )


def judge_events(evidence: Evidence) -> None:
    """No event is folded twice, and each is folded, rejected, or in the failure store without a later copy.

    Corrections aside: an id is one event of a conversation, and another content of it takes its place there.
    """
    _, readings = evidence.read_naively
    folded = {entry["position"] for entry in evidence.entries if "event" in entry}
    taken = [(position, event) for position, event in evidence.events_on(evidence.taken) if position in folded]
    times = Counter(_one_of(event) for position, event in taken if readings[position].became != "corrected")
    twice = [event_id for (_, event_id, _), number in times.items() if number > 1]
    require(not twice, f"folded twice: {twice}")
    accepted = {event.event_id for _, event in taken}
    ill = {
        position for position, event in evidence.events_on(evidence.log) if is_ill(event, evidence.world.setting.ill_of)
    }
    failed = {position for position, reason in evidence.rejected_reasons.items() if reason == "fold_failed"}
    require(not failed - ill, f"sound records rejected as failing: {sorted(failed - ill)}")
    aside = ("parked", "fold_failed")
    ends = {entry["position"]: entry.get("rejected", "parked") not in aside for entry in evidence.entries}
    imported = {event.event_id for one in evidence.backfills.values() for event in one.events}
    copies: dict[str, list[str]] = defaultdict(list)
    for position, event in evidence.events_on(evidence.log):
        copies[event.event_id].append(position)
    for event_id, positions in copies.items():
        rejected = any(ends.get(position, False) for position in positions)
        waits = any(position not in ends for position in positions)
        known = event_id in accepted or event_id in imported
        require(known or rejected or waits, f"lost event: {event_id}")


def _one_of(event: InteractionEvent) -> tuple[str, str, int | None]:
    """What is the same for two records of one event; a stamp ahead of all arrivals is a new one at each."""
    return fold_key(event), event.event_id, event.occurred_at if event.stated_at is not None else None


def judge_served(evidence: Evidence) -> None:
    """Outcome, clock and features of each record equal, bit for bit, those of the naive reader."""
    _, readings = evidence.read_naively
    records = {record.position: record for record in evidence.taken}
    for entry in evidence.entries:
        reading = readings.get(entry["position"])
        if reading is None:
            control = entry.get("event", {}).get("kind") in _NO_EVENT
            require(control or bool(entry.keys() & {"rejected", "duplicate"}), f"folded what cannot be read: {entry}")
            continue
        expected = "accepted" if reading.became in ("corrected", "reached") else reading.became
        require(_became(entry) == expected, f"expected {reading.became}, found {entry}")
        if expected == "accepted":
            _require_served(evidence, entry, reading, records[entry["position"]])


def _require_served(evidence: Evidence, entry: dict, reading: Reading, record: LogRecord) -> None:
    read = read_record(record, evidence.shop_id)
    archived = event_to_dict(read) if isinstance(read, InteractionEvent) else control_to_dict(read)
    require(entry["event"] == archived, f"another event than on the log: {entry}")
    require(entry["clock"] == reading.clock, f"expected the clock {reading.clock}: {entry}")
    served = b64decode(entry["vector"]) if "vector" in entry else None
    require(served == reading.vector, f"served another vector than the naive reader: {entry}")
    cursed = served is not None and is_cursed(served, evidence.world.setting.cursed_of)
    require(cursed == ("score_failed" in entry), f"the model fails on a vector, or says nothing of it: {entry}")
    require(("score" in entry) == (served is not None and not cursed), f"found a score, expected no score: {entry}")
    if served is not None and not cursed:
        said = NamedScorer(entry["model"]).score(vector_from_bytes(served)).probability
        require(entry["score"] == said, f"the score is not that of the model on this vector: {entry}")
    _require_tasks(evidence, entry, reading)


def _require_tasks(evidence: Evidence, entry: dict, reading: Reading) -> None:
    """The customer whom an event names is scored behind it, by the model of the attempt."""
    found = entry.get("tasks", {})
    vectors = {name: b64decode(one["vector"]) for name, one in found.items()}
    require(vectors == reading.tasks, f"scored another customer, or by another vector than the naive reader: {entry}")
    for name, vector in vectors.items():
        one, cursed = found[name], is_cursed(vector, evidence.world.setting.cursed_of)
        require(cursed != ("score" in one), f"the model of a task fails on a vector, or says nothing of it: {entry}")
        if not cursed:
            said = NamedScorer(one["model"]).score(vector_from_bytes(vector)).probability
            require(one["score"] == said, f"the score is not that of the task's model on this vector: {entry}")


def judge_folds(evidence: Evidence) -> None:
    """State goes from one version of the fold to another by a rebuild alone, and only its own version folds on it."""
    in_force = ""
    for link, attempt in zip(evidence.links, evidence.attempts, strict=True):
        kinds = {entry["event"]["kind"] for entry in link["entries"] if "event" in entry}
        is_rebuild = "state_rebuilt" in kinds
        in_force = link["fold_version"] if is_rebuild or not in_force else in_force
        require(link["fold_version"] == in_force, "the state came to another fold without a rebuild")
        require(not kinds or attempt.fold == in_force, f"folded by {attempt.fold} on the state of {in_force}")


def judge_alerts(world: World) -> None:
    """Each alert was sent at least once, all copies with one content, those of one subject first sent in order."""
    bodies: dict[str, str] = {}
    first: dict[str, list[str]] = defaultdict(list)
    for body in world.outlets.published:
        alert = json.loads(body)
        if alert["message_id"] not in bodies:
            first[alert["alert_id"]].append(alert["message_id"])
        require(bodies.setdefault(alert["message_id"], body) == body, f"two contents of {alert['message_id']}")
    committed: dict[str, list[str]] = defaultdict(list)
    lives: dict[str, list[str]] = defaultdict(list)
    for shop_id in world.shops:
        for (_, sequence), data in Evidence(world, shop_id).rows("alert"):
            alert = json.loads(data)
            lives[alert["alert_id"]].append(alert["state"])
            require(alert["message_id"].endswith(sequence), "a row is not keyed by its message")
            require(bodies.get(alert["message_id"]) == data.decode(), f"not sent as committed: {alert['message_id']}")
            committed[alert["alert_id"]].append(alert["message_id"])
    require(first == committed, f"first sent {dict(first)}, committed {dict(committed)}")
    for messages in committed.values():
        require(messages == sorted(set(messages)), f"messages out of order: {messages}")
    for shop_id in world.shops:
        _require_lives(lives, [json.loads(data) for data in dict(Evidence(world, shop_id).rows("state")).values()])


def _require_lives(lives: Mapping[str, list[str]], rows: list[dict]) -> None:
    """An alert is opened once and over once, and its row is over where its last message says so, or where none does."""
    for changes in lives.values():
        first, *later = changes
        require(first in ("opened", "worsened"), f"an alert begins as {first}")
        require("opened" not in later, f"an alert is opened twice: {changes}")
        require("resolved" not in changes[:-1], f"an alert goes on after its end: {changes}")
    for row in rows:
        told = lives.get(row["alert_id"], [])
        require(bool(told) == (row["state"] != "silent"), f"a row that is {row['state']} of an alert with {told}")
        is_over = told[-1:] == ["resolved"]
        require(is_over == (row["state"] == "resolved"), f"a row that is {row['state']} of an alert with {told}")


def _became(entry: dict) -> str:
    for unchanged in ("duplicate", "silent"):
        if entry.get(unchanged):
            return unchanged
    names = {reason: name for name, reason in _BECAME.items()}
    return names.get(entry["rejected"], "rejected") if "rejected" in entry else "accepted"
