"""One conversation along a log: what the core's fold makes of its rows, one after the other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from service_quality.conversations.conversation import EMPTY, Conversation, digest_of, reject_too_old, within_retention
from service_quality.conversations.imported_part import ImportedPart, join_parts
from service_quality.conversations.wait_stages import Deadline, Stage
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import FIELDS, WORDS, InteractionEvent
from service_quality.facts.conversation_facts import KeptFacts
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, step_conversation, step_time
from service_quality.facts.import_fold import FoldedImport, fold_import
from service_quality.policies.policy import Policy
from spark_jobs.logs.policies import PoliciesByShop, ShopPolicies
from spark_jobs.logs.time_rows import to_reached

_KEPT = tuple(name for name in FIELDS if name not in WORDS)
_VALUES = itemgetter(*_KEPT)

Row = dict[str, Any]  # one row of a table, as Arrow hands it over


def to_event(row: Row, *, policies_known: int = 0) -> InteractionEvent:
    """The interaction event in a row of a log, without its words; on the log itself, the fold says how many policies it
    knows.
    """
    has_digest = "text_digest" in row  # shop_log.without_words
    digest = row["text_digest"] if has_digest else digest_of(row["event_id"], row["text"], row["query"])
    values = dict(zip(_KEPT, _VALUES(row), strict=True))
    return InteractionEvent(**values, text_digest=digest, policies_known=policies_known)


@dataclass
class Replay:
    """One conversation along the log: as held, and the parts of imports that it has not absorbed.

    An import is folded where the archive ended when it was made, and counts from the log index of its import record on.
    """

    kept: KeptFacts
    policies: PoliciesByShop
    held: FoldedConversation = field(init=False)
    parts: list[tuple[int, ImportedPart]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.held = FoldedConversation(EMPTY, self.kept)

    def take(self, row: Row) -> ConversationStep | None:
        """Fold one row in; None for a row that changes nothing, a duplicate or a rejected one."""
        imported = tuple(part for log_index, part in self.parts if log_index < row["log_index"])
        try:
            step = self._step(row, imported)
        except RejectedEventError:
            return None
        if step is not None:
            self.held = step.after
            self.parts = [(log_index, part) for log_index, part in self.parts if log_index > row["log_index"]]
        return step

    def _step(self, row: Row, imported: tuple[ImportedPart, ...]) -> ConversationStep | None:
        reached, received_clock, policies = to_reached(row), row["received_clock"], self._policies(row)
        if reached is not None:
            reject_too_old(reached, received_clock=received_clock)
            return step_time(self.held, reached, received_clock=received_clock, imported=imported, policies=policies)
        event = to_event(row)
        reject_too_old(event, received_clock=received_clock)
        return step_conversation(self.held, event, received_clock=received_clock, imported=imported, policies=policies)

    def take_import(self, rows: list[Row]) -> FoldedImport:
        """The rows of one import, in order of time."""
        first = rows[0]
        own = self._policies(first)
        folded = fold_import(
            self.known_at(first["received_until"]),
            [to_event(row, policies_known=len(own)) for row in rows],
            kept=self.kept,
            policies=max(self.held.policies, own, key=len),
        )
        self.parts.append((first["log_index"], folded.part))
        return folded

    def deadline_at(self, row: Row, stages: Iterable[Stage]) -> Deadline | None:
        """The next deadline of the conversation with all imports so far, by all policies of its shop."""
        known = self.known_at(row["received_until"])
        policies = self.policies.get(row["shop_id"], ShopPolicies()).policies
        return FoldedConversation(known, self.kept, policies).next_deadline(stages)

    def _policies(self, row: Row) -> tuple[Policy, ...]:
        """The policies that may judge the row's event."""
        known = row.get("policies_known", 0)
        return self.policies[row["shop_id"]].policies[:known] if known else ()

    def known_at(self, received_clock: int) -> Conversation:
        """The conversation as the shop would hold it if it had absorbed all imports so far."""
        held = within_retention(self.held.conversation, received_clock=received_clock)
        return join_parts(
            held, [part for _, part in self.parts if part.is_within_retention(received_clock=received_clock)]
        )
