"""The kinds of interaction events: their groups, required fields, and meanings."""

from typing import NamedTuple

_SERVICE, _FEEDBACK, _BEHAVIOUR, _STOCK = "service", "feedback", "behaviour", "stock"


class Kind(NamedTuple):
    """One kind: its group, whom or what each event of it must belong to, and its meaning in words."""

    group: str
    needs: tuple[str, ...]
    says: str


KINDS = {
    "conversation_opened": Kind(_SERVICE, ("conversation_id",), "a customer contacts the shop; a wait begins"),
    "customer_message": Kind(_SERVICE, ("conversation_id",), "the customer writes; a wait begins if none runs"),
    "agent_message": Kind(_SERVICE, ("conversation_id",), "an agent writes; a wait ends"),
    "bot_message": Kind(_SERVICE, ("conversation_id",), "a bot writes; a wait goes on"),
    "internal_note": Kind(_SERVICE, ("conversation_id",), "a note among staff, which the customer does not see"),
    "assigned": Kind(_SERVICE, ("conversation_id",), "an agent takes over; a change of agent is a transfer"),
    "status_changed": Kind(_SERVICE, ("conversation_id",), "the status changes in a way that no other kind says"),
    "resolved": Kind(_SERVICE, ("conversation_id",), "the contact is settled"),
    "reopened": Kind(_SERVICE, ("conversation_id",), "a settled contact begins again; a wait begins"),
    "rated": Kind(_FEEDBACK, ("conversation_id",), "the customer rates the contact; the label of the model"),
    "complaint_filed": Kind(_FEEDBACK, (), "a formal complaint, about a contact or by a customer"),
    "suggestion_made": Kind(_FEEDBACK, (), "a suggestion, in a contact or by a customer"),
    "page_viewed": Kind(_BEHAVIOUR, ("customer_id",), "the customer looks at a page of the shop"),
    "searched": Kind(_BEHAVIOUR, ("customer_id",), "the customer searches in the shop"),
    "cart_added": Kind(_BEHAVIOUR, ("customer_id",), "the customer puts a product into the cart"),
    "order_placed": Kind(_BEHAVIOUR, ("customer_id",), "the customer orders"),
    "order_cancelled": Kind(_BEHAVIOUR, ("customer_id",), "an order is cancelled"),
    "order_returned": Kind(_BEHAVIOUR, ("customer_id",), "an order comes back"),
    "stock_counted": Kind(_STOCK, ("sku",), "the shop counts what it has of a product"),
}


def _of(group: str) -> frozenset[str]:
    return frozenset(name for name, kind in KINDS.items() if kind.group == group)


SERVICE, FEEDBACK, BEHAVIOUR, STOCK = _of(_SERVICE), _of(_FEEDBACK), _of(_BEHAVIOUR), _of(_STOCK)
#: Kinds by the name of their group.
GROUPS = {_SERVICE: SERVICE, _FEEDBACK: FEEDBACK, _BEHAVIOUR: BEHAVIOUR, _STOCK: STOCK}
#: What customers do, and what is done for them: each belongs to a conversation or a customer.
OF_CUSTOMERS = SERVICE | FEEDBACK | BEHAVIOUR
ALL = OF_CUSTOMERS | STOCK

#: Kinds that fold by day and not by contact, whatever contact they name.
OF_DAYS = BEHAVIOUR | STOCK

RATED = "rated"

#: Kinds after which the running conversation is scored. A rating is the label itself, so it is not scored.
SCORED = SERVICE | {"complaint_filed"}

#: Kinds by which a customer begins to wait.
QUESTIONS = frozenset({"conversation_opened", "customer_message", "reopened"})


def rank(kind: str) -> int:
    """The place of a kind among the events of one instant: questions, others, resolutions, ratings."""
    return 0 if kind in QUESTIONS else _LAST.get(kind, 1)


_LAST = {"resolved": 2, RATED: 3}


#: Kinds that keep a round running.
ACTIVITY = SCORED

#: Kinds whose events their source may correct: another content of a known id takes the place of the earlier one.
CORRECTED = frozenset({RATED, "customer_message", "agent_message", "bot_message"})

#: Kinds that decide the outcome of a contact or a visit: a full conversation still has room for some of them.
DECISIVE = FEEDBACK | {"resolved", "reopened", "order_placed", "order_cancelled", "order_returned"}

#: Records that change a shop besides interaction events; only the deployment itself may put them on a log.
CONTROL = frozenset(
    {
        "history_imported",
        "history_filled",
        "state_rebuilt",
        "record_put_back",
        "shop_unparked",
        "settings_changed",
        "time_reached",
        "finding_reported",
    }
)

#: The clock reached a due instant of a conversation.
TIME_REACHED = "time_reached"

#: A job says what it found about a subject.
FINDING_REPORTED = "finding_reported"
