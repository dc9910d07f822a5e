"""An exported model: a version, its files in a folder, and the hash that ties the two."""

from dataclasses import dataclass
from pathlib import Path

from model_export.documents import existing, read_document, read_task
from model_export.errors import ArtefactError
from model_export.parity import Parity, read_parity
from service_quality.scoring.model_version import short_hash
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task

#: The files of a version in the registry, the model last, so that a version with a model is whole.
PUBLISHED = ("card.json", "metrics.json", "parity.json", "model.onnx")
#: The other files of an export: for people, and for a watch on the challenger.
KEPT = ("card.md", "challenger_parity.json", "challenger.onnx")


@dataclass(frozen=True)
class Exported:
    """A verified model of a task in a folder."""

    version: str
    folder: Path
    parity: Parity
    task: Task = DISSATISFACTION

    def path(self, name: str) -> Path:
        """The path of one of PUBLISHED or KEPT."""
        return self.folder / name

    def paths(self) -> dict[str, Path]:
        """Every file by its name."""
        return {name: self.path(name) for name in (*PUBLISHED, *KEPT)}


def read_exported(folder: Path) -> Exported:
    """An earlier export; ArtefactError when its card describes another model."""
    card = read_document(folder / "card.json")
    version = card.text("version")
    require_hash(version, existing(folder / "model.onnx").read_bytes())
    for name in PUBLISHED:
        existing(folder / name)
    return Exported(version, folder, read_parity(read_document(folder / "parity.json")), read_task(card))


def require_hash(version: str, data: bytes) -> None:
    """ArtefactError when the version's name is not the hash of the model's bytes."""
    if version.rpartition("-")[2] != short_hash(data):
        raise ArtefactError(f"version {version}: found a model with hash {short_hash(data)}, expected that of its name")
