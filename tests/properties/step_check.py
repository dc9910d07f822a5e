"""The core's fold, step by step, against the oracle: exact values, and the facts of every entity."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from service_quality.conversations import conversation, deadlines, wait_stages
from service_quality.conversations.conversation import EMPTY
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.time_reached import TimeReached
from service_quality.facts import conversation_fold
from service_quality.facts.conversation_facts import FACTS, Fact
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import FeatureSet
from service_quality.instants import DAY, parse_instant
from service_quality.policies.policy import Policy
from tests.oracle.bounds import fold_key
from tests.oracle.deadlines import deadline
from tests.oracle.entities import PARTS, entity_key
from tests.oracle.event_values import values_at
from tests.oracle.fact_names import FACTS as ALL_FACTS
from tests.oracle.facts import Fact as OracleFact
from tests.oracle.outcome import attributes_after, is_scored
from tests.oracle.story import Instant, Story
from tests.properties.naive_reader import NaiveReader
from tests.properties.policy_pairs import PolicyPair, policy_pairs
from tests.properties.random_logs import RandomLog, read_record
from tests.properties.random_times import STAGES, aimed, oracle_time, stages_about

#: Events between two policies.
EVERY = 5
#: The first day of a year without a published decree: of a log under policies the middle lies there.
FIRST_PROVISIONAL_DAY = parse_instant("2027-01-01T00:00:00Z")

KEPT = dict.fromkeys(FACTS, tuple(ENTITIES.values()))
REASONS = {"older_than_retention": "too old", "conversation_full": "full", "conflicting_content": "conflict"}


@dataclass
class CoreFold:
    """Folds one shop's events with the core, as every engine does."""

    clock: int = 0
    received_clock: int = 0
    policies: tuple[Policy, ...] = ()
    held: dict[str, FoldedConversation] = field(
        default_factory=lambda: defaultdict(lambda: FoldedConversation(EMPTY, KEPT))
    )

    def fold(self, event: InteractionEvent | TimeReached) -> tuple[str, ConversationStep | None]:
        """The outcome of an event or of time, in the oracle's names, and its step."""
        key = conversation.conversation_key(event)
        clock = max(self.clock, min(event.occurred_at, event.received_at))
        received_clock = max(self.received_clock, event.received_at)
        fold = conversation_fold.step_time if isinstance(event, TimeReached) else conversation_fold.step_conversation
        try:
            conversation.reject_too_old(event, received_clock=received_clock)
            step = fold(
                self.held[key],
                event,  # type: ignore[arg-type]  # the fold is that of its kind
                received_clock=received_clock,
                policies=self.policies,
            )
        except RejectedEventError as error:
            return REASONS[error.reason], None
        if step is None:
            return "silent" if isinstance(event, TimeReached) else "duplicate", None
        self.held[key], self.clock, self.received_clock = step.after, clock, received_clock
        return "accepted", step


def assert_steps_equal_oracle(log: RandomLog) -> None:
    """Every event of the log, its imports left out: what became of it, what it showed, and what it changed."""
    assert_events_fold_as_oracle_says(_folded(log))


def assert_steps_under_policies_equal_oracle(log: RandomLog) -> None:
    """The same with policies on the log: a new one before every fifth event, the first included."""
    events = _about_new_year(_folded(log))
    begun = [max(event.occurred_at for event in events[: place + 1]) for place in range(0, len(events), EVERY)]
    assert_events_fold_as_oracle_says(events, dict(zip(range(0, len(events), EVERY), policy_pairs(begun), strict=True)))


def _folded(log: RandomLog) -> list[InteractionEvent | TimeReached]:
    """The events of a log and its records of time, as they are read."""
    found: list[InteractionEvent | TimeReached] = []
    for record in log.records:
        try:
            read = read_record(record, log.shop_id)
        except RejectedEventError:
            continue
        if isinstance(read, InteractionEvent | TimeReached):
            found.append(read)
    return found


