"""The kinds of interaction events, and their groups."""

SERVICE = frozenset(
    {
        "conversation_opened",
        "customer_message",
        "agent_message",
        "bot_message",
        "internal_note",
        "assigned",
        "status_changed",
        "resolved",
        "reopened",
    }
)
FEEDBACK = frozenset({"rated", "complaint_filed", "suggestion_made"})
BEHAVIOUR = frozenset({"page_viewed", "searched", "cart_added", "order_placed", "order_cancelled", "order_returned"})
ALL = SERVICE | FEEDBACK | BEHAVIOUR

#: Kinds after which the running conversation is scored. A rating is the label itself, so it is not scored.
SCORED = SERVICE | {"complaint_filed"}

#: Kinds that decide the outcome of a contact or a visit: a full conversation still has room for some of them.
DECISIVE = FEEDBACK | {"resolved", "reopened", "order_placed", "order_cancelled", "order_returned"}

#: The required fields of a kind, besides those of every event.
REQUIRED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SERVICE, ("conversation_id",)),
    **dict.fromkeys(BEHAVIOUR, ("customer_id",)),
    "agent_message": ("conversation_id", "agent_id"),
    "assigned": ("conversation_id", "agent_id"),
    "rated": ("conversation_id", "rating"),
    "searched": ("customer_id", "query"),
    "order_placed": ("customer_id", "order_id"),
    "order_cancelled": ("customer_id", "order_id"),
    "order_returned": ("customer_id", "order_id"),
}

#: Records that change a shop besides interaction events; only the deployment itself may put them on a log.
CONTROL = frozenset({"history_imported", "history_filled", "state_rebuilt", "record_put_back", "shop_unparked"})
