"""What stays the same throughout a schedule."""

from dataclasses import dataclass

from service_quality.instants import DAY
from tests.properties.random_logs import Choices


@dataclass(frozen=True)
class Setting:
    """Decoded from one number; 0 is the plainest.

    `most_items` bounds a transaction and `most_events` a conversation; one vector in `cursed_of` makes every model
    raise, and where it is `touchy` whatever was computed while others moved the shop; a shop is `replayed` when its
    log's own time lies so long before the wall clock.
    """

    features: str
    shops: tuple[str, ...]
    most_items: int
    touchy: bool
    most_events: int
    cursed_of: int
    replayed: int

    @classmethod
    def of(cls, number: int) -> "Setting":
        choices = Choices(number)
        features = choices.of(("small",) * 7 + ("in service",))
        return cls(
            features=features,
            shops=choices.of((("shop",), ("shop",), ("shop", "next"))),
            most_items=choices.of((100, 40 if features == "small" else 70)),
            touchy=choices.of((False, False, True)),
            most_events=choices.of((500, 500, 3, 6)),
            cursed_of=choices.of((0, 0, 4, 15)),
            replayed=choices.of((0, 0, 0, 400 * DAY)),
        )
