"""When the open turn of a conversation reaches a stage, and what time does to a conversation."""

from dataclasses import replace

import pytest

from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.deadlines import answer_due_at, deadline_of, next_deadline, waited_share
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.conversations.wait_stages import Stage, stage_named
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, step_conversation, step_time
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from service_quality.policies.policy import BUSINESS, Policy, Target
from tests.properties.feature_sets import SMALL
from tests.unit.core.sample_events import NOON, conversation, event

HALF_HOUR = Stage("waiting_ms", 30 * MINUTE)
HALF, WHOLE = Stage("waited_share", 0.5), Stage("waited_share", 1.0)
NINE_TO_FIVE = ((9 * 60, 17 * 60),)
#: NOON is a Thursday in every test; on weekends the shop is closed.
OPENING = (NINE_TO_FIVE,) * 5 + ((), ())


def under(policy: Policy | None, *events: InteractionEvent) -> ConversationState:
    known = () if policy is None else (policy,)
    held = [replace(one, policies_known=len(known)) for one in events]
    return read_conversation(in_order(conversation(*held)), known)


def due(state: ConversationState, stage: Stage) -> int | None:
    """The due instant after noon, in milliseconds; None for none."""
    found = deadline_of(state, stage)
    return None if found is None else found.due_at - NOON


def test_wait_is_due_so_long_after_the_question():
    state = under(None, event("customer_message", 0), event("customer_message", 5 * MINUTE))

    assert deadline_of(state, HALF_HOUR) == (NOON + 30 * MINUTE, 1, 1, "waiting_ms:1800000")


@pytest.mark.parametrize(
    "ends", [event("agent_message", 1), event("resolved", 1), event("customer_message", 1, merged_into="other")]
)
def test_nothing_is_due_once_the_wait_is_over(ends):
    assert due(under(None, event("customer_message", 0), ends), HALF_HOUR) is None


def test_next_turn_has_a_number_and_deadlines_of_its_own():
    state = under(None, event("customer_message", 0), event("agent_message", 1), event("customer_message", MINUTE))

    assert deadline_of(state, HALF_HOUR) == (NOON + 31 * MINUTE, 1, 2, "waiting_ms:1800000")


def test_share_is_of_the_target_that_meets_the_contact_first_or_later():
    chat = Target(60 * SECOND, 20 * SECOND, when=(("channel", ("chat",)),))
    policy = Policy("a", 0, targets=(chat, Target(HOUR, None)))

    first = under(policy, event("customer_message", 0, channel="chat"))
    later = under(policy, event("customer_message", 0, channel="chat"), event("agent_message", 1),
                  event("customer_message", MINUTE))  # fmt: skip
    other = under(policy, event("customer_message", 0), event("agent_message", 1), event("customer_message", MINUTE))

    assert due(first, HALF) == 30 * SECOND
    assert due(later, HALF) == MINUTE + 10 * SECOND
    assert due(other, HALF) is None, "a target that judges no later reply"


def test_shop_without_targets_has_no_shares():
    state = under(None, event("customer_message", 0))

    assert due(state, HALF) is None
    assert waited_share(state, NOON + MINUTE) is None


def test_business_time_alone_is_counted_where_the_target_says_so():
    policy = Policy("a", 0, opening=OPENING, targets=(Target(2 * HOUR, 2 * HOUR, BUSINESS),))
    evening = event("customer_message", 4 * HOUR)  # an hour before the shop closes

    state = under(policy, evening)

    assert due(state, HALF) == 5 * HOUR
    assert due(state, WHOLE) == 21 * HOUR + HOUR, "the next morning at ten"
    assert waited_share(state, NOON + 20 * HOUR) == 0.5


def test_wait_in_all_the_time_that_is_over_while_the_shop_is_closed_is_due_when_it_opens():
    policy = Policy("a", 0, opening=OPENING)
    day, evening = Stage("waiting_ms", 3 * HOUR), event("customer_message", 4 * HOUR + 45 * MINUTE)

    assert due(under(policy, event("customer_message", 4 * HOUR)), HALF_HOUR) == 4 * HOUR + 30 * MINUTE
    assert due(under(policy, evening), HALF_HOUR) == due(under(policy, evening), day) == 21 * HOUR + 1


