"""Random logs of a shop: each event decoded from one integer, so that drawing is quick and shrinking simple."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from hypothesis import strategies as st

from service_quality.errors import RejectedEventError
from service_quality.events.annotations import annotate
from service_quality.events.control_records import (
    POLICY,
    ControlRecord,
    HistoryImported,
    RecordPutBack,
    SettingsChanged,
)
from service_quality.events.event_forms import event_to_input, event_to_json
from service_quality.events.finding_reported import FindingReported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_record
from service_quality.events.positions import Position
from service_quality.events.time_reached import TimeReached
from service_quality.features.declarations import FeatureSet
from service_quality.instants import DAY, HOUR, MINUTE, SECOND, end_of_day, parse_instant
from tests.oracle.bounds import fold_key
from tests.oracle.entries import Found, PolicyBrought, RulesBrought
from tests.oracle.entries import TimeReached as OracleTime
from tests.properties.import_packs import Backfill, Known, build_backfill
from tests.properties.naive_reader import ImportedPast, NaiveReader
from tests.properties.random_findings import FindingsWriter, oracle_finding
from tests.properties.random_oddities import edited, with_oddities
from tests.properties.random_rules import rules_brought
from tests.properties.random_scenes import FOUND_OUT, SCENES, Scene
from tests.properties.random_settings import SettingsWriter, brought_by
from tests.properties.random_times import TimesWriter, oracle_time
from tests.stand_ins.control import control_key, record_json

Option = TypeVar("Option")
#: What a record of a random log says to the oracle.
ReadEntry = InteractionEvent | OracleTime | Found | ImportedPast | PolicyBrought | RulesBrought

START = 19_600 * DAY
#: The afternoon in Shanghai before a year whose decree is not published.
NEW_YEARS_EVE = parse_instant("2026-12-31T08:00:00Z")
SOON = (0, 0, 1, SECOND, 40 * SECOND, 3 * MINUTE, 5 * MINUTE, 5 * MINUTE, 15 * MINUTE, 20 * MINUTE)
LATER = (HOUR, HOUR, 7 * HOUR)
LONG_AFTER = (DAY, DAY, 7 * DAY, 7 * DAY, 8 * DAY, 30 * DAY, 31 * DAY, 278 * DAY)
GAPS = (*(*SOON, *LATER) * 5, *LONG_AFTER, 90 * DAY, 95 * DAY)
#: How long after a question its answer comes: to the millisecond of what is on time and what is slow, too; before it
#: where clocks differ.
ANSWERED_AFTER = (
    3 * MINUTE, 15 * MINUTE, MINUTE, 5 * MINUTE, 3 * MINUTE + 1, 15 * MINUTE + 1, 210 * SECOND, HOUR, 0, DAY,
    -20 * SECOND, -MINUTE, -MINUTE - 1, 30 * SECOND, MINUTE + 1, 4 * HOUR + 1,
)  # fmt: skip
LATENESS = (
    *(0,) * 14, 1, MINUTE, 5 * MINUTE, HOUR, 3 * HOUR, DAY, 3 * DAY, 8 * DAY, 29 * DAY, 30 * DAY, 30 * DAY + 1,
    31 * DAY, -4 * MINUTE,
)  # fmt: skip
KINDS = (
    *("customer_message", "agent_message") * 4,
    *("rated", "conversation_opened", "resolved", "assigned", "reopened", "order_placed", "page_viewed") * 2,
    *("bot_message", "internal_note", "status_changed", "complaint_filed"),
    *("suggestion_made", "searched", "cart_added", "order_cancelled", "order_returned", "stock_counted"),
)
CONTACTS = ("c0", "c0", "c0", "c1", "c1", "c2")
BEHAVIOUR = ("order_placed", "page_viewed", "searched", "cart_added", "order_cancelled", "order_returned")
DOINGS = (
    *("event",) * 17, *("answer",) * 5, *("twice", "twice", "twice later", "edited", "edited"),
    *("noise", "import", "import", "scene", "scene"), *("time",) * 5, *("finding",) * 4,
)  # fmt: skip
#: What may happen to a shop whose jobs often report.
DOINGS_WITH_FINDINGS = (
    *("event",) * 6,
    *("answer",) * 3,
    *("finding",) * 6,
    "twice",
    "edited",
    "import",
    "time",
    "found out",
)
#: What may happen to a shop that has policies.
DOINGS_WITH_SETTINGS = (*DOINGS, *("settings", "finding") * 4, *("found out",) * 3)
LARGEST = 2**64

HOSTILE: tuple[bytes, ...] = (
    b"",
    b"\xff\xfe",
    b"{",
    b"[1,2]",
    b'"text"',
    b"null",
    b"[" * 3_000,
    b'{"kind":"history_imported","shop_id":"shop","import_id":"x","clock":"9999-01-01T00:00:00Z","buckets":1,'
    b'"histories":1,"conversations":1}',
    b'{"kind":"history_imported","shop_id":"shop","import_id":"x","clock":"2023-01-01T00:00:00Z","buckets":0,'
    b'"histories":1,"conversations":1}',
    b'{"event_id":"h1","shop_id":"elsewhere","kind":"customer_message","conversation_id":"c0",'
    b'"occurred_at":"2023-09-01T00:00:00Z"}',
    b'{"event_id":"h2","shop_id":"shop","kind":"judged","conversation_id":"c0","rating":9,'
    b'"occurred_at":"2023-09-01T00:00:00Z"}',
    b'{"event_id":"h3","shop_id":"shop","kind":"customer_message","conversation_id":"c0","occurred_at":"soon"}',
    b'{"event_id":"h4","shop_id":"shop","kind":"customer_message","conversation_id":"c\\u001f0",'
    b'"occurred_at":"2023-09-01T00:00:00Z"}',
    b'{"event_id":"h5","shop_id":"shop","kind":"customer_message","conversation_id":"c0",'
    b'"occurred_at":"9999-12-31T23:59:59-12:00"}',
    b'{"text":"' + b"x" * 70_000 + b'"}',
)


class Choices:
    """Decodes an integer into choices, the first option of each from 0."""

    def __init__(self, number: int) -> None:
        self.number = number

    def of(self, options: Sequence[Option]) -> Option:
        self.number, index = divmod(self.number, len(options))
        return options[index]


@dataclass
class RandomLog:
    """One shop's log, the backfills that enter it, and their packs as the store holds them."""

    shop_id: str
    records: list[LogRecord] = field(default_factory=list)
    backfills: dict[str, Backfill] = field(default_factory=dict)

    @property
    def packs(self) -> dict[tuple[str, str], bytes]:
        return {(self.shop_id, key): data for one in self.backfills.values() for key, data in one.packs.items()}


