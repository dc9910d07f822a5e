"""The control record of a reached deadline: apart from the others, since conversations are folded with it."""

from service_quality.by_fields import ByFields, value_class
from service_quality.events import kinds
from service_quality.instants import format_instant


@value_class(frozen=True, kw_only=True)
class TimeReached(ByFields):
    """The clock has reached an instant at which a turn of a conversation comes to a stage of its wait.

    It occurs and is received at `due_at`, in epoch milliseconds, whenever it arrives; `stage` is the stage's name. The
    second one of a turn and a stage is a duplicate.
    """

    shop_id: str
    conversation_id: str
    round: int
    turn: int
    stage: str
    due_at: int

    kind = kinds.TIME_REACHED
    precision = "ms"
    customer_id = None

    @property
    def occurred_at(self) -> int:
        """The due instant."""
        return self.due_at

    @property
    def received_at(self) -> int:
        """The due instant: the shop's clocks move to it, never to when it rang."""
        return self.due_at

    @property
    def event_id(self) -> str:
        """A name that the second one of the same turn and stage has, too."""
        return f"{self.conversation_id}/{self.round}/{self.turn}/{self.stage}"

    def form(self) -> dict[str, object]:
        """Its own fields in the JSON form."""
        return {
            "conversation_id": self.conversation_id,
            "round": self.round,
            "turn": self.turn,
            "stage": self.stage,
            "due_at": format_instant(self.due_at),
        }
