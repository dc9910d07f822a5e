"""Mutants of what a conversation says and contributes: each a plausible mistake, which the oracle must find."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest import mock

from service_quality.alerts import decisions
from service_quality.commit import event_fold, log_reader, online_commit
from service_quality.conversations import conversation, turns
from service_quality.conversations.turns import ConversationState
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SCORED
from service_quality.facts import conversation_facts, conversation_fold, entities
from service_quality.features import declarations
from service_quality.histories.windows import WINDOWS, Window
from service_quality.instants import DAY, HOUR, MINUTE
from tests.properties import misreadings

Patch = AbstractContextManager[Any]


@contextmanager
def mutated_by(*patches: Patch) -> Iterator[None]:
    """The code with these mistakes in it."""
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield


def _read_as(**readers: Callable[[ConversationState, InteractionEvent], None]) -> Patch:
    """Events of these kinds are read in another way."""
    return mock.patch.dict(turns._READERS, readers)


def _constant(module: Any, name: str, value: object) -> Patch:
    return mock.patch.object(module, name, value)


def _each(modules: Sequence[Any], name: str, value: object) -> list[Patch]:
    """The same for every module that reads it under this name."""
    return [_constant(module, name, value) for module in modules]


#: The modules that read the key of a conversation.
_READ_KEYS = (conversation, decisions, event_fold, log_reader)


def _window(name: str, length: int, hop: int) -> Patch:
    return mock.patch.dict(WINDOWS, {name: Window(name, length, hop)})


#: Mistakes in a conversation and its facts, in what is scored and in retention: each step shows them.
OF_CONVERSATIONS: Mapping[str, Callable[[], Patch]] = {
    "a second opening moves the opening": lambda: _read_as(conversation_opened=misreadings.opened_again),
    "an opening after an answer opens a turn": lambda: _read_as(conversation_opened=misreadings.opened_after_an_answer),
    "a message does not undo resolved": lambda: _read_as(customer_message=misreadings.message_that_leaves_it_resolved),
    "the last message begins the wait": lambda: _read_as(
        customer_message=misreadings.message_that_begins_the_wait_again
    ),
    "a reopening does not undo resolved": lambda: _read_as(reopened=misreadings.reopening_that_leaves_it_resolved),
    "nobody waits after a reopening": lambda: _read_as(reopened=misreadings.reopening_that_nobody_waits_after),
    "a resolution lets the customer wait": lambda: _read_as(resolved=misreadings.resolution_that_lets_wait),
    "a complaint opens a turn": lambda: _read_as(complaint_filed=misreadings.complaint_that_waits),
    "a bot ends a turn": lambda: _read_as(bot_message=misreadings.bot_that_ends_the_turn),
    "a bot replies": lambda: _read_as(bot_message=misreadings.bot_that_replies),
    "an internal note ends a turn": lambda: _read_as(internal_note=misreadings.ends_the_turn),
    "a change of status ends a turn": lambda: _read_as(status_changed=misreadings.ends_the_turn),
    "an assignment is read as a message": lambda: _read_as(assigned=turns._agent_message),
    "every agent's message replies": lambda: _read_as(agent_message=misreadings.every_message_replies),
    "the first rating stays": lambda: _read_as(rated=misreadings.first_rating_stays),
    "a transfer to the same agent counts": lambda: _read_as(assigned=misreadings.transfer_at_every_assignment),
    "the first assignment is a transfer": lambda: _read_as(assigned=misreadings.transfer_at_the_first_assignment),
    "the first agent who answered owns": lambda: _constant(
        ConversationState, "owner", property(misreadings.first_who_answered)
    ),
    "the assigned agent owns the rating": lambda: _constant(
        ConversationState, "owner", property(misreadings.assigned_agent)
    ),
    "a wait known to the day is 0": lambda: _constant(turns, "_reply", misreadings.instant_wait),
    "a day's end is an exact answer": lambda: _constant(turns, "_reply", misreadings.wait_to_the_end_of_the_day),
    "the first attribute named stays": lambda: _constant(turns, "_read_attributes", misreadings.first_named),
    "ties stay as they arrived": lambda: _constant(conversation, "_order", misreadings.by_instant_alone),
    "the wait ends at the event": lambda: _constant(
        conversation_fold, "read_event_values", misreadings.since_the_event
    ),
    "a rated contact is scored": lambda: mutated_by(
        _constant(conversation_fold, "step_conversation", misreadings.scored_though_rated),
        _constant(log_reader, "step_conversation", misreadings.scored_though_rated),
    ),
    "a visit of all days": lambda: mutated_by(
        *_each(_READ_KEYS, "conversation_key", misreadings.visit_without_a_day),
    ),
    "a visit that names a contact is in it": lambda: mutated_by(
        *_each(_READ_KEYS, "conversation_key", misreadings.visit_in_the_contact_it_names),
    ),
    "a complaint outside of a contact is lost": lambda: _read_as(
        complaint_filed=misreadings.complaint_of_contacts_only
    ),
    "a cancelled order is a return": lambda: mock.patch.dict(
        conversation_facts._BEHAVIOUR, {"order_cancelled": "returns"}
    ),
    "complaints are not scored": lambda: _constant(conversation_fold, "SCORED", SCORED - {"complaint_filed"}),
    "nothing is taken back": lambda: _constant(conversation_fold, "facts_between", misreadings.only_what_is_new),
    "slow beyond 1 minute": lambda: _constant(conversation_facts, "SLOW_BEYOND", MINUTE),
    "slow at 15 minutes": lambda: _constant(conversation_facts, "SLOW_BEYOND", 15 * MINUTE - 1),
    "on time within 4 minutes": lambda: _constant(conversation_facts, "ON_TIME_WITHIN", 4 * MINUTE),
    "late at 3 minutes": lambda: _constant(conversation_facts, "ON_TIME_WITHIN", 3 * MINUTE - 1),
    "satisfied with 3": lambda: _constant(conversation_facts, "DISSATISFIED_AT_MOST", 2),
    "dissatisfied with 4": lambda: _constant(conversation_facts, "DISSATISFIED_AT_MOST", 4),
    "retention a day longer": lambda: _constant(conversation, "RETENTION", 31 * DAY),
    "retention a day shorter": lambda: _constant(conversation, "RETENTION", 29 * DAY),
    "retained a day longer": lambda: _constant(conversation, "CONVERSATION_RETENTION", 32 * DAY + HOUR),
    "retained a day shorter": lambda: _constant(conversation, "CONVERSATION_RETENTION", 30 * DAY + HOUR),
    "a missing product is no product": lambda: mock.patch.dict(
        entities.ENTITIES, {"subcategory_product": entities.SUBCATEGORY_PRODUCT._replace(keeps_missing=False)}
    ),
}
#: Mistakes in what histories give: only what was served shows them.
OF_HISTORIES: Mapping[str, Callable[[], Patch]] = {
    "slow replies per reply": lambda: mock.patch.dict(declarations.RATES, {"slow": ("slow_replies", "replies")}),
    "a share is not shrunk": lambda: _constant(declarations.WindowRatio, "compute", misreadings.share_as_counted),
    "an even spread is the whole": lambda: _constant(declarations.WindowRatio, "even_share", property(lambda _: 1.0)),
    "7 days by 12 hours": lambda: _window("7d", 7 * DAY, 12 * HOUR),
    "an hour by 10 minutes": lambda: _window("1h", HOUR, 10 * MINUTE),
    "a day of 25 hours": lambda: _window("1d", 25 * HOUR, HOUR),
    "30 days of 31": lambda: _window("30d", 31 * DAY, DAY),
    "90 days by 2 days": lambda: _window("90d", 90 * DAY, 2 * DAY),
    "windows without a hop": lambda: _constant(Window, "start", misreadings.start_without_hop),
}
#: Mistakes in a bound, each with what is bounded.
OF_BOUNDS: Mapping[str, tuple[str, Callable[[], Patch]]] = {
    "10 times as many events": ("events", lambda: _constant(conversation, "MAX_EVENTS", 5_000)),
    "one event more": ("events", lambda: _constant(conversation, "MAX_EVENTS", 501)),
    "one event less": ("events", lambda: _constant(conversation, "MAX_EVENTS", 499)),
    "10 times as many histories": ("histories", lambda: _constant(event_fold, "MAX_HISTORIES", 3_000)),
    "one history more": ("histories", lambda: _constant(event_fold, "MAX_HISTORIES", 301)),
    "one history less": ("histories", lambda: _constant(event_fold, "MAX_HISTORIES", 299)),
    "1,000 times as many cached items": (
        "cached items",
        lambda: _constant(online_commit, "_MAX_CACHED_ITEMS", 20_000_000),
    ),
    "one cached item more": ("cached items", lambda: _constant(online_commit, "_MAX_CACHED_ITEMS", 20_001)),
    "one cached item less": ("cached items", lambda: _constant(online_commit, "_MAX_CACHED_ITEMS", 19_999)),
}
