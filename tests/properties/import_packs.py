"""Backfills for tests: made from what a shop's log and its earlier imports do not hold, as packs in the store, by the
core's own fold, and as the naive reader gets them, by plain loops."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from service_quality.commit.state_items import (
    HistoryItem,
    encode_histories,
    encode_pack,
    encode_part,
    entity_name,
    pack_key,
)
from service_quality.conversations.conversation import (
    CONVERSATION_RETENTION,
    Conversation,
    in_time,
    without_words,
)
from service_quality.events.control_records import HistoryFilled, HistoryImported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import Fact
from service_quality.facts.entities import item_key_of
from service_quality.facts.import_fold import FoldedImport, fold_import
from service_quality.features.declarations import FeatureSet
from service_quality.histories.history import build_history
from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import parse_policy
from tests.oracle import facts as oracle
from tests.oracle.bounds import fold_key
from tests.oracle.entries import Found, PolicyBrought, RulesBrought, TimeReached
from tests.oracle.story import Placed, Story, imported_content, in_order
from tests.properties.feature_sets import OTHER
from tests.properties.naive_reader import (
    ImportedPast,
    NaivePart,
    NaiveReader,
    columns_of,
    joined,
    kept_facts,
)

LogEntry = tuple[str, InteractionEvent | TimeReached | Found | ImportedPast | PolicyBrought | RulesBrought]
Events = list[InteractionEvent]
FactTotals = Counter[tuple[str, int, str]]


@dataclass(frozen=True)
class Backfill:
    """The import record, the packs under their keys, the same past in plain words, its events, and the last position
    of the log that it takes account of."""

    import_record: HistoryImported
    packs: dict[str, bytes]
    past: ImportedPast
    events: tuple[InteractionEvent, ...]
    until: str


@dataclass(frozen=True)
class Known:
    """The accepted entries of a shop's log as read, its earlier imports in their order, and the last position read."""

    entries: Sequence[LogEntry]
    earlier: Sequence[Backfill]
    until: str

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies that the log has brought."""
        return tuple(parse_policy(entry.document) for _, entry in self.entries if isinstance(entry, PolicyBrought))

    def contents(self, event_id: str) -> Events:
        """Every content that an id has had, the latest last: what imports say counts more than the log."""
        log = [entry for _, entry in self.entries if isinstance(entry, InteractionEvent)]
        imported = [event for one in self.earlier for event in one.events]
        return [event for event in (*log, *imported) if event.event_id == event_id]

    def select_new(self, candidates: Iterable[InteractionEvent]) -> Events:
        """The candidates, each id once, that are not held in this content."""
        new: dict[str, InteractionEvent] = {}
        for event in candidates:
            contents = self.contents(event.event_id)
            if not contents or imported_content(contents[-1]) != imported_content(event):
                new[event.event_id] = event
        return list(new.values())

    def reader(self, features: FeatureSet) -> tuple[NaiveReader, int, int]:
        """The shop as the log and all earlier imports leave it, and the clock and received clock of the log alone.

        A mark that is not on the log yet may never come: nothing may have left a window for its sake.
        """
        reader = NaiveReader(features, scores=False)
        reader.read(self.entries)
        clock, received_clock = reader.clock, reader.received_clock
        on_log = [entry for _, entry in self.entries]
        reader.read([("", one.past) for one in self.earlier if one.past not in on_log])
        return reader, clock, received_clock


@dataclass(frozen=True)
class _Story:
    """One conversation in a backfill: as held and when touched, and the events that come in time."""

    before: list[Placed]
    touched_at: int
    events: Events


def build_backfill(
    candidates: Iterable[InteractionEvent], features: FeatureSet, known: Known, *, import_id: str, buckets: int
) -> Backfill | None:
    """The import of what is new among past events; None where nothing is."""
    offered = list(candidates)
    new = known.select_new(offered)
    if not new:
        return None
    clock = max(event.occurred_at for event in new)
    reader, log_clock, received_until = known.reader(features)
    received_clock = max(received_until, clock)
    as_read = {key: _tell(story, features) for key, story in _stories(new, known, reader, received_until).items()}
    past = ImportedPast(
        clock,
        tuple(oracle.Fact(*name, value) for _, facts in as_read.values() for name, value in facts.items() if value),
        {key: part for key, (part, _) in as_read.items()},
        columns_of(features),
    )
    stories = _stories(brought_by_job(new, offered), known, reader, received_until)
    folded = {key: _fold(story, features, known.policies) for key, story in stories.items()}
    facts = [fact for one in folded.values() for fact in one.facts]
    histories = _history_items(facts, features, clock=max(log_clock, clock))
    parts = {
        key: encode_part(one.part)
        for key, one in folded.items()
        if received_clock - one.part.after.touched_at <= CONVERSATION_RETENTION
    }
    import_record = HistoryImported(
        shop_id=new[0].shop_id,
        import_id=import_id,
        clock=clock,
        buckets=buckets,
        histories=len(histories),
        conversations=len(parts),
        columns=features.plan.columns,
    )
    return Backfill(import_record, packs_of({**histories, **parts}, import_record), past, tuple(new), known.until)


def brought_by_job(new: Events, offered: Events) -> Events:
    """The part of the offered events that the job brings; mutants bring more."""
    return new


def packs_of(items: Mapping[str, bytes], import_record: HistoryImported | HistoryFilled) -> dict[str, bytes]:
    packs: dict[str, dict[str, bytes]] = defaultdict(dict)
    for key, data in items.items():
        packs[pack_key(import_record.import_id, key, import_record.buckets)][key] = data
    return {key: encode_pack(contents) for key, contents in packs.items()}


def _stories(new: Events, known: Known, reader: NaiveReader, received_clock: int) -> dict[str, _Story]:
    """By conversation; an event that was known in another one is left out."""
    events: dict[str, Events] = defaultdict(list)
    for event in sorted(new, key=lambda event: (event.occurred_at, event.kind == "rated", event.event_id)):
        first = [*known.contents(event.event_id), event][0]
        if fold_key(first) == fold_key(event):
            events[fold_key(event)].append(event)
    return {key: _Story(*reader.holds(key, received_clock=received_clock), own) for key, own in events.items()}


def _fold(story: _Story, features: FeatureSet, policies: tuple[Policy, ...]) -> FoldedImport:
    before = conversation_of(story.before, touched_at=story.touched_at)
    return fold_import(before, story.events, kept=features.plan.kept, policies=policies)


def conversation_of(held: Iterable[Placed], *, touched_at: int) -> Conversation:
    """What the oracle holds as the core keeps it: imports in order of time, then the log's events as they arrived."""
    placed = list(held)
    imported = sorted((one.event for one in placed if one.number is None), key=in_time)
    arrived = sorted((one for one in placed if one.number is not None), key=lambda one: one.number or 0)
    logged = [replace(one.event, policies_known=len(one.policies)) for one in arrived]
    return Conversation(tuple(map(without_words, (*imported, *logged))), touched_at, len(imported))