def _about_new_year(events: list[InteractionEvent | TimeReached]) -> list[InteractionEvent | TimeReached]:
    """The events and instants, whole days later or earlier."""
    later = FIRST_PROVISIONAL_DAY - events[len(events) // 2].occurred_at // DAY * DAY if events else 0
    return [
        replace(event, due_at=event.due_at + later)
        if isinstance(event, TimeReached)
        else replace(
            event,
            occurred_at=event.occurred_at + later,
            received_at=event.received_at + later,
            stated_at=None if event.stated_at is None else event.stated_at + later,
        )
        for event in events
    ]


def assert_events_fold_as_oracle_says(
    events: Sequence[InteractionEvent | TimeReached], policies: Mapping[int, PolicyPair] | None = None
) -> None:
    """Each event in turn; of `policies` each comes before the event of its number.

    Policies move deadlines, so then most records of time are aimed at those that hold by then.
    """
    core, oracle = CoreFold(), NaiveReader(FeatureSet(()))
    oracle.kept = {entity: set(ALL_FACTS) for entity in PARTS}
    for number, event in enumerate(events):
        if policies is not None and number in policies:
            core.policies += (policies[number].core,)
            oracle.policies[str(number)] = policies[number].oracle
        if policies is not None and isinstance(event, TimeReached) and number % EVERY:
            event = aimed(event, oracle)  # noqa: PLW2901
        oracle.entered.clear()
        became, step = core.fold(event)
        (reading,) = oracle.read([("", oracle_time(event) if isinstance(event, TimeReached) else event)])
        assert became == ("accepted" if reading.became in ("corrected", "reached") else reading.became)
        if step is not None:
            _assert_step(step, event, oracle)


def _assert_step(step: ConversationStep, event: InteractionEvent | TimeReached, oracle: NaiveReader) -> None:
    key = conversation.conversation_key(event) if isinstance(event, TimeReached) else fold_key(event)
    story = oracle.story(oracle.contacts[key].events)
    events = [one.event for one in story.events]
    held = [(replace(one, text=None, query=None), _has_words(one)) for one in events]
    stored = [one.event for one in step.after.placed]
    assert [(replace(one, text_digest=None, policies_known=0), bool(one.text_digest)) for one in stored] == held
    moment: InteractionEvent | Instant
    if isinstance(event, TimeReached):
        until, moment = story.up_to(event.due_at), Instant(event.due_at)
    else:
        until = story.until(story.place_of(event.event_id))
        moment = until.events[-1].event
    assert step.values == values_at(moment, until, is_void=story.is_void)
    assert step.scored == (isinstance(event, TimeReached) or is_scored(event, story))
    attributes = attributes_after(until, is_void=story.is_void)
    keys = {entity: entity_key(entity, attributes) for entity in PARTS}
    assert step.keys == {entity: key for entity, key in keys.items() if key is not None}
    assert _summed(step.facts) == _summed([fact for facts in oracle.entered.values() for fact in facts])
    _assert_deadlines(step, story, key)


def _assert_deadlines(step: ConversationStep, story: Story, key: str) -> None:
    is_visit = key.startswith(("visit", "count"))  # which nobody looks at again
    for name in STAGES if is_visit else stages_about(step.event.received_at):
        stage = wait_stages.stage_named(name)
        assert stage is not None
        found, expected = deadlines.deadline_of(step.after.state, stage), deadline(story, name)
        assert (found and tuple(found)) == (expected and tuple(expected)), name


def _has_words(event: InteractionEvent) -> bool:
    return event.text is not None or event.query is not None


def _summed(facts: Iterable[Fact | OracleFact]) -> dict[tuple[str, int, str], int]:
    """The sum of each fact by entity key, instant and name; zeros are left out."""
    sums: Counter[tuple[str, int, str]] = Counter()
    for key, at, name, value in facts:
        sums[key, at, name] += value
    return {fact: value for fact, value in sums.items() if value}
