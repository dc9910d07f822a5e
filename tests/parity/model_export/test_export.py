import json
from pathlib import Path

import numpy as np
import pytest

from model_export.artefact import read_artefact
from model_export.command_line import main
from model_export.errors import ArtefactError, ModelRefusedError, NotThereError
from model_export.export import export_model, verify_export
from model_export.exported import KEPT, PUBLISHED, read_exported
from model_export.session import open_session
from service_quality.features.feature_set import FEATURES
from service_quality.tasks.declared_tasks import CHURN
from tests.parity.model_export.artefacts import oracle_probability, rewrite_model, write_artefact, write_sample


@pytest.fixture(scope="module")
def artefact(tmp_path_factory):
    return write_artefact(tmp_path_factory.mktemp("artefact"), rows=30)


@pytest.fixture(scope="module")
def exported(artefact, tmp_path_factory):
    return export_model(artefact.folder, tmp_path_factory.mktemp("exported"))


def test_export_writes_every_file_and_can_be_read_again(exported):
    assert {path.name for path in exported.folder.iterdir()} == {*PUBLISHED, *KEPT}
    assert read_exported(exported.folder) == exported


def test_version_is_the_last_instant_trained_on_and_the_hash_of_the_model(exported):
    instant, _, digest = exported.version.partition("-")

    assert instant == "20260331T215900Z"
    assert len(digest) == 12


def test_same_artefact_gives_the_same_files(artefact, exported, tmp_path):
    again = export_model(artefact.folder, tmp_path)

    assert again.version == exported.version
    for name in PUBLISHED:
        assert again.path(name).read_bytes() == exported.path(name).read_bytes(), name


def test_card_says_what_people_must_know(exported):
    card = json.loads(exported.path("card.json").read_bytes())

    assert card["version"] == exported.version
    assert card["fingerprint"] == FEATURES.fingerprint
    assert card["synthetic"] is True
    assert "rated 3 or lower of 5" in card["label"]
    assert card["training"]["rows"] == 5000
    assert (card["training"]["first"], card["training"]["last"]) == (
        "2026-01-01T00:00:00.000Z",
        "2026-03-31T21:59:00.250Z",
    )
    assert card["metrics"]["auc"] == 0.709
    assert card["challenger"]["metrics"]["auc"] == 0.704
    assert card["parity"]["flipped"] == 0
    assert [feature["name"] for feature in card["features"]] == list(FEATURES.names)
    assert any("synthetic" in limit for limit in card["limits"])
    assert len(card["intended_use"]) > 50


def test_model_of_another_task_says_so_in_card_and_metadata(tmp_path):
    made = write_artefact(tmp_path / "in", rows=30, task=CHURN)

    found = export_model(made.folder, tmp_path / "out")

    card = json.loads(found.path("card.json").read_bytes())
    metadata = open_session(found.path("model.onnx").read_bytes()).metadata
    assert (card["task"], metadata["task"]) == ("churn", "churn")
    assert [feature["name"] for feature in card["features"]] == list(CHURN.features.names)
    assert {feature["direction"] for feature in card["features"]} == {"free"}
    assert "places no order in the 90 days after" in card["label"]
    assert "5,000 customers at weekly cutoffs of 1,700 customers" in found.path("card.md").read_text("utf-8")
    assert read_exported(found.folder).task == CHURN
    assert verify_export(made.folder, found.folder).flipped == 0


def test_artefact_of_an_unknown_task_is_refused(tmp_path):
    made = write_artefact(tmp_path / "in", rows=30)
    rewrite_model(made.folder, task="weather")

    with pytest.raises(ArtefactError, match="task: found 'weather', expected one of dissatisfaction, churn"):
        export_model(made.folder, tmp_path / "out")


def test_readable_card_holds_the_same(exported):
    text = exported.path("card.md").read_text("utf-8")

    assert exported.version in text
    assert "**Synthetic data.**" in text
    assert "| auc | 0.709 | 0.704 |" in text
    assert all(f"| {name} |" in text for name in FEATURES.names)


def test_card_names_what_was_never_seen_and_what_was_left_out(tmp_path):
    made = write_artefact(tmp_path / "in", rows=30)
    unseen, constant = "bot_messages", "transfers"
    ranges = dict(zip(FEATURES.names, made.document["ranges"], strict=True)) | {unseen: None, constant: [2.0, 2.0]}
    silent = [term["feature"] in (unseen, constant) for term in made.document["terms"]]
    rewrite_model(
        made.folder,
        ranges=list(ranges.values()),
        known=[0.0 if name == unseen else 1360.0 for name in FEATURES.names],
        **{key: np.where(silent, 0.0, made.document[key]).tolist() for key in ("active", "coefficients", "scales")},
    )
    document = json.loads((made.folder / "model.json").read_text("utf-8"))
    write_sample(made.folder, made.vectors, [oracle_probability(document, row) for row in made.vectors.tolist()])

    exported = export_model(made.folder, tmp_path / "out")

    card = json.loads(exported.path("card.json").read_bytes())
    features = {feature["name"]: feature for feature in card["features"]}
    assert card["never_seen"] == [unseen, constant]
    assert card["terms_left_out"] == [
        {"feature": unseen, "term": "value", "support": 0.0},
        {"feature": constant, "term": "value", "support": 0.0},
        {"feature": "sku_returned_rate_90d", "term": "logit", "support": 12.0},
    ]
    assert (features[unseen]["seen"], features[unseen]["range"], features[unseen]["known"]) == (False, None, 0.0)
    assert (features[constant]["seen"], features[constant]["range"]) == (False, [2.0, 2.0])
    assert features["waiting_ms"]["range"] == made.document["ranges"][FEATURES.names.index("waiting_ms")]
    assert features["waiting_ms"]["direction"] == "rises"
    text = exported.path("card.md").read_text("utf-8")
    assert f"`{unseen}`, `{constant}`." in text
    assert "at least 30 of 1,700 conversations" in text
    assert "| sku_returned_rate_90d | logit | 12.0 |" in text
    assert f"| {unseen} | no say | free | 0 | never known |" in text
    assert "| agent_ratings_30d | not read by the model |" in text


