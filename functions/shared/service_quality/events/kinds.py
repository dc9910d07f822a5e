"""The kinds of interaction events, and what each kind is for."""

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

#: Kinds after which the running conversation is scored. A rating ends the question, so it asks none.
SCORED = SERVICE | {"complaint_filed"}

#: What a kind cannot do without, besides the fields that every event has.
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

#: The one record on a shop's log that no source may send: a backfill enters the log with it.
HISTORY_IMPORTED = "history_imported"