def logs(features: FeatureSet, *, most: int = 30, shop_id: str = "shop") -> st.SearchStrategy[RandomLog]:
    """Logs of up to so many records: ties, late and early events, gaps, duplicates, noise, backfills."""
    lengths = st.integers(1, most)  # drawn by itself, since the lists that Hypothesis prefers are short
    numbers = lengths.flatmap(lambda length: st.binary(min_size=8 * length, max_size=8 * length)).map(_numbers)
    return numbers.map(lambda drawn: build_log(drawn, features, shop_id=shop_id))


def new_year_logs(features: FeatureSet, *, most: int) -> st.SearchStrategy[RandomLog]:
    """Logs as `build_new_year_log` writes them, of up to so many records."""
    lengths = st.integers(1, most)
    numbers = lengths.flatmap(lambda length: st.binary(min_size=8 * length, max_size=8 * length)).map(_numbers)
    return numbers.map(lambda drawn: build_new_year_log(drawn, features))


def build_new_year_log(numbers: Sequence[int], features: FeatureSet) -> RandomLog:
    """A log with policies and without imports that begins on the last day before a year without a decree."""
    doings = [doing for doing in DOINGS_WITH_SETTINGS if doing != "import"]
    writer = LogWriter(RandomLog("shop"), features, now=NEW_YEARS_EVE, doings=doings)
    for number in numbers:
        writer.write(number)
    return writer.log


def _numbers(drawn: bytes) -> list[int]:
    return [int.from_bytes(drawn[first : first + 8], "little") for first in range(0, len(drawn), 8)]


def build_log(numbers: Sequence[int], features: FeatureSet, *, shop_id: str = "shop") -> RandomLog:
    writer = LogWriter(RandomLog(shop_id), features)
    for number in numbers:
        writer.write(number)
    return writer.log