def test_holiday_of_a_shop_that_is_always_open_otherwise_puts_a_deadline_off():
    policy = Policy("a", 0, own_days=((NOON // DAY, ()),))

    assert due(under(policy, event("customer_message", 0)), HALF_HOUR) == 12 * HOUR + 1


def test_pause_of_a_wait_is_a_value_of_its_own_where_there_is_one():
    policy = Policy("a", 0, pauses_when=("pending",))
    asked, pending = event("customer_message", 0), event("status_changed", MINUTE, status="pending")
    later = event("status_changed", 3 * MINUTE, status="open")

    values = [read_event_values(under(policy, *log), log[-1]) for log in ([asked], [asked, pending, later])]

    assert [(one["waiting_ms"], one["paused_ms"]) for one in values] == [(0, None), (MINUTE, 2 * MINUTE)]


@pytest.mark.parametrize(
    ("targets", "answered", "over"),
    [((Target(HOUR, None),), HOUR, 0), ((Target(HOUR, None),), HOUR + SECOND, SECOND), ((), HOUR, None)],
)
def test_answer_says_when_it_came_and_how_much_over_its_target(targets, answered, over):
    asked, answer = event("customer_message", 0), event("agent_message", answered)

    state = under(Policy("a", 0, targets=targets), asked, answer)

    values = read_event_values(state, answer)
    assert (values["answered_at"], values["answer_over_ms"]) == (NOON + answered, over)


@pytest.mark.parametrize("last", [event("customer_message", 2), event("agent_message", 2, precision="day")])
def test_question_without_an_answer_of_known_time_has_no_such_values(last):
    log = [
        event("customer_message", 0),
        *([event("agent_message", 1)] if last.kind == "customer_message" else []),
        last,
    ]

    values = read_event_values(under(Policy("a", 0, targets=(Target(HOUR, HOUR),)), *log), last)

    assert (values["answered_at"], values["answer_over_ms"]) == (None, None)


def test_target_is_due_at_an_instant_of_its_own_time_unless_its_clock_stands_still():
    policy = Policy("a", 0, opening=OPENING, targets=(Target(2 * HOUR, None, BUSINESS),), pauses_when=("pending",))
    asked, pending = event("customer_message", 4 * HOUR), event("status_changed", 5 * HOUR, status="pending")

    assert answer_due_at(under(policy, asked)) == NOON + 22 * HOUR
    assert answer_due_at(under(policy, asked, pending)) is None
    assert answer_due_at(under(policy, asked, event("agent_message", 5 * HOUR), pending)) is None
    assert answer_due_at(under(None, asked)) is None


def test_pauses_push_a_deadline_and_a_running_pause_leaves_none():
    policy = Policy("a", 0, pauses_when=("pending",))
    asked, pending = event("customer_message", 0), event("status_changed", 10 * MINUTE, status="pending")
    resumed = event("status_changed", 15 * MINUTE, status="open")

    assert due(under(policy, asked, pending), HALF_HOUR) is None
    assert due(under(policy, asked, pending, resumed), HALF_HOUR) == 35 * MINUTE


def test_pause_of_any_length_pushes_a_short_deadline_once():
    policy = Policy("a", 0, pauses_when=("pending",), targets=(Target(30 * SECOND, None),))
    asked, pending = event("customer_message", 0), event("status_changed", 20 * SECOND, status="pending")
    resumed = event("status_changed", 16 * HOUR, status="open")

    assert due(under(policy, asked, pending, resumed), WHOLE) == 16 * HOUR + 10 * SECOND


def test_question_that_is_late_already_has_its_stages_counted_from_its_arrival():
    late = replace(event("customer_message", 0), received_at=NOON + 2 * HOUR)
    soon = replace(event("customer_message", 0), received_at=NOON + 10 * MINUTE)

    assert due(under(None, late), HALF_HOUR) == 2 * HOUR + 30 * MINUTE
    assert due(under(None, soon), HALF_HOUR) == 30 * MINUTE


def test_nothing_is_due_by_days_or_behind_the_silence_that_ends_the_round():
    by_day = replace(event("customer_message", 0), precision="day")

    assert due(under(None, by_day), HALF_HOUR) is None
    assert (
        due(under(Policy("a", 0, ends_after_ms=HOUR), event("customer_message", 0)), Stage("waiting_ms", HOUR + 1))
        is None
    )


def test_nearest_deadline_is_next_and_a_reached_one_is_not_again():
    state = under(None, event("customer_message", 0))
    day = Stage("waiting_ms", 24 * HOUR)

    assert next_deadline(state, (day, HALF_HOUR), ()) == deadline_of(state, HALF_HOUR)
    assert next_deadline(state, (day, HALF_HOUR), [(1, 1, HALF_HOUR.name)]) == deadline_of(state, day)
    assert next_deadline(state, (), ()) is None


@pytest.mark.parametrize("name", ["waiting_ms", "waiting_ms:", "waiting_ms:nan", "waiting_ms:-1", "waiting_ms:1e3"])
def test_text_that_names_no_stage(name):
    assert stage_named(name) is None


def folded(*events: InteractionEvent) -> FoldedConversation:
    known = FoldedConversation(conversation(), SMALL.plan.kept)
    for one in events:
        step = step_conversation(known, one, received_clock=one.received_at)
        assert step is not None
        known = step.after
    return known


def reach(known: FoldedConversation, *, at: int = 30 * MINUTE, turn: int = 1) -> ConversationStep | None:
    reached = TimeReached(
        shop_id="shop", conversation_id="c1", round=1, turn=turn, stage=HALF_HOUR.name, due_at=NOON + at
    )
    return step_time(known, reached, received_clock=NOON + at)


def test_reached_stage_is_scored_with_the_wait_at_that_instant_and_changes_no_fact():
    step = reach(folded(event("customer_message", 0)))

    assert step is not None
    assert (step.scored, step.facts, step.round) == (True, [], 1)
    assert step.values["waiting_ms"] == 30 * MINUTE


def test_stage_is_reached_once():
    step = reach(folded(event("customer_message", 0)))

    assert step is not None
    assert reach(step.after) is None


def test_transfer_ends_no_wait_and_its_stage_is_of_who_has_the_conversation_then():
    asked = [event("customer_message", 0), event("assigned", MINUTE, agent_id="ann")]
    handed_over = [*asked, event("assigned", 2 * MINUTE, agent_id="bob")]

    before, after = (reach(folded(*log)) for log in (asked, handed_over))

    assert before is not None
    assert after is not None
    assert due(under(None, *asked), HALF_HOUR) == due(under(None, *handed_over), HALF_HOUR) == 30 * MINUTE
    assert [step.keys["agent"].rpartition("\x1f")[2] for step in (before, after)] == ["ann", "bob"]
    assert after.values["transfers"] == 1


@pytest.mark.parametrize(
    ("events", "given"),
    [
        ([event("customer_message", 0), event("agent_message", MINUTE)], {}),
        ([event("customer_message", 0), event("agent_message", MINUTE)], {"turn": 2}),
        ([event("customer_message", 0)], {"at": 29 * MINUTE}),
        ([event("customer_message", 0)], {"at": 31 * MINUTE}),
        ([], {}),
    ],
)
def test_time_is_silent_where_the_log_knows_better(events, given):
    assert reach(folded(*events), **given) is None


def test_answer_that_arrived_late_but_before_the_record_ends_the_wait():
    late = replace(event("agent_message", 29 * MINUTE), received_at=NOON + 30 * MINUTE + 900)

    assert reach(folded(event("customer_message", 0), late)) is None


def test_values_are_those_by_the_events_up_to_the_instant():
    after_it = event("customer_message", 30 * MINUTE + 500)

    step = reach(folded(event("customer_message", 0), after_it))

    assert step is not None
    assert step.values["customer_messages"] == 1


def test_stages_of_an_ended_turn_are_forgotten():
    step = reach(folded(event("customer_message", 0)))
    assert step is not None
    answer = event("agent_message", HOUR)

    after = step_conversation(step.after, answer, received_clock=answer.received_at)

    assert len(step.after.conversation.reached) == 1
    assert after is not None
    assert after.after.conversation.reached == ()