def _tell(story: _Story, features: FeatureSet) -> tuple[NaivePart, FactTotals]:
    before, touched_at = story.before, story.touched_at
    after = before
    facts: FactTotals = Counter()
    for event in story.events:
        if event.occurred_at - touched_at > CONVERSATION_RETENTION:
            facts = _add_change(facts, before, after, features)
            before = after = []
        changed = joined(after, [NaivePart((), (Placed(event, None),), 0)])
        if changed != after:
            after, touched_at = changed, max(touched_at, event.occurred_at)
    return NaivePart(tuple(before), tuple(after), touched_at), _add_change(facts, before, after, features)


def _add_change(facts: FactTotals, before: list[Placed], after: list[Placed], features: FeatureSet) -> FactTotals:
    changed = Counter(facts)
    changed.update(_totals(after, features))
    changed.subtract(_totals(before, features))
    return changed


def _totals(events: list[Placed], features: FeatureSet) -> FactTotals:
    return oracle.total_facts(Story(in_order(events)), kept_facts((*features.features, *OTHER.features)))


def _history_items(facts: list[Fact], features: FeatureSet, *, clock: int) -> dict[str, bytes]:
    items: dict[str, HistoryItem] = defaultdict(HistoryItem)
    for key in {fact.key for fact in facts}:
        own = [fact for fact in facts if fact.key == key]
        history = build_history(own, features.plan.windows[entity_name(key)], clock=clock)
        if not history.empty:
            items[item_key_of(key)].histories[key] = history
    return {item_key: encode_histories(item, features.plan) for item_key, item in items.items()}
