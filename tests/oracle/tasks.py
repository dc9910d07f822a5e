"""What models say of entities behind an event, and what jobs may find, as docs/architecture.md states them."""

from collections.abc import Mapping

from service_quality.features.declarations import FeatureSet

#: Task → the features by which it scores a customer.
Tasks = Mapping[str, FeatureSet]

#: Task → the kinds of events at which the customer is scored whom they name.
SCORED_AT = {
    "churn": (
        "conversation_opened", "customer_message", "agent_message", "bot_message", "internal_note", "assigned",
        "status_changed", "resolved", "reopened", "rated", "complaint_filed", "suggestion_made", "order_placed",
        "order_cancelled", "order_returned",
    ),
}  # fmt: skip
#: Finding → the entity that it is about.
SUBJECTS = {"churn": "customer"}


def customer_key(customer_id: str) -> str:
    """The key under which what is known of a customer is stored."""
    return f"customer\x1f{customer_id}"
