"""Rules are data: kinds of events, conditions over named values, severities, subject, cooldown, texts for people."""

from functools import cached_property

from service_quality.alerts.conditions import Condition, HeldFor, Values, held_in
from service_quality.alerts.stages import stages_in
from service_quality.by_fields import ByFields, value_class
from service_quality.conversations.wait_stages import WAITED_SHARE, Stage
from service_quality.errors import DeclarationError
from service_quality.facts.entities import ENTITIES
from service_quality.message import NO_TEXT, Message

#: What an alert is about where it is about no entity.
CONVERSATION = "conversation"
SEVERITIES = ("info", "warning", "critical")
#: Whom an alert calls, by which subscribers filter.
AUDIENCES = ("operations", "team", "coaching", "marketing", "buying")


@value_class(frozen=True)
class Rule(ByFields):
    """One declared call for attention.

    `tiers` give a severity and its condition, gravest first; the first that holds decides. `resolved_when` ends an
    open alert and comes before any tier. Within the cooldown after the last message, an alert that holds or comes back
    is only counted, unless it is worse. `audiences` say which of AUDIENCES each severity calls; `title` and `advice`
    are what people read of it; `owner` answers for it.
    """

    name: str
    version: int
    subject: str
    kinds: frozenset[str]
    tiers: tuple[tuple[str, Condition], ...]
    resolved_when: Condition
    cooldown_ms: int
    evidence: tuple[str, ...] = ()
    audiences: tuple[tuple[str, str], ...] = tuple((severity, AUDIENCES[0]) for severity in SEVERITIES)
    title: Message = NO_TEXT
    advice: Message = NO_TEXT
    owner: str = ""
    known_false_alarms: Message = NO_TEXT

    def __post_init__(self) -> None:
        """DeclarationError for a subject without an item of its own for its alerts, or an unknown name."""
        subjects = [CONVERSATION, *(name for name, entity in ENTITIES.items() if not entity.stored_with)]
        if self.subject not in subjects:
            raise DeclarationError(f"found subject {self.subject!r}, expected one of {', '.join(subjects)}")
        for severity, _ in self.tiers:
            if severity not in SEVERITIES:
                raise DeclarationError(f"found severity {severity!r}, expected one of {', '.join(SEVERITIES)}")
        for _, audience in self.audiences:
            if audience not in AUDIENCES:
                raise DeclarationError(f"found audience {audience!r}, expected one of {', '.join(AUDIENCES)}")

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of a wait at which it may begin to hold; a rule that has some is raised there and nowhere else."""
        if self.subject != CONVERSATION:
            return ()
        return tuple(sorted({stage for _, condition in self.tiers for stage in stages_in(condition)}))

    @cached_property
    def is_of_stages_alone(self) -> bool:
        """Whether no alert of it begins but where time reaches a stage, and it remembers nothing before."""
        has_stages = self.subject == CONVERSATION and all(any(stages_in(condition)) for _, condition in self.tiers)
        return has_stages and bool(self.tiers) and not self.held_conditions

    @cached_property
    def is_of_each_wait(self) -> bool:
        """Whether it asks how much of its target's time a wait has taken: every wait is then a matter of its own."""
        return any(stage.value == WAITED_SHARE for stage in self.stages)

    @cached_property
    def held_conditions(self) -> tuple[HeldFor, ...]:
        """Its conditions that ask how long another one has held."""
        conditions = (*(condition for _, condition in self.tiers), self.resolved_when)
        return tuple(held for condition in conditions for held in held_in(condition))

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the values that its conditions look at."""
        conditions = (*(condition for _, condition in self.tiers), self.resolved_when)
        return tuple(dict.fromkeys(name for condition in conditions for name in condition.reads))

    def audiences_up_to(self, severity: str) -> tuple[str, ...]:
        """Whom an alert has called by the time it is so grave, the first of them first.

        Who was called stays called: of an alert that goes from a notice to a warning both hear.
        """
        least = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return tuple(dict.fromkeys(audience for one, audience in self.audiences if one in least))

    def severity(self, values: Values) -> str | None:
        """The gravest severity whose condition holds."""
        for severity, condition in self.tiers:
            if condition.holds(values):
                return severity
        return None