@dataclass
class LogWriter:
    """Writes a log record by record, as the time of its shop goes on; by default no policies."""

    log: RandomLog
    features: FeatureSet
    now: int = START
    events: list[InteractionEvent] = field(default_factory=list)
    know: Callable[["LogWriter", Choices], Known] | None = None
    scene: Scene | None = None
    doings: Sequence[str] = DOINGS
    settings: SettingsWriter = field(default_factory=SettingsWriter)
    times: TimesWriter = field(default_factory=TimesWriter)
    findings: FindingsWriter = field(default_factory=FindingsWriter)
    reader: NaiveReader = field(default_factory=lambda: NaiveReader(FeatureSet(()), scores=False))
    read: int = 0  # entries that it has read

    def write(self, number: int) -> LogRecord:
        """The record of a number, at the end of the log."""
        choices = Choices(number)
        if self.scene is not None and self.scene.goes_on:
            data = self._next_of(self.scene, choices)
        else:
            doing = choices.of(self.doings)
            self.now += choices.of(GAPS)
            if choices.of((0, 0, 0, 1)):
                self.now -= self.now % HOUR
            data = self._data(doing, choices)
        self.log.records.append(LogRecord(str(Position(1, len(self.log.records))), data, self.now))
        return self.log.records[-1]

    def _data(self, doing: str, choices: Choices) -> bytes:
        log, events, now = self.log, self.events, self.now
        if doing == "noise":
            return choices.of(HOSTILE)
        if doing == "import":
            return self._import(choices)
        if doing in ("scene", "found out"):
            steps = choices.of(SCENES if doing == "scene" else FOUND_OUT)
            self.scene = Scene(steps, now, choices.of((f"scene{len(events)}", "c0")))
            return self._next_of(self.scene, choices)
        if doing in ("settings", "finding"):
            writer = self.settings if doing == "settings" else self.findings
            return writer.write(choices, log.shop_id, now=now)
        if doing == "time":
            data, self.now = self.times.write(choices, self._reader(), log.shop_id, now=now)
            return data
        if doing.startswith("twice") and events:
            again = choices.of(events[::-1])
            return event_to_json(replace(again, received_at=now) if doing == "twice later" else again)
        if doing == "edited" and events:
            events.append(edited(choices, choices.of(events[:-7:-1]), now=now))
            return event_to_json(events[-1])
        event_id = f"{choices.of('eba')}{len(events)}"  # ties are ordered by id, and not as they came
        event = with_oddities(choices, random_event(choices, event_id, shop_id=log.shop_id, now=now))
        asked = [one for one in events[-4:] if one.conversation_id]
        events.append(self._answer(choices, event, choices.of(asked)) if doing == "answer" and asked else event)
        return event_to_json(events[-1])

    def _reader(self) -> NaiveReader:
        """A reader that has read the log so far."""
        entries = readable(self.log)
        self.reader.read(entries[self.read :])
        self.read = len(entries)
        return self.reader

    def _next_of(self, scene: Scene, choices: Choices) -> bytes:
        """The next event of a scene, once it has happened."""
        self.now = scene.arrival(self.now)
        if scene.goes_on_with_a_finding:
            scene.event_ids.append("")
            return self.findings.write_about("zoe", self.log.shop_id, now=self.now)
        drawn = random_event(choices, f"s{len(self.events)}", shop_id=self.log.shop_id, now=self.now)
        self.events.append(scene.next_event(drawn))
        return event_to_json(self.events[-1])

    def _answer(self, choices: Choices, event: InteractionEvent, asked: InteractionEvent) -> InteractionEvent:
        """The event made an agent's message in the conversation of another event, so long after it."""
        occurred_at = asked.occurred_at + choices.of(ANSWERED_AFTER)
        self.now = max(self.now, occurred_at)
        return replace(
            event,
            kind="agent_message",
            agent_id=event.agent_id or "bob",
            conversation_id=asked.conversation_id,
            occurred_at=occurred_at,
            received_at=self.now,
            precision="ms",
        )

    def _import(self, choices: Choices) -> bytes:
        """The record of a new import or, once there is one, perhaps again of the latest."""
        log = self.log
        again = choices.of((False, False, True))
        if again and log.backfills:
            return record_json([*log.backfills.values()][-1].import_record, issued_at=self.now)
        known = (self.know or know_log)(self, choices)
        drawn = past_events(choices, log, self.events, now=self.now)
        # as every import does
        candidates = [annotate(replace(event, courtesy=None, search_term=None)) for event in drawn]
        import_id, buckets = f"import{len(log.backfills)}", choices.of((1, 3))
        made = build_backfill(candidates, self.features, known, import_id=import_id, buckets=buckets)
        if made is None:
            return choices.of(HOSTILE)
        log.backfills[made.import_record.import_id] = made
        self.events += made.events[:1]  # may be delivered again, live
        return record_json(made.import_record, issued_at=self.now)


