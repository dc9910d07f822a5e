"""Order of arrival, duplicates and the position of a cut do not change the final state."""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.commit.state_items import HistoryItem, encode_histories
from service_quality.conversations.conversation import EMPTY, Conversation
from service_quality.events.interaction_event import InteractionEvent, event_to_json
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.facts.conversation_facts import Fact
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.histories.history import History, HistoryPlan, build_history
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from tests.properties.feature_sets import SMALL
from tests.properties.online_run import batches, new_worker
from tests.properties.random_logs import KINDS, LATENESS, START, Choices, random_event
from tests.stand_ins.memory_store import MemoryStore

KEPT = SMALL.plan.kept
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
        event = random_event(choices, f"e{index // 8}", shop_id="shop", now=now)
        events.append(event)
    return events


def fold(events: list[InteractionEvent]) -> tuple[Conversation, Counter[tuple[str, int, str]]]:
    folded = FoldedConversation(EMPTY, KEPT)
    facts: Counter[tuple[str, int, str]] = Counter()
    for event in events:
        step = step_conversation(folded, event, clock=START + 20 * DAY, received_clock=START + 20 * DAY)
        if step is not None:
            folded = step.after
            facts.update({(fact.key, fact.at, fact.name): fact.value for fact in step.facts})
    return folded.conversation, Counter({key: value for key, value in facts.items() if value})


@settings(max_examples=50)
@given(st.data())
def test_any_order_with_duplicates_gives_the_same_conversation_and_facts(data):
    length = data.draw(st.integers(1, 9))
    events = events_of_a_conversation(data.draw(st.binary(min_size=8 * length, max_size=8 * length)))
    arrived = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))

    assert fold(arrived) == fold(events)


@settings(max_examples=30)
@given(st.data())
def test_a_shuffle_within_minutes_leaves_the_same_state(data):
    length = data.draw(st.integers(1, 15))
    drawn = data.draw(st.binary(min_size=9 * length, max_size=9 * length))
    now = START + 10 * DAY
    events = [
        replace(
            random_event(
                _on_time(drawn[first : first + 9]), f"e{first}", shop_id="shop", now=now - drawn[first] * SECOND
            ),
            received_at=now,
        )
        for first in range(0, len(drawn), 9)
    ]

    assert _state_after(data.draw(st.permutations(events)), now) == _state_after(events, now)


def _on_time(drawn: bytes) -> Choices:
    kind, *_ = divmod(int.from_bytes(drawn[1:], "little"), len(KINDS))
    return Choices(kind * len(LATENESS) * len(KINDS) + drawn[1] % len(KINDS))


def _state_after(events: list[InteractionEvent], now: int) -> dict[tuple[str, str], bytes]:
    store = MemoryStore()
    records = [LogRecord(str(Position(1, index)), event_to_json(event), now) for index, event in enumerate(events)]
    for batch in batches(records, [4]):
        new_worker(store, SMALL, ()).advance_shop("shop", batch)
    return {key: data for key, data in store.items.items() if data != NOTHING}


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
