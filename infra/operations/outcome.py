"""The outcome of a run: records put back and left, by reason and shop."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.operations.errors import OperationsError

Counts = Counter[tuple[str, str]]  # by reason and shop


@dataclass(slots=True)
class Outcome:
    """Counts of records by reason and shop; `left` could not go back, `troubles` are the errors of failed steps."""

    put: Counts = field(default_factory=Counter)
    left: Counts = field(default_factory=Counter)
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