def test_card_of_real_data_says_nothing_of_synthetic(artefact, tmp_path):
    write_artefact(tmp_path / "in", rows=30)
    rewrite_model(tmp_path / "in", synthetic=False)

    real = export_model(tmp_path / "in", tmp_path / "out")

    assert "synthetic" not in real.path("card.md").read_text("utf-8").lower()
    assert json.loads(real.path("card.json").read_bytes())["synthetic"] is False


def test_model_says_in_its_metadata_what_a_function_needs(artefact, exported):
    from model_export.session import open_session

    metadata = open_session(exported.path("model.onnx").read_bytes()).metadata

    assert json.loads(metadata["feature_names"]) == list(FEATURES.names)
    assert metadata["fingerprint"] == FEATURES.fingerprint
    assert metadata["kind"] == "logistic_regression"
    assert float(metadata["intercept"]) == read_artefact(artefact.folder).model.intercept
    assert json.loads(metadata["training"])["rows"] == 5000


def test_refused_export_leaves_an_earlier_one_as_it_is(tmp_path):
    made = write_artefact(tmp_path / "in", rows=40)
    export_model(made.folder, tmp_path / "out")
    before = contents(tmp_path / "out")
    rewrite_model(made.folder, intercept=0.7)

    with pytest.raises(ModelRefusedError, match=r"model refused on 40 rows and .* edge rows: max_abs_diff: found 0"):
        export_model(made.folder, tmp_path / "out")

    assert contents(tmp_path / "out") == before


def test_refused_export_leaves_no_folder(tmp_path):
    made = write_artefact(tmp_path / "in", rows=40)
    rewrite_model(made.folder, intercept=0.7)

    with pytest.raises(ModelRefusedError):
        export_model(made.folder, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_export_that_cannot_be_written_leaves_an_earlier_one_as_it_is(artefact, tmp_path, monkeypatch):
    export_model(artefact.folder, tmp_path)
    before = contents(tmp_path)
    written = Path.write_bytes

    def write(path: Path, data: bytes) -> int:
        if path.name == "metrics.json":
            raise OSError("disk full")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(OSError, match="disk full"):
        export_model(artefact.folder, tmp_path)

    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_flipped_decision_is_refused_however_small_the_difference(tmp_path):
    made = write_artefact(tmp_path / "in", rows=40)
    probabilities = [oracle_probability(made.document, row) for row in made.vectors.tolist()]
    rewrite_model(made.folder, threshold=probabilities[7] - 2e-7)
    probabilities[7] -= 4e-7
    write_sample(made.folder, made.vectors, probabilities)

    with pytest.raises(ModelRefusedError, match=r"edge rows: flipped decisions: found 2, expected at most 0$"):
        export_model(made.folder, tmp_path / "out")


def test_instant_without_zone_is_refused(tmp_path):
    made = write_artefact(tmp_path / "in", rows=40)
    rewrite_model(made.folder, training={**made.document["training"], "last": "2026-03-31T21:59:00"})

    with pytest.raises(ArtefactError, match="expected an ISO 8601 instant with a time zone"):
        export_model(made.folder, tmp_path / "out")


def test_model_changed_after_export_is_not_that_version(artefact, tmp_path):
    exported = export_model(artefact.folder, tmp_path)
    exported.path("model.onnx").write_bytes(exported.path("challenger.onnx").read_bytes())

    with pytest.raises(ArtefactError, match="expected that of its name"):
        read_exported(tmp_path)


def test_half_an_export_is_not_read(artefact, tmp_path):
    export_model(artefact.folder, tmp_path).path("metrics.json").unlink()

    with pytest.raises(NotThereError, match=r"found nothing at .*metrics\.json, expected a file there"):
        read_exported(tmp_path)


def test_command_exports_and_verifies(artefact, tmp_path, capsys):
    code = main(
        ["export", "--artefact", str(artefact.folder), "--output", str(tmp_path / "out"), "--json", str(tmp_path / "j")]
    )
    again = main(["verify", "--artefact", str(artefact.folder), "--model", str(tmp_path / "out")])

    assert (code, again) == (0, 0)
    summary = json.loads((tmp_path / "j").read_text("utf-8"))
    assert summary["version"] in capsys.readouterr().out
    assert summary["parity"]["flipped"] == 0


def test_command_says_in_one_line_why_it_failed(artefact, tmp_path, capsys):
    made = write_artefact(tmp_path / "in", rows=40)
    rewrite_model(made.folder, intercept=0.7)
    out = str(tmp_path / "out")

    codes = [
        main(["export", "--artefact", str(made.folder), "--output", out]),
        main(["export", "--artefact", str(tmp_path), "--output", out]),
        main(["publish", "--model", str(artefact.folder), "--bucket", "b"]),
        main(["publish", "--model", str(made.folder)]),
    ]

    assert codes == [5, 4, 4, 4]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("model_export ") for line in lines)


def test_command_asks_for_the_bucket(exported, capsys, monkeypatch):
    monkeypatch.delenv("MODELS_BUCKET", raising=False)

    code = main(["publish", "--model", str(exported.folder)])

    assert code == 2
    assert "--bucket" in capsys.readouterr().err
