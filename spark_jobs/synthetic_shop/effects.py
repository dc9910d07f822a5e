"""The effects that make a synthetic customer dissatisfied, as data: the truth to check a model against."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effect:
    """`log_odds` that one unit of the variable `name` adds to a dissatisfied outcome."""

    name: str
    log_odds: float
    unit: str


EFFECTS = (
    Effect("slow_first_response", 0.5, "factor e by which the first response missed the channel's promise, −2 to 3"),
    Effect("left_waiting", 0.5, "factor e by which the longest wait of one who was left exceeded an hour, 0 to 4"),
    Effect("agent_weakness", 0.6, "standard deviation of agents, positive is weaker; of the agent who had it last"),
    Effect("new_agent", 0.4, "1 for an agent in the first 30 days"),
    Effect("hard_category", 0.8, "1 for contacts about refunds and faulty goods"),
    Effect("transferred", 0.5, "1 when the contact changed hands"),
    Effect("reopened", 1.1, "1 when it was resolved and came back"),
    Effect("earlier_dissatisfied", 0.9, "1 when the customer's last rating before was a dissatisfied one"),
    Effect("flawed_product", 0.6, "1 when the product is one that is often returned"),
    Effect("dear_product", 0.4, "1 when the product costs 1,000.00 or more"),
    Effect("new_shop", 0.0, "1 in a shop that opened after the others: it is like them, only without a past"),
)

#: Log-odds where every variable is 0, set so that about 17 % of all contacts end dissatisfied.
INTERCEPT = -3.05


def dissatisfaction(variables: Mapping[str, float]) -> float:
    """The probability that a contact ends dissatisfied; every effect's variable must be there.

    >>> nothing = dict.fromkeys((effect.name for effect in EFFECTS), 0.0)
    >>> dissatisfaction(nothing) < dissatisfaction({**nothing, "reopened": 1.0})
    True
    """
    log_odds = INTERCEPT + sum(effect.log_odds * variables[effect.name] for effect in EFFECTS)
    return 1 / (1 + math.exp(-log_odds))
