"""The tasks of the one machinery that trains, exports, promotes, serves and judges. Adding one is one entry here.

A task's training set, model, registry slot and score carry its name; what it reads of histories is declared once for
every engine, as its features.
"""

from service_quality.by_fields import ByFields, value_class
from service_quality.errors import DeclarationError
from service_quality.events.kinds import ALL, BEHAVIOUR, FEEDBACK, SERVICE
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import EventValue, FeatureSet
from service_quality.features.feature_set import BESIDE_THE_MODEL, CHURN_FEATURES, FEATURES
from service_quality.instants import DAY
from service_quality.message import Message

#: The unit of a task that scores the running conversation.
CONVERSATION = "conversation"


@value_class(frozen=True)
class Task(ByFields):
    """One question to a model.

    `unit` is whom or what it scores: the conversation, or an entity. `kinds` are the events at which a unit that they
    name is scored; `features` what is served to its model then, in vector order, of which those named in `beside` are
    served to rules alone. `score` is the name of its probability in rules and alerts, `words` what it says. `threshold`
    is the probability from which on it calls. The score of a conversation is read with the histories before the event,
    that of an entity with those behind it: an order just placed counts. `horizon` is the time after an instant at which
    its label closes, 0 where an event closes it, as a rating does. `directed` says whether the directions of
    features/expectations.py, which are those of dissatisfaction, bind the model.
    """

    name: str
    unit: str
    kinds: frozenset[str]
    features: FeatureSet
    score: str
    words: Message
    threshold: float = 0.5
    beside: frozenset[str] = frozenset()
    horizon: int = 0
    directed: bool = False

    def __post_init__(self) -> None:
        """DeclarationError for an unknown unit or kind, or for a feature that an entity's score cannot have."""
        if self.unit != CONVERSATION and (self.unit not in ENTITIES or ENTITIES[self.unit].stored_with):
            raise DeclarationError(f"{self.name}: found unit {self.unit!r}, expected {CONVERSATION} or an entity")
        if not self.kinds <= ALL:
            raise DeclarationError(f"{self.name}: found kinds {sorted(self.kinds - ALL)}, expected kinds of events")
        for feature in self.features.features if self.unit != CONVERSATION else ():
            if isinstance(feature, EventValue) or feature.entity != self.unit:
                raise DeclarationError(f"{self.name}: found {feature.name}, expected features of the {self.unit}")

    @property
    def reads_after(self) -> bool:
        """Whether histories are read behind the event that is scored."""
        return self.unit != CONVERSATION


DISSATISFACTION = Task(
    name="dissatisfaction",
    unit=CONVERSATION,
    kinds=SERVICE | {"complaint_filed"},
    features=FEATURES,
    score="score",
    words=Message("risk that the customer ends up dissatisfied", "顾客最终不满意的风险"),
    beside=BESIDE_THE_MODEL,
    directed=True,
)

#: A customer counts as somebody who may leave for so long after an order, and as gone after so long without one.
CHURN_POPULATION, CHURN_HORIZON = 90 * DAY, 90 * DAY

CHURN = Task(
    name="churn",
    unit="customer",
    kinds=SERVICE | FEEDBACK | (BEHAVIOUR & {"order_placed", "order_cancelled", "order_returned"}),
    features=CHURN_FEATURES,
    score="churn_score",
    words=Message("probability that the customer orders nothing in 90 days", "顾客 90 天内不再下单的概率"),
    horizon=CHURN_HORIZON,
)

TASKS = {task.name: task for task in (DISSATISFACTION, CHURN)}

#: Those that score entities.
ENTITY_TASKS = tuple(task for task in TASKS.values() if task.unit != CONVERSATION)


def scores_of(unit: str) -> tuple[str, ...]:
    """The names of the scores of a unit.

    >>> scores_of("customer"), scores_of("agent")
    (('churn_score',), ())
    """
    return tuple(task.score for task in TASKS.values() if task.unit == unit)
