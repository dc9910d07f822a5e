"""Mutants of what a conversation says and contributes: each a plausible mistake, which the oracle must find."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest import mock

from service_quality.alerts import decisions
from service_quality.commit import event_fold, log_reader, online_commit
from service_quality.conversations import conversation, reading, reading_order
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.reading import Reading
from service_quality.conversations.rounds import Round
from service_quality.conversations.turns import Turn
from service_quality.events import kinds
from service_quality.events.kinds import SCORED
from service_quality.facts import conversation_facts, conversation_fold, entities, visit_facts
from service_quality.facts.conversation_fold import FoldedConversation
from service_quality.facts.declared_facts import EVENT_FACTS, REPLY_HISTOGRAM
from service_quality.features import declarations
from service_quality.histories.windows import WINDOWS, Window
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from service_quality.policies.policy import DEFAULT_POLICY
from tests.properties import misread_facts, misread_rounds
from tests.properties.event_mutants import EVENT_MUTANTS

Patch = AbstractContextManager[Any]
Mutants = Mapping[str, Callable[[], Patch]]


@contextmanager
def mutated_by(*patches: Patch) -> Iterator[None]:
    """The code with these mistakes in it."""
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield


def _instead(of: Any, name: str, value: object) -> Callable[[], Patch]:
    return lambda: mock.patch.object(of, name, value)


def _each(modules: Sequence[Any], name: str, value: object) -> Callable[[], Patch]:
    """The same for every module that reads it under this name."""
    return lambda: mutated_by(*(mock.patch.object(module, name, value) for module in modules))


#: The modules that read the key of a conversation.
_READ_KEYS = (conversation, decisions, event_fold, log_reader)


def _window(name: str, length: int, hop: int) -> Callable[[], Patch]:
    return lambda: mock.patch.dict(WINDOWS, {name: Window(name, length, hop)})


def _entity(other: entities.Entity) -> Callable[[], Patch]:
    """An entity is another one; keys that were made before are forgotten, and those made with it."""
    return lambda: mutated_by(
        _forgetting_keys(), mock.patch.dict(entities.ENTITIES, {other.name: other}), _forgetting_keys()
    )


@contextmanager
def _forgetting_keys() -> Iterator[None]:
    entities._keys_of.cache_clear()
    yield
    entities._keys_of.cache_clear()


def _by_default(**declared: int) -> Callable[[], Patch]:
    """The default policy declares something else."""
    return _instead(reading, "DEFAULT_POLICY", DEFAULT_POLICY._replace(**declared))  # type: ignore[arg-type]


def _bucket(name: str, bound: int) -> Callable[[], Patch]:
    return lambda: mock.patch.dict(REPLY_HISTOGRAM, {name: bound})


def _read(value: Callable[..., ConversationState]) -> Callable[[], Patch]:
    """Every reading of a conversation is another one; none goes on from the event before."""

    def begin(*given: Any, **options: Any) -> Reading:
        begun = _BEGIN_READING(*given, **options)
        begun.state = value(*given, **options)
        return begun

    return lambda: mutated_by(
        mock.patch.object(conversation_fold, "read_conversation", value),
        mock.patch.object(conversation_fold, "begin_reading", begin),
        mock.patch.object(Reading, "continued", return_value=None),
    )


_BEGIN_READING = reading.begin_reading


_OF_ORDER: Mutants = {
    "ties stay as they arrived": lambda: mutated_by(
        mock.patch.object(reading_order, "_place", misread_rounds.as_they_arrived),
        mock.patch.object(reading_order, "_by_sequence", list),
    ),
    "questions and answers at once by sequence alone": _instead(kinds, "rank", lambda _: 0),
    "ratings are not last": _instead(kinds, "rank", misread_rounds.rank_without_ratings),
    "a question comes first whatever the sequence": _instead(reading_order, "_by_sequence", list),
    "some sequences are enough": _instead(reading_order, "_by_sequence", misread_rounds.by_any_sequence),
    "a correction arrives last": _instead(conversation, "put_at", misread_rounds.correction_that_arrives_last),
    "a correction is a duplicate": _instead(conversation, "_correct", lambda held, *_, **__: held),
    "a conflict is taken": _instead(conversation, "_correct", misread_rounds.conflict_that_is_taken),
    "nothing is corrected": _instead(kinds, "CORRECTED", frozenset()),
    "a note is corrected, too": _instead(kinds, "CORRECTED", kinds.CORRECTED | {"internal_note", "resolved"}),
    "the arrival is content": _instead(conversation, "says_the_same", lambda known, event: known == event),
    "another instant is the same": _instead(conversation, "says_the_same", misread_rounds.the_same_but_for_the_instant),
    "the instant of an early event is content": _instead(
        conversation, "stated_instant", lambda event: event.occurred_at
    ),
}
_OF_ROUNDS: Mutants = {
    "silence ends nothing": _instead(Reading, "_end_by_silence", lambda *_: None),
    "silence ends after 6 days": _by_default(ends_after_ms=6 * DAY),
    "silence ends at 7 days": _by_default(ends_after_ms=7 * DAY - 1),
    "silence ends after 8 days": _by_default(ends_after_ms=8 * DAY),
    "silence ends when it is seen": _instead(Reading, "_end_by_silence", misread_rounds.silence_seen_late),
    "a thread never ends by its age": _instead(Reading, "_end_by_age", lambda *_: None),
    "a thread ends by its age after 31 days": _instead(reading, "RETENTION", 31 * DAY),
    "a thread that waits ends by its age": _instead(Reading, "_end_by_age", misread_rounds.old_though_waiting),
    "a rating is activity": _instead(kinds, "ACTIVITY", kinds.ACTIVITY | {"rated"}),
    "a complaint is no activity": _instead(kinds, "ACTIVITY", kinds.SERVICE),
    "every next round is a reopening": _instead(Reading, "_open_next", misread_rounds.always_a_reopening),
    "reopened after a silence is no reopening": _instead(
        Reading, "_open_next", misread_rounds.reopening_after_a_resolution_alone
    ),
    "a reopening is the next owner's": _instead(
        conversation_facts, "_items", misread_facts.reopening_by_the_next_owner
    ),
    "a visit has one currency": _read(misread_rounds.one_currency_of_a_visit),
    "a merged conversation counts": _read(misread_rounds.never_merged),
    "merged from there on": _read(misread_rounds.merged_from_there_on),
    "unanswered is the owner's": _instead(Reading, "_end", misread_rounds.unanswered_by_the_owner),
    "unanswered is nobody's without assignment": _instead(Reading, "_end", misread_rounds.unanswered_by_nobody),
    "unanswered since the question": _instead(Reading, "_end", misread_rounds.unanswered_since_the_question),
    "every unanswered turn is abandoned": _instead(Reading, "_end", misread_rounds.always_abandoned),
    "nothing is abandoned": _instead(Reading, "_end", misread_rounds.never_abandoned),
    "a resolution without answer counts": _instead(Round, "is_resolved", property(misread_facts.resolved_by_its_end)),
    "a resolution needs an answer": _instead(Round, "is_resolved", property(misread_facts.resolved_by_an_answer)),
}
_OF_WAITS: Mutants = {
    "no answer before its question": _instead(Reading, "_is_answered", lambda *_: False),
    "an answer before its question counts twice": _instead(Reading, "_is_answered", misread_facts.answered_twice),
    "an answer that came first counts": _instead(Reading, "_is_answered", misread_facts.answered_by_what_came_before),
    "the earliest answer before a question counts": _instead(
        Reading, "_is_answered", misread_facts.answered_by_the_first
    ),
    "clocks differ by 2 minutes": _by_default(answer_tolerance_ms=2 * MINUTE),
    "clocks differ by less than a minute": _by_default(answer_tolerance_ms=MINUTE - 1),
    "an agent begins no contact": _instead(reading, "began_by_agent", lambda *_, **__: False),
    "a question in a later round shows that an agent began": _instead(
        reading, "began_by_agent", misread_facts.began_if_asked_in_any_round
    ),
    "an agent begins a contact within an hour": _instead(reading, "began_by_agent", misread_facts.began_within_an_hour),
    "a wait known to the day is 0": _instead(Turn, "reply", misread_facts.instant_wait),
    "a day's end is an exact answer": _instead(Turn, "reply", misread_facts.wait_to_the_end_of_the_day),
    "the last agent has the whole wait": _instead(Turn, "_shares", misread_facts.share_of_the_last),
    "nobody's time is the next agent's": _instead(Turn, "_shares", misread_facts.share_of_the_next),
    "who answers at once has no share": _instead(Turn, "_shares", misread_facts.no_share_without_time),
    "a wait is the sum of the shares": _instead(conversation_facts, "_reply_facts", misread_facts.shares_for_all),
    "an agent's wait is the customer's": _instead(conversation_facts, "_reply_facts", misread_facts.wait_of_the_agent),
    "the wait ends at the arrival": _instead(conversation_fold, "read_event_values", misread_facts.since_the_event),
    "values of the end": _instead(FoldedConversation, "state_at", misread_facts.at_the_end),
    "values of all rounds": _instead(conversation_fold, "read_event_values", misread_facts.of_all_rounds),
    "answered in any round": _instead(conversation_fold, "read_event_values", misread_facts.answered_in_any_round),
    "slow beyond 1 minute": _by_default(slow_beyond_ms=MINUTE),
    "slow at 15 minutes": _by_default(slow_beyond_ms=15 * MINUTE - 1),
    "on time within 4 minutes": _by_default(on_time_within_ms=4 * MINUTE),
    "late at 3 minutes": _by_default(on_time_within_ms=3 * MINUTE - 1),
    "a bucket ends below its bound": _instead(conversation_facts, "_bucket", misread_facts.below_its_bound),
    "a bucket of 29 seconds": _bucket("reply_ms_to_30s", 29 * SECOND),
    "a bucket of 61 seconds": _bucket("reply_ms_to_1m", MINUTE + SECOND),
    "a bucket to 15 minutes and a millisecond": _bucket("reply_ms_to_15m", 15 * MINUTE + 1),
    "a bucket of 5 hours": _bucket("reply_ms_to_4h", 5 * HOUR),
    "a bucket of half a day": _bucket("reply_ms_to_1d", DAY // 2),
}
_OF_OWNERS: Mutants = {
    "the first agent who answered owns": _instead(Round, "owner", property(misread_facts.first_who_answered)),
    "the assigned agent owns": _instead(Round, "owner", property(misread_facts.assigned_agent)),
    "who wrote unasked owns nothing": _instead(Round, "owner", property(misread_facts.who_answered_or_was_assigned)),
    "who wrote last owns": _instead(Round, "owner", property(misread_facts.who_wrote_last)),
    "an assignment after the end owns": _instead(Reading, "_assign", misread_rounds.assigned_after_the_end),
    "an assignment during a wait shares nothing": _instead(
        Reading, "_assign", misread_rounds.assigned_by_the_turn_alone
    ),
    "the first attribute named stays": _instead(Reading, "_read_attributes", misread_rounds.first_named),
    "rated is closed though somebody waits": _instead(
        ConversationState, "closed", property(misread_rounds.closed_though_waiting)
    ),
    "a rating closes nothing": _instead(ConversationState, "closed", property(misread_rounds.closed_by_its_end_alone)),
    "a rated contact is scored": _read(misread_rounds.never_closed_before),
    "what closes a round is not scored": _read(misread_rounds.closed_before),
    "complaints are not scored": _instead(conversation_fold, "SCORED", SCORED - {"complaint_filed"}),
    "satisfied with 3": _by_default(dissatisfied_at_most=2),
    "dissatisfied with 4": _by_default(dissatisfied_at_most=4),
}
_OF_VIEWS: Mutants = {
    "a page is looked at until tomorrow": _instead(visit_facts, "LONGEST_VIEW", DAY),
    "a page that was left counts": _instead(visit_facts, "_gap", misread_facts.gap_without_end),
}
_OF_THE_REST: Mutants = {
    "a visit of all days": _each(_READ_KEYS, "conversation_key", misread_facts.visit_without_a_day),
    "a visit that names a contact is in it": _each(
        _READ_KEYS, "conversation_key", misread_facts.visit_in_the_contact_it_names
    ),
    "a complaint outside of a contact is lost": _read(misread_rounds.complaints_of_contacts_only),
    "an amount counts in the stated currency alone": _instead(
        visit_facts, "_attributes", misread_facts.in_the_stated_currency
    ),
    "an amount counts in any currency": _entity(entities.CUSTOMER_CURRENCY._replace(parts=("customer_id",))),
    "the first currency stays": _instead(Reading, "_read_attributes", misread_rounds.first_currency),
    "a cancelled order is a return": lambda: mock.patch.dict(
        EVENT_FACTS, {"order_cancelled": EVENT_FACTS["order_returned"]}
    ),
    "every order is a day": _instead(conversation_facts, "look_at", misread_facts.day_of_each_order),
    "a result that is not said is none": lambda: mock.patch.dict(
        EVENT_FACTS, {"searched": EVENT_FACTS["searched"] + misread_facts.UNSAID_RESULT}
    ),
    "pieces are orders": lambda: mock.patch.dict(
        EVENT_FACTS, {"order_placed": misread_facts.without_sums(EVENT_FACTS["order_placed"])}
    ),
    "nothing is taken back": _instead(conversation_facts, "_listed", misread_facts.only_what_is_new),
    "retention a day longer": _instead(conversation, "RETENTION", 31 * DAY),
    "retention a day shorter": _instead(conversation, "RETENTION", 29 * DAY),
    "retained a day longer": _instead(conversation, "CONVERSATION_RETENTION", 32 * DAY + HOUR),
    "retained a day shorter": _instead(conversation, "CONVERSATION_RETENTION", 30 * DAY + HOUR),
    "a missing product is no product": _entity(entities.SUBCATEGORY_PRODUCT._replace(keeps_missing=False)),
}
#: Mistakes in a conversation and its facts, in what is scored and in retention: each step shows them.
OF_CONVERSATIONS: Mutants = {
    **EVENT_MUTANTS, **_OF_ORDER, **_OF_ROUNDS, **_OF_WAITS, **_OF_OWNERS, **_OF_VIEWS, **_OF_THE_REST,
}  # fmt: skip
#: Of these, those that the vectors show soon, too; what only facts show that few features read takes long.
OF_VECTORS: Mutants = {**_OF_OWNERS, **_OF_THE_REST}
#: Mistakes in what histories give: only what was served shows them.
OF_HISTORIES: Mutants = {
    "slow replies per reply": lambda: mock.patch.dict(declarations.RATES, {"slow": ("slow_replies", "replies")}),
    "a share is not shrunk": _instead(declarations.WindowRatio, "compute", misread_facts.share_as_counted),
    "an even spread is the whole": _instead(declarations.WindowRatio, "even_share", property(lambda _: 1.0)),
    "7 days by 12 hours": _window("7d", 7 * DAY, 12 * HOUR),
    "an hour by 10 minutes": _window("1h", HOUR, 10 * MINUTE),
    "a day of 25 hours": _window("1d", 25 * HOUR, HOUR),
    "30 days of 31": _window("30d", 31 * DAY, DAY),
    "90 days by 2 days": _window("90d", 90 * DAY, 2 * DAY),
    "a year by days": _window("365d", 365 * DAY, DAY),
    "the first is the last": _instead(declarations.TimeSinceFirst, "compute", declarations.TimeSince.compute),
    "windows without a hop": _instead(Window, "start", misread_facts.start_without_hop),
    "the log comes before imports": _instead(reading_order, "_place", misread_rounds.log_before_imports),
}
#: Mistakes in a bound, each with what is bounded.
OF_BOUNDS: Mapping[str, tuple[str, Callable[[], Patch]]] = {
    "10 times as many events": ("events", _instead(conversation, "MAX_EVENTS", 5_000)),
    "one event more": ("events", _instead(conversation, "MAX_EVENTS", 501)),
    "one event less": ("events", _instead(conversation, "MAX_EVENTS", 499)),
    "10 times as many histories": ("histories", _instead(event_fold, "MAX_HISTORIES", 3_000)),
    "one history more": ("histories", _instead(event_fold, "MAX_HISTORIES", 301)),
    "one history less": ("histories", _instead(event_fold, "MAX_HISTORIES", 299)),
    "1,000 times as many cached items": ("cached items", _instead(online_commit, "_MAX_CACHED_ITEMS", 20_000_000)),
    "one cached item more": ("cached items", _instead(online_commit, "_MAX_CACHED_ITEMS", 20_001)),
    "one cached item less": ("cached items", _instead(online_commit, "_MAX_CACHED_ITEMS", 19_999)),
}
