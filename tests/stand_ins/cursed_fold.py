"""A defect of our own code in the fold: it fails on the events of certain ids."""

from collections.abc import Callable
from typing import Any

from service_quality.facts.conversation_fold import step_conversation


class CursedFold:
    """Put in the place of `log_reader.step_conversation`; `before` is called ahead of each failure."""

    def __init__(self, *event_ids: str, before: Callable[[], None] = lambda: None) -> None:
        self.event_ids: tuple[str, ...] = event_ids
        self.before = before
        self.failures = 0

    def __call__(self, held: Any, event: Any, **clocks: Any) -> Any:
        if event.event_id in self.event_ids:
            self.failures += 1
            self.before()
            raise ZeroDivisionError
        return step_conversation(held, event, **clocks)