def know_log(writer: LogWriter, choices: Choices) -> Known:
    """The log so far, now and then without its latest records, which the archive lacks yet; never less of it than an
    earlier import was made from."""
    records, lag = writer.log.records, choices.of((0, 0, 1, 4))
    read = len(records) - lag
    seen = max((one.until for one in writer.log.backfills.values()), default="")
    known = [record for number, record in enumerate(records) if number < read or record.position <= seen]
    return known_of(replace(writer.log, records=known), writer.features)


def known_of(log: RandomLog, features: FeatureSet) -> Known:
    """The knowledge of a job that has read this log."""
    entries = readable(log)
    readings = NaiveReader(features, scores=False).read(entries)
    taken = ("accepted", "corrected", "reached")
    accepted = [entry for entry, reading in zip(entries, readings, strict=True) if reading.became in taken]
    return Known(accepted, [*log.backfills.values()], log.records[-1].position if log.records else "")


def readable(log: RandomLog) -> list[tuple[str, ReadEntry]]:
    """The log as the oracle reads it: records that do not parse left out, an import's past once, at its record."""
    entries: list[tuple[str, ReadEntry]] = []
    met: set[str] = set()
    for record in log.records:
        try:
            event = read_record(record, log.shop_id)
        except RejectedEventError:
            continue
        if isinstance(event, InteractionEvent):
            entries.append((record.position, event))
        elif isinstance(event, HistoryImported) and event.import_id not in met:
            met.add(event.import_id)
            entries.append((record.position, log.backfills[event.import_id].past))
        elif isinstance(event, SettingsChanged):
            is_policy = event.section == POLICY
            entries.append((record.position, (brought_by if is_policy else rules_brought)(event.document)))
        elif isinstance(event, TimeReached):
            entries.append((record.position, oracle_time(event)))
        elif isinstance(event, FindingReported):
            entries.append((record.position, oracle_finding(event)))
    return entries


def read_record(record: LogRecord, shop_id: str) -> InteractionEvent | ControlRecord:
    """The record that a put-back carries, else the record itself."""
    read = parsed(record.data, record.arrived_at, shop_id)
    return parsed(read.data, read.arrived_at, shop_id) if isinstance(read, RecordPutBack) else read


@lru_cache(maxsize=4_096)
def parsed(data: bytes, arrived_at: int, shop_id: str) -> InteractionEvent | ControlRecord:
    """A record, which a judge reads many times."""
    return parse_record(data, arrived_at=arrived_at, shop_id=shop_id, key=control_key)


def random_event(choices: Choices, event_id: str, *, shop_id: str, now: int) -> InteractionEvent:
    """An event that parses; most are on time, some late, a few ahead of their arrival, a few known to the day."""
    kind = choices.of(KINDS)
    stated_at = now - choices.of(LATENESS)
    precision = choices.of(("ms",) * 9 + ("day",))
    begin, end = (stated_at - stated_at % DAY, end_of_day(stated_at)) if precision == "day" else (stated_at, stated_at)
    agent = (
        choices.of(("ann", "bob", None)) if kind not in ("agent_message", "assigned") else choices.of(("ann", "bob"))
    )
    contact = choices.of(_contacts_of(kind))
    category = choices.of(("returns", "delivery", None))
    is_of_goods = kind in ("cart_added", "order_placed", "order_cancelled", "order_returned", "stock_counted")
    return InteractionEvent(
        event_id=event_id,
        shop_id=shop_id,
        kind=kind,
        occurred_at=min(end, now),
        received_at=now,
        stated_at=stated_at if begin > now else None,
        precision=precision,
        conversation_id=contact,
        customer_id=choices.of(_customers_of(kind, contact)),
        agent_id=agent,
        supervisor_id=choices.of((None, "sue")) if agent else None,
        manager_id="max" if agent == "ann" else None,
        agent_tenure=choices.of((None, ">90")) if agent else None,
        agent_shift=choices.of((None, "night")) if agent else None,
        category=category,
        subcategory=choices.of((None, "broken")) if category else None,
        product=choices.of((None, "lamp")),
        sku=choices.of((None, "lamp-1") if kind != "stock_counted" else ("lamp-1", "lamp-2")),
        order_id="o1" if kind.startswith("order") else None,
        channel=choices.of(("chat", None)),
        text="Wo bleibt mein Paket?" if kind == "customer_message" else None,
        query=choices.of(("lamp", "LAMP ", "desk", None)) if kind == "searched" else None,
        rating=choices.of((5, 1, 3, 4, 2)) if kind == "rated" else None,
        amount_minor=choices.of((None, 1999, 10**12)),
        currency=choices.of((None, "EUR", "JPY", None)),
        duration_ms=choices.of((None, 4000, 0)) if kind == "page_viewed" else None,
        priority=None if kind in BEHAVIOUR else choices.of((None, None, "urgent", "low")),
        customer_tier=None if kind in BEHAVIOUR else choices.of((None, None, "vip", "new")),
        quantity=choices.of((None, 1, 0, 12)) if is_of_goods else None,
        results=choices.of((None, 0, 30)) if kind == "searched" else None,
        promised_at=choices.of((None, now + DAY)) if kind == "order_placed" else None,
        delivered_at=choices.of((None, now + HOUR)) if kind == "order_placed" else None,
        opt_out=choices.of((None, None, 0, 1)) if kind in BEHAVIOUR else None,
    )


