"""The judgement of a candidate beside the champion, as the Spark job writes it, and the rule that it must pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model_export.documents import Document, read_document, read_task
from model_export.errors import ArtefactError, ModelRefusedError, RegistryConflictError
from service_quality.tasks.declared_tasks import CHURN, DISSATISFACTION, Task

#: A candidate is not worse while its log loss is at most this much above the champion's.
TOLERANCE = 0.001
#: Fewer rounds or customers, or of one outcome only, say nothing.
LEAST_ROUNDS = 30
#: What a task judges, and what has label 1, as the document names them.
_NAMES = {DISSATISFACTION.name: ("rounds", "dissatisfied"), CHURN.name: ("customers", "churned")}


@dataclass(frozen=True)
class Judged:
    """One model's version, and its log loss on the judged rows."""

    version: str
    log_loss: float


@dataclass(frozen=True)
class Judgement:
    """Both models of a task on the same rounds or customers, since an instant that neither had seen.

    `units` is their number, `positives` that of those with label 1, `fields` the whole document.
    """

    champion: Judged
    candidate: Judged
    task: Task
    since: str
    units: int
    positives: int
    fields: Mapping[str, object]

    @property
    def found(self) -> str:
        """The figures of both, in one sentence."""
        return (
            f"log loss {self.candidate.log_loss:.4f} beside {self.champion.log_loss:.4f} of champion"
            f" {self.champion.version}, on {self.units} {_NAMES[self.task.name][0]} since {self.since}"
        )

    def require(self, version: str, *, champion: str) -> None:
        """Raise unless it lets this version replace this champion.

        ModelRefusedError for a worse candidate or too few units, ArtefactError for a judgement of another
        candidate, RegistryConflictError for one beside another champion.
        """
        if self.candidate.version != version:
            raise ArtefactError(f"found a judgement of {self.candidate.version}, expected one of {version}")
        if self.champion.version != champion:
            raise RegistryConflictError(
                f"found a judgement beside {self.champion.version}, expected one beside the champion {champion}"
            )
        if self.units < LEAST_ROUNDS or not 0 < self.positives < self.units:
            units, positives = _NAMES[self.task.name]
            raise ModelRefusedError(
                f"version {version}: found {self.units} {units} since {self.since}, {self.positives}"
                f" of them {positives}, expected at least {LEAST_ROUNDS} with both outcomes"
            )
        # not "is greater": NaN must be refused
        if not self.candidate.log_loss <= self.champion.log_loss + TOLERANCE:
            raise ModelRefusedError(
                f"version {version}: found {self.found}, expected at most {TOLERANCE} above the champion's"
            )


def read_judgement(path: Path) -> Judgement:
    """The judgement in a file; ArtefactError for a file of another content."""
    document = read_document(path)
    task = read_task(document)
    units, positives = _NAMES[task.name]
    return Judgement(
        champion=_read_judged(document.part("champion")),
        candidate=_read_judged(document.part("candidate")),
        task=task,
        since=document.text("since"),
        units=document.count(units),
        positives=document.count(positives),
        fields=document.fields,
    )


def _read_judged(part: Document) -> Judged:
    return Judged(part.text("version"), part.number("log_loss"))
