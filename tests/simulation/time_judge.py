"""The judge of time: what the timers' rows say, and which stages were reached, against the naive reader."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

from service_quality.alerts.rule_document import parse_rules
from service_quality.alerts.rules import Rule
from service_quality.alerts.stages import stages_of
from service_quality.commit.shop_item import SHOP_KEY, decode_shop
from service_quality.commit.timers import TIMER, read_timer, timer_key
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import TIME_REACHED
from tests.oracle.bounds import fold_key, is_forgotten
from tests.oracle.deadlines import Deadline, nearest
from tests.oracle.entries import RulesBrought, TimeReached
from tests.oracle.looks import next_look
from tests.oracle.rounds import rounds
from tests.oracle.shares import is_paused
from tests.properties.naive_reader import NaiveEntry, NaiveReader
from tests.properties.stored_looks import looks_of
from tests.simulation.evidence import Evidence, require
from tests.simulation.models import rules_named
from tests.simulation.outside import STATE

#: The deadlines of a conversation, one after the other; None where nothing is due any more.
Series = list[Deadline | None]


def judge_time(evidence: Evidence) -> None:
    """A conversation's timer leaves with each transaction that changes its deadline, in order; none is reached twice.

    A rebuild, and the log's retention, forget which row was written last: it is written again then, or stays behind for
    a wait that is over, which the log answers with silence.
    """
    _require_reached_once(evidence)
    (expected, forgotten), found = _expected(evidence), _found(evidence)
    for key, series in expected.items():
        rows, latest = found.pop(key, []), series[-1]
        evidence.world.count("timer rows", len(rows))
        evidence.world.count("timers pending", latest is not None)
        if not evidence.shop.generation and key not in forgotten:
            require(_changes(rows) == _changes(series), f"{key} let leave {rows}, expected {_changes(series)}")
        if latest is not None:
            require(rows[-1:] == [latest], f"{key} rings at {rows[-1:]}, expected {latest}")
    require(not found, f"timers of conversations that nobody waits in: {sorted(found)}")


def _require_reached_once(evidence: Evidence) -> None:
    kinds = [entry["event"] for entry in evidence.entries if "event" in entry]
    reached = [event for event in kinds if event["kind"] == TIME_REACHED]
    names = ("conversation_id", "round", "turn", "stage", "due_at")
    times = Counter(tuple(event[name] for name in names) for event in reached)
    twice = [one for one, number in times.items() if number > 1]
    require(not twice, f"reached twice: {twice}")
    evidence.world.count("stages reached", len(reached))
    evidence.world.count("silent", sum("silent" in entry for entry in evidence.entries))


def _expected(evidence: Evidence) -> tuple[dict[str, Series], set[str]]:
    """The next deadline of each conversation after each transaction that changed it, and those forgotten meanwhile.

    Stages and looks are those of the shop's own rules, else of the rules of the attempt.
    """
    links = {entry["position"]: number for number, link in enumerate(evidence.links) for entry in link["entries"]}
    reader, stored = evidence.new_reader(scores=False), _stored(evidence)
    series: dict[str, dict[int, Deadline | None]] = defaultdict(dict)
    own: tuple[Rule, ...] | None = None
    forgotten: set[str] = set()
    for position, entry in evidence.entries_to_read():
        key = _key_of(entry)
        if isinstance(entry, InteractionEvent | TimeReached) and key is not None and key in reader.contacts:
            arrived = entry.due_at if isinstance(entry, TimeReached) else entry.received_at
            received_clock = max(reader.received_clock, arrived)
            if is_forgotten(reader.contacts[key].touched_at, received_clock=received_clock):
                forgotten.add(key)
        became = [reading.became for reading in reader.read([(position, entry)])]
        if isinstance(entry, RulesBrought) and became[0] == "accepted":
            own = parse_rules(entry.document, reader.features).rules
        if key is not None and became[0] in ("accepted", "corrected", "reached"):
            attempt = evidence.attempts[links[position]]
            rules = own if own is not None else rules_named(attempt.rules, attempt.features)
            item = stored.get((links[position], key))
            series[key][links[position]] = _next_deadline(reader, key, rules, item)
    return {key: [*by_link.values()] for key, by_link in series.items()}, forgotten


def _next_deadline(
    reader: NaiveReader, key: str, rules: Sequence[Rule], item: tuple[str, bytes] | None
) -> Deadline | None:
    """The nearest stage of the wait or look of a rule, given what was stored of the conversation by then."""
    contact = reader.contacts[key]
    story, stages = reader.story(contact.events), [stage.name for stage in stages_of(rules)]
    number = len(rounds(story))
    pauses = bool(number) and is_paused(story)
    looks = [] if item is None else looks_of(item[1], item[0], rules, number, pauses=pauses)
    look = next_look(story, looks, clock=reader.clock, received_clock=reader.received_clock)
    return min((one for one in (nearest(story, stages, contact.reached), look) if one is not None), default=None)


def _stored(evidence: Evidence) -> dict[tuple[int, str], tuple[str, bytes]]:
    """The items of conversations that each link has stored, with the id of the shop.

    Those that a rebuild writes ahead of its record are of a generation that the shop does not have yet.
    """
    found: dict[tuple[int, str], tuple[str, bytes]] = {}
    link, generation = -1, ""
    for change in evidence.world.outside.tables.changes:
        if change.table != STATE:
            continue
        shop_id, _, key = change.item["item_key"]["S"].partition("\x1f")
        if shop_id != evidence.shop_id:
            continue
        data = change.item["data"]["B"]
        if key == SHOP_KEY:
            link, generation = link + 1, decode_shop(data).generation
        plain, _, of_generation = key.partition("\x1f@")
        if plain.startswith("contact") and of_generation == generation:
            found[link, plain] = (shop_id, data)
    return found


def _key_of(entry: NaiveEntry) -> str | None:
    """The contact that an entry may change."""
    if isinstance(entry, TimeReached):
        return f"contact\x1f{entry.conversation_id}"
    key = fold_key(entry) if isinstance(entry, InteractionEvent) else ""
    return key if key.startswith("contact") else None


def _found(evidence: Evidence) -> dict[str, Series]:
    """The rows of each conversation in the order of the table's stream."""
    found: dict[str, Series] = defaultdict(list)
    for (stream_key, _), body in evidence.rows(TIMER):
        timer, conversation_id = read_timer(evidence.shop_id, body), json.loads(body)["conversation_id"]
        require(stream_key == timer_key(evidence.shop_id, conversation_id), f"a timer under another key: {stream_key}")
        found[f"contact\x1f{conversation_id}"].append(None if timer is None else Deadline(*timer.deadline))
    return dict(found)


def _changes(series: Series) -> Series:
    """The series without what says the same again, and without the None that it may begin with."""
    return [one for before, one in zip([None, *series], series, strict=False) if one != before]
