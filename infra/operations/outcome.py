"""The outcome of a run: records put back and left, by reason and shop."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.operations.errors import OperationsError

Counts = Counter[tuple[str, str]]  # by reason and shop


@dataclass(slots=True)
class Outcome:
    """Counts of records by reason and shop; `troubles` are the errors of failed steps.

    `left` could not go back; `rejected_again` went back and are stored again; `not_looked_at` have reasons that go back
    only by name. `skipped` names what the selection leaves out without a look.
    """

    put: Counts = field(default_factory=Counter)
    left: Counts = field(default_factory=Counter)
    rejected_again: Counts = field(default_factory=Counter)
    not_looked_at: Counts = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)
    resent_batches: int = 0
    unparked: list[str] = field(default_factory=list)
    troubles: list[tuple[str, OperationsError]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code of the first trouble; 0 without one."""
        return self.troubles[0][1].exit_code if self.troubles else 0

    def document(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "put_back": rows(self.put),
            "left": rows(self.left),
            "rejected_again": rows(self.rejected_again),
            "not_looked_at": rows(self.not_looked_at),
            "skipped": self.skipped,
            "unparked_shops": sorted(self.unparked),
            "resent_batches": self.resent_batches,
            "troubles": [{"subject": subject, "message": str(error)} for subject, error in self.troubles],
        }

    def summary(self, *, is_dry: bool) -> str:
        """A few lines for the person who ran it."""
        verb = "would put back" if is_dry else "put back"
        lines = [f"{verb} {self.put.total()} records{_by_reason(self.put)}"]
        if self.unparked:
            lines.append(f"{'would unpark' if is_dry else 'unparked'}: {', '.join(sorted(self.unparked))}")
        if self.resent_batches:
            done = "would give" if is_dry else "gave"
            lines.append(f"{done} {self.resent_batches} batches of the outbox to their functions again")
        if self.left:
            lines.append(f"left {self.left.total()} records that this release still rejects{_by_reason(self.left)}")
        if self.rejected_again:
            again = f"{self.rejected_again.total()} of them{_by_reason(self.rejected_again)}"
            lines.append(f"rejected again: {again}; they are stored, and count shows them")
        if self.not_looked_at:
            found = f"{self.not_looked_at.total()}{_by_reason(self.not_looked_at)}"
            lines.append(f"not looked at: {found}; --reason names what is to go back all the same")
        lines += [f"not looked at: {one}" for one in self.skipped]
        lines += [f"{subject}: {error}" for subject, error in self.troubles]
        return "\n".join(lines)


def rows(counts: Counts) -> list[dict[str, object]]:
    """Counts as JSON rows, by reason and shop."""
    return [
        {"reason": reason, "shop_id": shop_id, "records": counts[reason, shop_id]} for reason, shop_id in sorted(counts)
    ]


def table(counts: Counts) -> Iterable[str]:
    """Counts as lines of text, by reason and shop, with the total last."""
    for reason, shop_id in sorted(counts):
        yield f"{counts[reason, shop_id]:>9}  {reason:<22} {shop_id}"
    yield f"{counts.total():>9}  in all"


def _by_reason(counts: Counts) -> str:
    reasons: Counter[str] = Counter()
    for (reason, _), count in counts.items():
        reasons[reason] += count
    listed = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return f" ({listed})" if listed else ""
