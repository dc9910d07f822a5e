"""Order of arrival, duplicates and the position of a cut do not change the final state.

At one instant the source's sequence gives the order, and no answer is stamped shortly before its question: of these the
order of arrival decides (docs/conversations.md).
"""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.commit.state_items import HistoryItem, decode_conversation, encode_histories, entity_name
from service_quality.conversations.conversation import EMPTY, KEY_NAMES, Conversation
from service_quality.conversations.deadlines import deadline_of
from service_quality.conversations.wait_stages import Deadline, stage_named
from service_quality.events import kinds
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.facts.conversation_facts import Fact
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.histories.history import History, HistoryPlan, build_history
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from service_quality.policies.policy import Policy
from tests.properties.feature_sets import SMALL
from tests.properties.online_run import batches, new_worker
from tests.properties.random_logs import KINDS, LATENESS, START, Choices, random_event
from tests.properties.random_times import STAGES
from tests.stand_ins.memory_store import MemoryStore

KEPT = SMALL.plan.kept
SAME_CLOCK = (Policy("same clock", 0, answer_tolerance_ms=0),)
NOTHING = encode_histories(
    HistoryItem(), SMALL.plan
)  # what is left where every fact was taken back: as good as no item
PLAN = {"1h": ("complaints", "replies"), "7d": ("replies",)}
DESCRIBED = HistoryPlan({"agent": PLAN}).described["agent"]


def events_of_a_conversation(drawn: bytes) -> list[InteractionEvent]:
    """A few events of one conversation or visit, within minutes or days, some at the same instant."""
    events = []
    for index in range(0, len(drawn), 8):
        choices = Choices(int.from_bytes(drawn[index : index + 8], "little"))
        now = START + 10 * DAY + choices.of((0, 0, SECOND, 3 * MINUTE, HOUR, 2 * DAY)) * choices.of((0, 1, 2))
        events.append(random_event(choices, f"e{index // 8}", shop_id="shop", now=now))
    return in_sequence(events)


def in_sequence(events: list[InteractionEvent]) -> list[InteractionEvent]:
    """The events numbered by their source, questions first."""
    ordered = sorted(events, key=lambda event: kinds.rank(event.kind))
    return [replace(event, sequence=ordered.index(event)) for event in events]


def unordered(held: Conversation) -> Conversation:
    """The conversation without the order in which its events arrived."""
    return replace(held, events=tuple(sorted(held.events, key=lambda event: event.event_id)))


Folded = tuple[Conversation, Counter[tuple[str, int, str]], list[Deadline | None]]


def fold(events: list[InteractionEvent]) -> Folded:
    """The conversation, its facts, and its deadlines."""
    folded = FoldedConversation(EMPTY, KEPT)
    facts: Counter[tuple[str, int, str]] = Counter()
    for event in events:
        step = step_conversation(folded, event, received_clock=START + 20 * DAY, policies=SAME_CLOCK)
        if step is not None:
            folded = step.after
            facts.update({(fact.key, fact.at, fact.name): fact.value for fact in step.facts})
    due = [deadline_of(folded.state, stage) for stage in map(stage_named, STAGES) if stage is not None]
    return unordered(folded.conversation), Counter({key: value for key, value in facts.items() if value}), due


@settings(max_examples=50)
@given(st.data())
def test_any_order_with_duplicates_gives_the_same_conversation_facts_and_deadlines(data):
    length = data.draw(st.integers(1, 9))
    events = events_of_a_conversation(data.draw(st.binary(min_size=8 * length, max_size=8 * length)))
    arrived = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))

    assert fold(arrived) == fold(events)


@settings(max_examples=30)
@given(st.data())
def test_a_shuffle_within_a_quarter_of_an_hour_leaves_the_same_state(data):
    length = data.draw(st.integers(1, 15))
    drawn = data.draw(st.binary(min_size=9 * length, max_size=9 * length))
    now = START + 10 * DAY
    events = in_sequence(
        [
            replace(random_event(_on_time(one), f"e{first}", shop_id="shop", now=now - apart), received_at=now)
            for first in range(0, len(drawn), 9)
            for one, apart in [(drawn[first : first + 9], drawn[first] % 15 * (MINUTE + 1))]
        ]
    )

    assert _state_after(data.draw(st.permutations(events)), now) == _state_after(events, now)


def _on_time(drawn: bytes) -> Choices:
    kind, *_ = divmod(int.from_bytes(drawn[1:], "little"), len(KINDS))
    return Choices(kind * len(LATENESS) * len(KINDS) + drawn[1] % len(KINDS))


def _state_after(events: list[InteractionEvent], now: int) -> dict[tuple[str, str], object]:
    store = MemoryStore()
    records = [LogRecord(str(Position(1, index)), event_to_json(event), now) for index, event in enumerate(events)]
    for batch in batches(records, [4]):
        new_worker(store, SMALL, ()).advance_shop("shop", batch)
    return {key: _without_order(*key, data) for key, data in store.items.items() if data != NOTHING}


def _without_order(shop_id: str, key: str, data: bytes) -> object:
    if entity_name(key) not in KEY_NAMES:
        return data
    return unordered(decode_conversation(data, shop_id).conversation)


facts_lists = st.lists(
    st.builds(
        Fact,
        key=st.just("agent\x1fann"),
        at=st.integers(0, 9 * DAY).map(lambda at: START + at - at % (5 * MINUTE) + at % 2),
        name=st.sampled_from(("replies", "complaints")),
        value=st.integers(-2, 5),
    ),
    max_size=8,
)
CLOCK = START + 9 * DAY


@settings(max_examples=40)
@given(facts_lists, st.randoms(use_true_random=False), st.integers(1, 4))
def test_histories_merge_in_any_order_and_any_split(facts, random, parts):
    whole = build_history(facts, PLAN, clock=CLOCK)
    split = [build_history(facts[index::parts], PLAN, clock=CLOCK) for index in range(parts)]
    random.shuffle(split)

    merged = History(PLAN)
    for part in split:
        merged.merge(part, clock=CLOCK)

    assert merged.to_stored() == whole.to_stored()
    assert [sums.sums for sums in merged.windows.values()] == [sums.sums for sums in whole.windows.values()]


@settings(max_examples=40)
@given(facts_lists, facts_lists, facts_lists)
def test_merging_histories_associates(one, two, three):
    left, right, last = (build_history(facts, PLAN, clock=CLOCK) for facts in (one, two, three))
    inner = build_history(two, PLAN, clock=CLOCK)
    inner.merge(last, clock=CLOCK)

    left.merge(right, clock=CLOCK)
    left.merge(last, clock=CLOCK)
    other = build_history(one, PLAN, clock=CLOCK)
    other.merge(inner, clock=CLOCK)

    assert left.to_stored() == other.to_stored()


@settings(max_examples=40)
@given(facts_lists, st.integers(0, 9 * DAY))
def test_a_fact_merged_late_counts_as_one_entered_late(facts, later):
    clock = CLOCK + later
    merged = History(PLAN)

    merged.merge(build_history(facts, PLAN, clock=CLOCK), clock=clock)

    entered = build_history(facts, PLAN, clock=clock)
    assert merged.to_stored() == entered.to_stored()


@settings(max_examples=40)
@given(facts_lists)
def test_stored_histories_come_back_equal(facts):
    history = build_history(facts, PLAN, clock=CLOCK)

    back = History.from_stored(history.to_stored(), DESCRIBED, PLAN)

    assert back.to_stored() == history.to_stored()
    assert [sums.sums for sums in back.windows.values()] == [sums.sums for sums in history.windows.values()]
