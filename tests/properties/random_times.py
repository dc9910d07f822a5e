"""Random records of time reached: right ones by the oracle's deadlines, and those from which nothing may follow."""

import json
from dataclasses import dataclass, field, replace

from service_quality.events.control_signatures import is_signed, sign_control
from service_quality.events.time_reached import TimeReached
from service_quality.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from tests.oracle import entries as oracle
from tests.oracle.deadlines import deadline
from tests.properties.naive_reader import NaiveReader
from tests.properties.random_oddities import Choosing
from tests.stand_ins.control import KEY

#: The stages that the records name.
STAGES = (
    "waiting_ms:180000", "waiting_ms:1", "waited_share:1", "waited_share:0.333", "waiting_ms:1800000",
    "waited_share:0.75", "waited_share:2.5", "waiting_ms:86400000",
)  # fmt: skip
NO_STAGES = ("waiting_ms:90000", "waiting_ms", "waited_share:often", "waiting_days:1", "clock:0", "clock:1e12")
KINDS = (
    *("right",) * 6, *("later",) * 4, *("again", "late", "another stage") * 2, "early", "unsigned", "wrong turn",
    "wrong round", "wrong instant", "wrong stage", "wrong conversation",
)  # fmt: skip
GRACE = SECOND
#: Instants of the clock, so long after the latest arrival: some of them past, and the last beyond any silence.
CLOCKS_AHEAD = (0, 1, HOUR, -MINUTE, 2 * DAY, 40 * DAY)


def oracle_time(record: TimeReached) -> oracle.TimeReached:
    """The record as the oracle reads it."""
    return oracle.TimeReached(record.conversation_id, record.round, record.turn, record.stage, record.due_at)


def time_in(data: bytes) -> TimeReached | None:
    """The record of time in a record of the log that is signed by the right key."""
    try:
        form = json.loads(data)
        is_one = form["kind"] == TimeReached.kind and is_signed(form, KEY)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not is_one:
        return None
    names = ("shop_id", "conversation_id", "round", "turn", "stage")
    return TimeReached(**{name: form[name] for name in names}, due_at=parse_instant(form["due_at"]))


def aimed(record: TimeReached, reader: NaiveReader) -> TimeReached:
    """A record that the conversation of another one reaches its stage, by all that a reader has read; else that one."""
    story = reader.story(reader.holds(_key(record.conversation_id), received_clock=reader.received_clock)[0])
    found = deadline(story, record.stage)
    return record if found is None else _record(record.shop_id, record.conversation_id, *found)


@dataclass
class TimesWriter:
    """Writes records of time; `kept` are deadlines that may be rung later, whatever has happened by then."""

    kept: list[TimeReached] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)

    def write(self, choices: Choosing, reader: NaiveReader, shop_id: str, *, now: int) -> tuple[bytes, int]:
        """The next record and its arrival, by all that the log says so far."""
        kind = choices.of(KINDS)
        if kind == "again" and self.written:
            return choices.of(tuple(self.written[:-4:-1])), now
        record = self._record(choices, kind, reader, shop_id, now=now)
        record = _mistaken(choices, kind, record)
        arrival = max(now, record.due_at + choices.of((GRACE, 0))) if kind != "early" else now
        if kind == "late":
            arrival += choices.of((HOUR, DAY))
        self.written.append(sign_control(record, b"another key" if kind == "unsigned" else KEY, issued_at=arrival))
        return self.written[-1], arrival

    def _record(self, choices: Choosing, kind: str, reader: NaiveReader, shop_id: str, *, now: int) -> TimeReached:
        if kind == "later" and self.kept:
            return self.kept.pop(0)
        found = _deadlines(reader, shop_id)
        if not found:
            return TimeReached(shop_id=shop_id, conversation_id="c0", round=1, turn=1, stage=STAGES[0], due_at=now)
        of_one = choices.of(tuple(found))
        record = choices.of(tuple(of_one))
        if len(self.kept) < len(STAGES):
            self.kept.append(of_one[-1])
        return record


def stages_about(at: int) -> tuple[str, ...]:
    """The stages that records name about an instant."""
    return (*STAGES, *(f"clock:{at + ahead}" for ahead in CLOCKS_AHEAD))


def _deadlines(reader: NaiveReader, shop_id: str) -> list[list[TimeReached]]:
    """The deadlines of each conversation that has some, those of the latest one first."""
    found: list[list[TimeReached]] = []
    stages = stages_about(reader.received_clock)
    for key in [key for key in reader.contacts if key.startswith(_key(""))]:
        events, _ = reader.holds(key, received_clock=reader.received_clock)
        due = [deadline(reader.story(events), stage) for stage in stages]
        own = [_record(shop_id, key.removeprefix(_key("")), *one) for one in due if one is not None]
        found += [own] if own else []
    return found[::-1]


def _mistaken(choices: Choosing, kind: str, record: TimeReached) -> TimeReached:
    other = choices.of((1, -1))
    match kind:
        case "wrong turn":
            return replace(record, turn=record.turn + other or 2)
        case "wrong round":
            return replace(record, round=record.round + other or 2)
        case "wrong instant":
            return replace(record, due_at=record.due_at + other)
        case "wrong stage":
            return replace(record, stage=choices.of(NO_STAGES))
        case "another stage":
            return replace(record, stage=choices.of(STAGES))
        case "wrong conversation":
            return replace(record, conversation_id=choices.of(("c0", "c1", "c9")))
    return record


def _record(shop_id: str, conversation_id: str, due_at: int, round: int, turn: int, stage: str) -> TimeReached:
    return TimeReached(
        shop_id=shop_id, conversation_id=conversation_id, round=round, turn=turn, stage=stage, due_at=due_at
    )


def _key(conversation_id: str) -> str:
    """The key under which a reader holds a contact."""
    return f"contact\x1f{conversation_id}"
