"""What the card of a task's model says of label, use and limits."""

from typing import NamedTuple

from service_quality.instants import DAY
from service_quality.policies.policy import DEFAULT_POLICY
from service_quality.tasks.declared_tasks import CHURN, CHURN_HORIZON, CHURN_POPULATION, DISSATISFACTION, Task


class CardTexts(NamedTuple):
    """`label` says when the label is 1, `rows` and `unit` what is scored, `weight` what has one unit of weight."""

    label: str
    intended_use: str
    rows: str
    unit: str
    weight: str
    limits: tuple[str, ...]


_ANY_LIMITS = (
    "A contribution says what moved the score, not what caused the outcome.",
    "It says nothing of values outside the learnt ranges: there its score rests at that of the range's end.",
    "It ages: judge it again when prices, staff or the catalogue change, and retrain by time, never at random.",
)

_TEXTS = {
    DISSATISFACTION.name: CardTexts(
        label=(
            f"the round is rated {DEFAULT_POLICY.dissatisfied_at_most} or lower of 5, or what the shop's policy says;"
            " unrated rounds train nothing"
        ),
        intended_use=(
            "Ranks running customer conversations by the risk that they end dissatisfied, so that people can act while"
            " the outcome can still be changed, and gives the reasons of each score."
        ),
        rows="scored events",
        unit="conversation",
        weight="conversations",
        limits=(
            "It knows only rated conversations; customers who rate are not all customers.",
            "It judges conversations. A person must not be assessed, paid or dismissed by it.",
            "Its histories are those of the shops it was trained on; a new shop starts from the declared priors.",
            *_ANY_LIMITS,
        ),
    ),
    CHURN.name: CardTexts(
        label=(
            f"the customer, who ordered in the {CHURN_POPULATION // DAY} days before, places no order in the"
            f" {CHURN_HORIZON // DAY} days after; an order that is cancelled counts as one"
        ),
        intended_use=(
            "Ranks the customers of a shop by the risk that they do not order again soon, so that people can decide"
            " whom to look after, and gives the reasons of each score."
        ),
        rows="customers at weekly cutoffs",
        unit="customer",
        weight="quarters of a customer",
        limits=(
            "It says who may leave, not whom an offer would keep: only a control group shows that.",
            "A year's window fills in a year: of a younger shop watch the calibration.",
            "Its labels close after 90 days, the season does not wait for them.",
            *_ANY_LIMITS,
        ),
    ),
}


def texts_of(task: Task) -> CardTexts:
    """The texts of a task's card."""
    return _TEXTS[task.name]
