"""The constants of a schedule."""

from dataclasses import dataclass

from service_quality.instants import DAY
from tests.properties.random_logs import Choices

#: The number of deciding events that a full conversation still takes.
RESERVED_EVENTS = 2


@dataclass(frozen=True)
class Setting:
    """Decoded from one number; 0 is the plainest.

    `most_items` bounds a transaction, `most_events` a conversation and `most_item_bytes` an item; one vector in
    `cursed_of` makes every model raise; under a bad release one event in `ill_of` makes the fold raise, and where it is
    `touchy` whatever is folded while others move the shop; a shop is `replayed` when its log's own time lies so long
    before the wall clock; the stream begins with so many `shards`.
    """

    features: str
    shops: tuple[str, ...]
    most_items: int
    touchy: bool
    most_events: int
    cursed_of: int
    replayed: int
    shards: int = 1
    ill_of: int = 0
    most_item_bytes: int = 390_000

    @classmethod
    def of(cls, number: int) -> "Setting":
        choices = Choices(number)
        features = choices.of(("small",) * 7 + ("in service",))
        return cls(
            features=features,
            shops=choices.of((("shop",), ("shop", "next"))),
            most_items=choices.of((99, 40 if features == "small" else 70)),
            touchy=choices.of((False, False, True)),
            most_events=choices.of((500, 500, 3, 6)),
            cursed_of=choices.of((0, 0, 4, 15)),
            replayed=choices.of((0, 0, 0, 400 * DAY)),
            shards=choices.of((1, 2, 1, 3)),
            ill_of=choices.of((1, 3, 10)),
            most_item_bytes=choices.of((390_000, 390_000, 650 if features == "small" else 3_000)),
        )