def _customers_of(kind: str, contact: str | None) -> Sequence[str | None]:
    """The possible customers of an event: where it names no contact it belongs to one, but for a count of stock."""
    if kind == "stock_counted":
        return (None, None, "zoe")
    return ("zoe", "yan") if kind in BEHAVIOUR or contact is None else ("zoe", "yan", None)


def _contacts_of(kind: str) -> Sequence[str | None]:
    """The possible contacts of an event of this kind: a visit may name one, and a complaint may have none."""
    if kind in BEHAVIOUR or kind == "stock_counted":
        return (None, None, None, "c0")
    return (*CONTACTS, None, None) if kind in ("complaint_filed", "suggestion_made") else CONTACTS


def past_events(
    choices: Choices, log: RandomLog, events: Sequence[InteractionEvent], *, now: int
) -> list[InteractionEvent]:
    """Possible events of the lake by then: some of its own, one at the instant of an event of the log, some of earlier
    imports and of the log, some of all these in another content or another conversation."""
    number, clock = len(log.backfills), now - choices.of((0, HOUR, DAY))
    apart = choices.of((HOUR, MINUTE, 3 * DAY, 9 * DAY))
    seed = choices.number
    own = [
        _past_event(
            Choices(seed * (index + 1) * 2_654_435_761 % LARGEST),
            f"import{number}-{index}",
            shop_id=log.shop_id,
            now=clock - index * apart - 5 * MINUTE,
        )
        for index in range(6)
    ]
    near = [event for event in events[-4:] if event.occurred_at <= clock and fold_key(event).startswith("contact")]
    own += [_at_once(choices, event, f"import{number}-tied") for event in near[:1]]
    imported = [event for one in log.backfills.values() for event in one.events]
    shared = [event for event in (*imported[-4:], *events[-4:]) if event.occurred_at <= clock]
    chosen = [event for event in shared if choices.of((True, False))]
    return [*own, *(another_content(choices, event) if choices.of((False, False, True)) else event for event in chosen)]


def _past_event(choices: Choices, event_id: str, *, shop_id: str, now: int) -> InteractionEvent:
    return with_oddities(choices, random_event(choices, event_id, shop_id=shop_id, now=now))


def _at_once(choices: Choices, event: InteractionEvent, event_id: str) -> InteractionEvent:
    """A message at the instant of an event, in its conversation."""
    kind = choices.of(("agent_message", "customer_message"))
    said = random_event(choices, event_id, shop_id=event.shop_id, now=event.occurred_at)
    return replace(
        said,
        kind=kind,
        agent_id="bob" if kind == "agent_message" else None,
        conversation_id=event.conversation_id,
        occurred_at=event.occurred_at,
        precision="ms",
        rating=None,
        query=None,
        order_id=None,
        duration_ms=None,
        quantity=None,
        results=None,
        promised_at=None,
        delivered_at=None,
        opt_out=None,
    )


def another_content(choices: Choices, event: InteractionEvent) -> InteractionEvent:
    """The event as a later file may tell it: of another agent or, for what a contact holds, of another one."""
    if event.conversation_id is not None and choices.of((False, True)):
        return replace(event, conversation_id=f"c{choices.of((3, 0))}")
    return replace(event, agent_id="cas", category="delivery")


def mutated(event: InteractionEvent, name: str, value: object) -> bytes:
    """The event's record with one field replaced by any JSON value."""
    return json.dumps({**event_to_input(event), name: value}).encode()
