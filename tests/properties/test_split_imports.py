"""A past in several imports, in any parts and with any records of the log between them, counts as in one import."""

from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.events.time_reached import TimeReached
from service_quality.features.declarations import FeatureSet, Rate
from service_quality.instants import DAY, HOUR
from tests.properties.feature_sets import SMALL
from tests.properties.import_packs import build_backfill
from tests.properties.naive_reader import NaiveReader
from tests.properties.online_run import new_store, new_worker
from tests.properties.random_logs import START, Choices, RandomLog, known_of, random_event, readable
from tests.properties.random_times import aimed
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.control import record_json

LARGEST = 2**48
PHASES = 4
END = START + 400 * HOUR
#: Features whose denominators are smallest: where a sum below zero would divide by zero.
SMALLEST_PRIOR = FeatureSet(
    (Rate("agent", "dissatisfied", "30d", 1, 0.2), Rate("category", "dissatisfied", "90d", 1, 0.2))
)


@dataclass
class Story:
    """A log that grows, with imports in it."""

    features: FeatureSet
    log: RandomLog = field(default_factory=lambda: RandomLog("shop"))

    def put(self, data: bytes) -> None:
        self.log.records.append(LogRecord(str(Position(1, len(self.log.records))), data, END + HOUR))

    def bring(self, events: Sequence[InteractionEvent], *, lag: int = 0) -> None:
        """An import of what is new among events, by a job that has not read the latest records."""
        read = self.log.records[: len(self.log.records) - lag]
        known = known_of(replace(self.log, records=read), self.features)
        import_id = f"import{len(self.log.backfills)}"
        made = build_backfill(events, self.features, known, import_id=import_id, buckets=2)
        if made is not None:
            self.log.backfills[import_id] = made
            self.put(record_json(made.import_record, issued_at=END))

    def probe(self) -> None:
        """An event of every contact, twice: the second finds each as it is once all is joined; then a wait in each."""
        for number in range(9):
            kind = "internal_note" if number < 6 else "customer_message"
            note = InteractionEvent(
                event_id=f"probe{number}", shop_id="shop", kind=kind, conversation_id=f"c{number % 3}",
                occurred_at=END + number, received_at=END + number, agent_id="ann", category="returns",
            )  # fmt: skip
            self.put(event_to_json(note))
        reader = NaiveReader(self.features, scores=False)
        reader.read(readable(self.log))
        for number in range(3):
            asked = time_reached(number, END)
            self.put(record_json(aimed(asked, reader), issued_at=END))

    def served(self) -> dict[str, bytes | None]:
        """The vectors of the online commit, which the naive reader confirms."""
        store = new_store(self.log)
        new_worker(store, self.features, ()).advance_shop("shop", self.log.records)
        entries = archived_entries(store.rows, "shop")
        served = {one["position"]: b64decode(one["vector"]) if "vector" in one else None for one in entries}
        readings = NaiveReader(self.features).read(readable(self.log))
        assert {one.position: one.vector for one in readings} == {
            one.position: served[one.position] for one in readings
        }
        return {_name(one["event"]): served[one["position"]] for one in entries if _name(one.get("event", {}))}

    def counted(self) -> Counter:
        """Facts by entity, instant and name, none of which is ever below zero."""
        reader = NaiveReader(self.features, scores=False)
        reader.read(readable(self.log))
        totals: Counter = Counter()
        for fact in (fact for facts in reader.entered.values() for fact in facts):
            totals[fact.key, fact.at, fact.name] += fact.value
            assert totals[fact.key, fact.at, fact.name] >= 0
        return Counter({key: value for key, value in totals.items() if value})


def time_reached(number: int, due_at: int) -> TimeReached:
    """A record that names the stage and conversation of a probe."""
    return TimeReached(
        shop_id="shop", conversation_id=f"c{number}", round=1, turn=1, stage="waiting_ms:180000", due_at=due_at
    )


def _name(event: dict) -> str:
    """The id of an archived event, or the conversation of which a stage is reached."""
    return str(event.get("event_id") or (event["conversation_id"] if "stage" in event else ""))


def drawn_event(number: int, index: int) -> InteractionEvent:
    at = START + index * 7 * HOUR
    event = random_event(Choices(number // PHASES), f"e{index}", shop_id="shop", now=at)
    occurred_at = min(max(event.occurred_at, START - DAY), at)  # within retention: beyond it each part counts by itself
    return replace(event, occurred_at=occurred_at, received_at=END, precision="ms")


def tell(numbers: Sequence[int], *, features: FeatureSet, in_one: bool = False, lag: int = 0) -> Story:
    """Every event is the log's or one of three imports', by its number; each import is offered all before it, too."""
    story = Story(features)
    events = [(number % PHASES, drawn_event(number, index)) for index, number in enumerate(numbers)]
    offered: list[InteractionEvent] = []
    for phase in range(PHASES):
        own = [event for index, (place, event) in enumerate(events) if place == 0 and index % PHASES == phase]
        for event in own:
            story.put(event_to_json(event))
        offered += own[::2] + [event for place, event in events if place == phase + 1]
        if phase < PHASES - 1 and (not in_one or phase == PHASES - 2):
            story.bring(offered, lag=min(lag, len(own)))
    story.probe()
    return story


NUMBERS = st.lists(st.integers(0, LARGEST), min_size=3, max_size=20)


@settings(max_examples=60)
@given(NUMBERS)
@example([1, 5, 9, 2, 6, 3])
def test_past_in_three_imports_counts_and_reads_as_in_one(numbers):
    split, whole = tell(numbers, features=SMALL), tell(numbers, features=SMALL, in_one=True)

    assert split.counted() == whole.counted()
    assert probes(split.served()) == probes(whole.served())


def test_probes_hold_stages_that_are_reached():
    random = Random(1)
    served = tell([random.randrange(LARGEST) for _ in range(12)], features=SMALL).served()

    assert {"probe3", "probe4", "probe5", "c0", "c1", "c2"} == probes(served).keys()


@settings(max_examples=60)
@given(NUMBERS, st.integers(1, 4))
def test_what_reaches_the_log_while_an_import_is_made_never_divides_by_zero(numbers, lag):
    story = tell(numbers, features=SMALLEST_PRIOR, lag=lag)

    assert all(vector is None or len(vector) == 8 for vector in story.served().values())


def probes(served: dict[str, bytes | None]) -> dict[str, bytes | None]:
    """The second probe of each contact, and the stages that contacts reach then."""
    return {name: vector for name, vector in served.items() if name in ("probe3", "probe4", "probe5", "c0", "c1", "c2")}
