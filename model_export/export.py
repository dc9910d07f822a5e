"""Export: an artefact becomes a verified, described, versioned model in a folder, or nothing changes."""

from pathlib import Path

from cli.atomic_write import atomic_folder
from model_export.artefact import LinearModel, read_artefact
from model_export.card import build_card, render_card
from model_export.conversion import convert_challenger, convert_pipeline
from model_export.documents import existing, to_json
from model_export.errors import ArtefactError
from model_export.exported import Exported
from model_export.parity import Parity
from model_export.pipeline import build_pipeline
from model_export.session import open_session
from model_export.sweep import sweep_model
from model_export.verify import verify_challenger, verify_model
from service_quality.instants import parse_instant
from service_quality.scoring.model_version import model_version


def export_model(artefact_dir: Path, output_dir: Path) -> Exported:
    """Convert, verify, sweep and describe the artefact; ModelRefusedError if any check fails.

    All files replace those of an earlier export once the last of them is written; a failure leaves that one as it is.
    The same artefact gives the same version.
    """
    artefact = read_artefact(artefact_dir)
    model = artefact.model
    pipeline = build_pipeline(model)
    champion, challenger = convert_pipeline(pipeline, model), convert_challenger(artefact.challenger, model)
    parity = verify_model(champion, pipeline, artefact)
    sweeps = sweep_model(open_session(champion), model, model.task.features.features, artefact.sample.vectors)
    challenger_parity = verify_challenger(challenger, artefact)
    version = version_of(model, champion)
    card = build_card(artefact, version=version, parity=parity, challenger_parity=challenger_parity, sweeps=sweeps)
    files = {
        "card.json": to_json(card),
        "card.md": render_card(artefact, card).encode(),
        "metrics.json": to_json(model.metrics),
        "parity.json": to_json(parity.fields()),
        "challenger_parity.json": to_json(challenger_parity.fields()),
        "challenger.onnx": challenger,
        "model.onnx": champion,
    }
    with atomic_folder(output_dir, marker="model.onnx") as unfinished:
        for name, data in files.items():
            (unfinished / name).write_bytes(data)
    return Exported(version, output_dir, parity, model.task)


def verify_export(artefact_dir: Path, folder: Path) -> Parity:
    """Verify the files of an earlier export again, as they are now; ModelRefusedError with the figures."""
    artefact = read_artefact(artefact_dir)
    verify_challenger(existing(folder / "challenger.onnx").read_bytes(), artefact)
    champion = existing(folder / "model.onnx").read_bytes()
    parity = verify_model(champion, build_pipeline(artefact.model), artefact)
    sweep_model(open_session(champion), artefact.model, artefact.model.task.features.features, artefact.sample.vectors)
    return parity


def version_of(model: LinearModel, data: bytes) -> str:
    """The version: the instant of the last training event, which is the age of its knowledge, and the model's hash."""
    try:
        last = parse_instant(model.training.last)
    except ValueError as error:
        found = f"training: last: found {model.training.last!r} ({error})"
        raise ArtefactError(f"{found}, expected an ISO 8601 instant with a time zone") from error
    return model_version(last, data)
