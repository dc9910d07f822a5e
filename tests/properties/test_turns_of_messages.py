"""Every message of a customer opens a turn unless one is open (docs/conversations.md, "Turns")."""

from hypothesis import given
from hypothesis import strategies as st

from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, HOUR, MINUTE
from tests.unit.core.sample_events import NOON, conversation, event

KINDS = (
    "agent_message", "assigned", "bot_message", "complaint_filed", "customer_message", "internal_note", "rated",
    "reopened", "resolved", "status_changed",
)  # fmt: skip
GAPS = (1, MINUTE, MINUTE + 1, HOUR, DAY, 6 * DAY)


@st.composite
def contacts(draw: st.DrawFn) -> list[InteractionEvent]:
    """The events of a contact in order, no two of them at one instant; its last one is a customer's message."""
    drawn = draw(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(GAPS), st.booleans()), max_size=12))
    at, found = 0, []
    for kind, gap, thanks in [*drawn, ("customer_message", draw(st.sampled_from(GAPS)), False)]:
        at += gap
        fields = {"rating": 1} if kind == "rated" else {}
        courtesy = {"courtesy": 1} if kind == "customer_message" and thanks else {}
        found.append(event(kind, at, **fields, **courtesy))
    return found


def waiting_since(events: list[InteractionEvent]) -> int | None:
    """When the first question came that nobody has answered or settled since."""
    since = None
    for one in events:
        if one.kind in ("agent_message", "resolved"):
            since = None
        elif one.kind == "reopened" or (one.kind == "customer_message" and one.courtesy is None):
            since = one.occurred_at if since is None else since
    return since


@given(contacts())
def test_every_message_of_a_customer_opens_a_turn_unless_one_is_open(events):
    (*before, message) = events

    state = read_conversation(in_order(conversation(*events)))

    earlier = waiting_since(before)
    assert state.turn is not None
    assert state.turn.since == (message.occurred_at if earlier is None else earlier)


def test_silence_ends_the_open_turn_and_the_message_behind_it_opens_one():
    state = read_conversation(in_order(conversation(event("customer_message", 0), event("customer_message", 8 * DAY))))

    assert state.turn is not None
    assert state.turn.since == NOON + 8 * DAY
