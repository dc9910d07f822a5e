"""The selection of the records that a command works on."""

from dataclasses import dataclass

from service_quality.events.log_records import PARKED

#: The word that selects batches which an event source gave up on, beside the reasons of records.
GIVEN_UP = "given_up"

#: The word that selects rows of the outbox which their function could not send.
UNSENT = "unsent"

#: Reasons that a mended release can change: a record that it still cannot read is left. Records of other reasons are
#: put back only by name: a shop's own state decides them (older_than_retention, conversation_full), a signature or a
#: clock.
MENDABLE = frozenset(
    {
        "changes_too_much", "fold_failed", "item_full", "missing_field", "no_shop", "out_of_range", "passed_by",
        "too_large", "unknown_kind", "wrong_type",
    }
)  # fmt: skip

#: Every word that selects: the stable codes of rejected records, and the three above.
KNOWN = MENDABLE | {
    "malformed_json", "malformed_base64", "not_an_object", "no_event", "ambiguous_carrier", "nested_too_deep",
    "too_many_events", "misplaced_preview", "from_the_future", "wrong_shop", "older_than_retention",
    "conversation_full", "conflicting_content", "too_many_imports", "other_columns", "other_fold", "other_position",
    "wrong_policy", "wrong_rules", "unknown_finding", "unknown_subject", "unknown_section",
    "no_history", "other_revision", "known_revision", "too_many_policies", "unsigned", "expired",
    PARKED, GIVEN_UP, UNSENT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """A shop, reasons, and first arrivals from `since` up to before `until`, in epoch milliseconds; None for all."""

    shop_id: str | None = None
    reasons: frozenset[str] = frozenset()
    since: int | None = None
    until: int | None = None

    @property
    def has_parked(self) -> bool:
        """Whether parked shops are wanted; they go back whole, so never between two instants."""
        return (not self.reasons and not self.has_span) or PARKED in self.reasons

    @property
    def has_given_up(self) -> bool:
        """Whether batches that an event source gave up on are wanted."""
        return not self.reasons or GIVEN_UP in self.reasons

    @property
    def has_unsent(self) -> bool:
        """Whether rows of the outbox are wanted; they are sent without regard to shop and time."""
        return (not self.reasons and self.shop_id is None and not self.has_span) or UNSENT in self.reasons

    @property
    def skipped(self) -> list[str]:
        """What is left without a look although no reason was named, each with why."""
        if self.reasons:
            return []
        parked = [] if self.has_parked else ["parked shops, since each goes back whole, without --since and --until"]
        unsent = [] if self.has_unsent else ["rows of the outbox, since they have no shop and no span of time"]
        return parked + unsent

    @property
    def has_span(self) -> bool:
        """Whether the selection is bounded in time."""
        return self.since is not None or self.until is not None

    @property
    def rejected_reasons(self) -> frozenset[str]:
        """The reasons of the rejected records that are put back."""
        return self.reasons - {PARKED, GIVEN_UP, UNSENT} if self.reasons else MENDABLE

    def takes(self, shop_id: str, arrived_at: int) -> bool:
        """Whether a record of this shop and first arrival is wanted."""
        return (
            self.shop_id in (None, shop_id)
            and (self.since is None or arrived_at >= self.since)
            and (self.until is None or arrived_at < self.until)
        )
