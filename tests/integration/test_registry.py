"""The registry on the embedded AWS, and what the functions make of it."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from itertools import count
from math import log

import numpy as np
import pytest

from infra.local.emulator import Emulator
from model_export.command_line import main
from model_export.errors import ArtefactError, ModelRefusedError, NotThereError, RegistryConflictError
from model_export.export import export_model
from model_export.exported import PUBLISHED, Exported
from model_export.promotion import Promotion, history, promote_version, read_pointer, rollback
from model_export.registry import Registry, publish_model, published_versions
from service_quality.adapters.model_registry import ModelRegistry, model_key, pointer_key
from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.errors import DeploymentError
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import to_vector
from service_quality.tasks.declared_tasks import CHURN
from tests.parity.model_export.artefacts import MadeUp, oracle_probability, write_artefact
from tests.stand_ins.tiny_model import breaking_model, tiny_model

pytestmark = pytest.mark.aws

NUMBERS = count()


@pytest.fixture(scope="module")
def emulator(tmp_path_factory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def registry(emulator) -> Registry:
    """An empty one for each test."""
    name = f"models-{next(NUMBERS)}"
    cloud = emulator.cloud
    cloud.s3.create_bucket(Bucket=name)
    cloud.dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return Registry(cloud.s3, name, cloud.dynamodb, name)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> list[MadeUp]:
    return [write_artefact(tmp_path_factory.mktemp("artefact"), seed=seed, rows=60) for seed in (1, 2)]


@pytest.fixture(scope="module")
def models(made, tmp_path_factory) -> list[Exported]:
    return [export_model(artefact.folder, tmp_path_factory.mktemp("model")) for artefact in made]


@pytest.fixture(scope="module")
def churn_model(tmp_path_factory) -> Exported:
    artefact = write_artefact(tmp_path_factory.mktemp("artefact"), rows=60, task=CHURN)
    return export_model(artefact.folder, tmp_path_factory.mktemp("model"))


@pytest.fixture
def published(registry, models) -> list[str]:
    for exported in models:
        publish_model(exported, registry.s3, registry.bucket)
    return [exported.version for exported in models]


def put_version(registry: Registry, data: bytes, parity: bytes | None) -> str:
    """A version put there by hand, past every check of the export."""
    version = f"20260101T000000Z-{sha256(data).hexdigest()[:12]}"
    files = {"model.onnx": data, "card.json": b"{}", "metrics.json": b"{}", "parity.json": parity}
    for name, content in files.items():
        if content is not None:
            registry.s3.put_object(Bucket=registry.bucket, Key=model_key(version, name), Body=content)
    return version


def parity_of(exported: Exported, **changes: object) -> bytes:
    return json.dumps({**exported.parity.fields(), **changes}).encode()


def test_version_is_published_whole_and_twice_is_fine(registry, models):
    first = publish_model(models[0], registry.s3, registry.bucket)
    second = publish_model(models[0], registry.s3, registry.bucket)

    assert first == [f"models/{models[0].version}/{name}" for name in PUBLISHED]
    assert second == []
    assert published_versions(registry) == [models[0].version]
    for name in PUBLISHED:
        stored = registry.s3.get_object(Bucket=registry.bucket, Key=model_key(models[0].version, name))["Body"].read()
        assert stored == models[0].path(name).read_bytes()


def test_other_content_under_a_version_is_refused_and_the_first_stays(registry, models, tmp_path):
    publish_model(models[0], registry.s3, registry.bucket)
    for name in PUBLISHED:
        (tmp_path / name).write_bytes(models[0].path(name).read_bytes())
    (tmp_path / "metrics.json").write_text('{"auc": 0.99}', "utf-8")

    with pytest.raises(
        RegistryConflictError, match=r"metrics\.json: found other content, expected that of this export"
    ):
        publish_model(replace(models[0], folder=tmp_path), registry.s3, registry.bucket)

    key = model_key(models[0].version, "metrics.json")
    stored = registry.s3.get_object(Bucket=registry.bucket, Key=key)["Body"].read()
    assert stored == models[0].path("metrics.json").read_bytes()


def test_model_that_did_not_pass_is_not_published(registry, models):
    failed = replace(models[0], parity=replace(models[0].parity, flipped=2))

    with pytest.raises(ModelRefusedError, match="flipped decisions: found 2"):
        publish_model(failed, registry.s3, registry.bucket)

    assert published_versions(registry) == []


def test_model_that_functions_would_refuse_is_not_published(registry, models, tmp_path):
    for name in PUBLISHED:
        (tmp_path / name).write_bytes(models[0].path(name).read_bytes())
    (tmp_path / "model.onnx").write_bytes(tiny_model(other_meaning=True))

    with pytest.raises(ModelRefusedError, match="features"):
        publish_model(replace(models[0], folder=tmp_path), registry.s3, registry.bucket)

    assert published_versions(registry) == []


def test_promotion_moves_the_pointer_and_writes_the_log(registry, published, models):
    promotion = promote_version(published[0], registry, who="ops", why="first model")

    pointer = registry.dynamodb.get_item(TableName=registry.table, Key=pointer_key())["Item"]
    assert pointer == {
        **pointer_key(),
        "version": {"S": published[0]},
        "promoted_at": {"S": promotion.at},
        "revision": {"N": "1"},
    }
    assert history(registry) == [promotion]
    assert (promotion.previous, promotion.who, promotion.why) == ("", "ops", "first model")
    assert json.loads(promotion.metrics) == json.loads(models[0].path("metrics.json").read_bytes())


def test_log_is_kept_newest_first(registry, published):
    promote_version(published[0], registry, who="a", why="one")
    promote_version(published[1], registry, who="b", why="two")
    promote_version(published[0], registry, who="c", why="three")

    log = history(registry)

    assert [(entry.revision, entry.version, entry.previous, entry.who) for entry in log] == [
        (3, published[0], published[1], "c"),
        (2, published[1], published[0], "b"),
        (1, published[0], "", "a"),
    ]


def test_champion_promoted_again_changes_nothing(registry, published):
    first = promote_version(published[0], registry, who="a", why="one")
    second = promote_version(published[0], registry, who="b", why="again")

    assert second == first
    assert history(registry) == [first]


def test_promotion_without_a_reason_is_refused(registry, published):
    with pytest.raises(Exception, match="found who 'a' and why ' ', expected both"):
        promote_version(published[0], registry, who="a", why=" ")


def test_unknown_version_is_refused_with_those_that_exist(registry, published):
    with pytest.raises(NotThereError, match=f"found no version nowhere in .*{published[0]}"):
        promote_version("nowhere", registry, who="a", why="b")


def test_gate_wants_parity(registry, models):
    data = models[0].path("model.onnx").read_bytes()
    version = put_version(registry, data, parity=None)

    with pytest.raises(ModelRefusedError, match=r"found no parity\.json"):
        promote_version(version, registry, who="a", why="b")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_abs_diff": 1e-3}, r"max_abs_diff: found 0\.001, expected at most 1e-06"),
        ({"flipped": 1}, "flipped decisions: found 1"),
        ({"rows": 0}, "rows: found 0"),
    ],
)
def test_gate_wants_parity_that_passed(registry, models, changes, message):
    version = put_version(registry, models[0].path("model.onnx").read_bytes(), parity_of(models[0], **changes))

    with pytest.raises(ModelRefusedError, match=message):
        promote_version(version, registry, who="a", why="b")

    assert read_pointer(registry).revision == 0
    assert history(registry) == []


def test_gate_refuses_a_model_of_other_features(registry, models):
    version = put_version(registry, tiny_model(other_meaning=True), parity_of(models[0]))

    with pytest.raises(ModelRefusedError, match="features that are not served or mean something else"):
        promote_version(version, registry, who="a", why="b")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"feature_names": "no JSON"}, "feature_names that are no JSON"),
        ({"intercept": "nan"}, "found the intercept nan, expected a number"),
    ],
)
def test_gate_refuses_what_the_functions_would_refuse(registry, models, metadata, message):
    version = put_version(registry, tiny_model(metadata=metadata), parity_of(models[0]))

    with pytest.raises(ModelRefusedError, match=message):
        promote_version(version, registry, who="a", why="b")


def test_gate_refuses_a_model_that_is_not_the_one_of_its_version(registry, published, models):
    key = model_key(published[0], "model.onnx")
    registry.s3.put_object(Bucket=registry.bucket, Key=key, Body=models[1].path("model.onnx").read_bytes())

    with pytest.raises(ArtefactError, match="expected that of its name"):
        promote_version(published[0], registry, who="a", why="b")


@pytest.mark.parametrize("revision", [0, 1])
def test_of_two_promotions_at_once_exactly_one_wins(registry, published, models, revision):
    if revision:
        promote_version(put_version(registry, tiny_model(), parity_of(models[0])), registry, who="a", why="before")
    together = threading.Barrier(2)

    def promote(version: str) -> Promotion | RegistryConflictError:
        try:
            meeting = replace(registry, dynamodb=Meeting(registry.dynamodb, together))
            return promote_version(version, meeting, who=version, why="at once")
        except RegistryConflictError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(promote, published))

    won = [outcome for outcome in outcomes if isinstance(outcome, Promotion)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, RegistryConflictError)]
    assert (len(won), len(lost)) == (1, 1)
    assert read_pointer(registry).version == won[0].version
    assert len(history(registry)) == revision + 1
    assert f"found revision {revision + 1}" in str(lost[0])


class Meeting:
    """A client whose first reader waits until the other one has read, too: no write comes before both reads."""

    def __init__(self, client, barrier: threading.Barrier) -> None:
        self._client = client
        self._barrier = barrier
        self._met = False

    def get_item(self, **request):
        found = self._client.get_item(**request)
        if not self._met:
            self._met = True
            self._barrier.wait(30)
        return found

    def __getattr__(self, name: str):
        return getattr(self._client, name)


def test_rollback_returns_to_the_champion_before_with_an_entry_of_its_own(registry, published):
    promote_version(published[0], registry, who="a", why="one")
    promote_version(published[1], registry, who="a", why="two")

    back = rollback(registry, who="b", why="worse")

    assert read_pointer(registry).version == published[0]
    assert (back.revision, back.version, back.previous) == (3, published[0], published[1])


@pytest.fixture
def three(registry, published, models) -> list[str]:
    """Three published versions."""
    return [*published, put_version(registry, tiny_model(), parity_of(models[0]))]


def promote_all(registry: Registry, versions: list[str]) -> None:
    for version in versions:
        promote_version(version, registry, who="a", why="newer")


def roll_back(registry: Registry, version: str = "") -> str:
    return rollback(registry, who="b", why="worse", version=version).version


def test_second_rollback_goes_one_further_back_and_never_to_what_the_first_left(registry, three):
    promote_all(registry, three)

    returned = [roll_back(registry), roll_back(registry)]

    assert returned == [three[1], three[0]]
    with pytest.raises(NotThereError, match=f"found {three[0]} with no champion behind it, expected an earlier"):
        roll_back(registry)
    assert read_pointer(registry).version == three[0]
    assert [entry.version for entry in history(registry)] == [three[0], three[1], three[2], three[1], three[0]]
    assert [entry.behind for entry in history(registry)] == [0, 1, 2, 1, 0]


def test_what_is_promoted_after_a_rollback_has_the_restored_champion_behind_it(registry, three, models):
    fourth = put_version(registry, tiny_model(bias=0.5), parity_of(models[0]))
    promote_all(registry, three)
    roll_back(registry)
    promote_all(registry, [fourth])

    assert [roll_back(registry), roll_back(registry)] == [three[1], three[0]]


def test_version_taken_back_and_promoted_again_returns_to_the_restored_one(registry, three):
    promote_all(registry, three)
    roll_back(registry)
    promote_all(registry, [three[2]])

    assert [roll_back(registry), roll_back(registry)] == [three[1], three[0]]


def test_rollback_to_a_named_version_has_behind_it_what_that_version_had(registry, three):
    promote_all(registry, three)

    named = roll_back(registry, three[0])
    with pytest.raises(NotThereError, match="no champion behind it"):
        roll_back(registry)
    forward = roll_back(registry, three[2])

    assert (named, forward, roll_back(registry)) == (three[0], three[2], three[1])


def test_rollback_to_the_champion_itself_changes_nothing(registry, three):
    promote_all(registry, three)
    before = history(registry)

    assert roll_back(registry, three[2]) == three[2]
    assert history(registry) == before


def test_rollback_goes_only_where_a_champion_was(registry, published):
    with pytest.raises(NotThereError, match="found no promotion, expected an earlier champion"):
        rollback(registry, who="a", why="b")
    with pytest.raises(NotThereError, match="expected one of nothing: no version was promoted yet"):
        rollback(registry, who="a", why="b", version="other")
    promote_version(published[0], registry, who="a", why="one")

    with pytest.raises(NotThereError, match=f"found {published[0]} with no champion behind it"):
        rollback(registry, who="a", why="b")

    promote_version(published[1], registry, who="a", why="two")
    with pytest.raises(NotThereError, match="found no promotion of other"):
        rollback(registry, who="a", why="b", version="other")


def test_missing_table_and_bucket_are_named(registry, published, models):
    with pytest.raises(NotThereError, match="table nowhere: found ResourceNotFoundException"):
        promote_version(published[0], replace(registry, table="nowhere"), who="a", why="b")
    with pytest.raises(NotThereError, match=r"s3://nowhere.*: found NoSuchBucket"):
        publish_model(models[0], registry.s3, "nowhere")


def test_commands_publish_promote_and_roll_back(emulator, registry, models, monkeypatch, capsys):
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODELS_BUCKET", registry.bucket)
    monkeypatch.setenv("MODELS_TABLE", registry.table)
    said = ["--who", "ops", "--why", "try"]

    codes = [main(["publish", "--model", str(exported.folder)]) for exported in models]
    codes += [main(["promote", "--version", exported.version, *said]) for exported in models]
    codes += [main(["rollback", *said]), main(["history"]), main(["promote", "--version", "nowhere", *said])]

    assert codes == [0, 0, 0, 0, 0, 0, 4]
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-3].startswith(f"   3  {history(registry)[0].at}  {models[0].version}  ops: try")
    assert printed.err.startswith("model_export promote: found no version nowhere")


def test_each_task_has_its_own_champion_and_log(registry, published, churn_model):
    publish_model(churn_model, registry.s3, registry.bucket)
    of_churn = replace(registry, task=CHURN)

    promote_version(published[0], registry, who="a", why="b")
    promote_version(churn_model.version, of_churn, who="a", why="b")

    champions = [read_pointer(one).version for one in (registry, of_churn)]
    assert champions == [published[0], churn_model.version]
    assert [[entry.version for entry in history(one)] for one in (registry, of_churn)] == [[one] for one in champions]
    stored = registry.dynamodb.scan(TableName=registry.table)["Items"]
    assert sorted((item["pk"]["S"], item["sk"]["S"]) for item in stored) == [
        ("log", "000000000001"),
        ("log-churn", "000000000001"),
        ("pointer", "champion"),
        ("pointer", "churn"),
    ]


def test_promotion_refuses_the_model_of_another_task(registry, published, churn_model):
    publish_model(churn_model, registry.s3, registry.bucket)

    with pytest.raises(ModelRefusedError, match="found a model of task churn, expected one of dissatisfaction"):
        promote_version(churn_model.version, registry, who="a", why="b")
    with pytest.raises(ModelRefusedError, match="found a model of task dissatisfaction, expected one of churn"):
        promote_version(published[0], replace(registry, task=CHURN), who="a", why="b")

    assert registry.dynamodb.scan(TableName=registry.table)["Items"] == []


class Serving:
    """The functions' side of the registry, its clock in our hands."""

    def __init__(self, registry: Registry) -> None:
        self.seconds = 0.0
        self.observed: list[tuple[str, dict[str, str]]] = []
        self.models = ModelRegistry(
            dynamodb=registry.dynamodb,
            s3=registry.s3,
            table=registry.table,
            bucket=registry.bucket,
            make_scorer=OnnxScorer,
            observe=lambda event, fields: self.observed.append((event, fields)),
            now=lambda: self.seconds,
        )

    def version(self) -> str:
        return self.models.champion().score(to_vector([None] * len(FEATURES.names))).model_version


def test_functions_score_what_was_trained(registry, published, made):
    promote_version(published[0], registry, who="a", why="b")
    scorer = Serving(registry).models.champion()

    scores = [scorer.score(to_vector(row)) for row in made[0].vectors.tolist()]

    expected = [oracle_probability(made[0].document, row) for row in made[0].vectors.tolist()]
    assert np.abs(np.array([score.probability for score in scores]) - expected).max() <= 1e-6
    for score, probability in zip(scores, expected, strict=True):
        log_odds = log(probability / (1 - probability))
        assert sum(score.contributions) + score.intercept == pytest.approx(log_odds, abs=1e-5)
        assert score.model_version == published[0]


def test_functions_follow_a_promotion_within_a_minute(registry, published):
    promote_version(published[0], registry, who="a", why="b")
    serving = Serving(registry)
    before = serving.version()
    promote_version(published[1], registry, who="a", why="b")
    serving.seconds = 59
    soon = serving.version()
    serving.seconds = 60
    after = serving.version()

    assert (before, soon, after) == (published[0], published[0], published[1])


def test_functions_refuse_a_file_of_other_features_and_go_on(registry, published, models):
    promote_version(published[0], registry, who="a", why="b")
    serving = Serving(registry)
    serving.version()
    wrong = put_version(registry, tiny_model(other_meaning=True), parity_of(models[0]))
    registry.dynamodb.update_item(
        TableName=registry.table,
        Key=pointer_key(),
        UpdateExpression="SET version = :v",
        ExpressionAttributeValues={":v": {"S": wrong}},
    )
    serving.seconds = 61

    assert serving.version() == published[0]
    assert serving.observed[-1][0] == "model_refused"


def test_functions_start_at_the_version_behind_one_that_does_not_load(registry, published, models):
    wrong = put_version(registry, tiny_model(bias=0.5), parity_of(models[0]))
    promote_all(registry, [*published, wrong])
    registry.s3.put_object(Bucket=registry.bucket, Key=model_key(wrong, "model.onnx"), Body=b"no model")

    serving = Serving(registry)

    assert serving.version() == published[1]
    assert [(event, fields["version"]) for event, fields in serving.observed] == [
        ("model_refused", wrong),
        ("model_loaded", published[1]),
    ]


def test_functions_go_back_as_rollback_does_when_the_champion_fails_on_a_row(registry, published, models):
    breaking = put_version(registry, breaking_model(), parity_of(models[0]))
    promote_all(registry, [*published, breaking])
    serving = Serving(registry)
    row = to_vector([1.0] * len(FEATURES.names))

    before, on_the_row = serving.version(), serving.models.champion().score(row).model_version
    restored = roll_back(registry)
    serving.seconds = 61

    assert (before, on_the_row) == (breaking, published[1])
    assert restored == serving.version() == published[1]


def test_functions_do_not_start_without_a_champion(registry):
    with pytest.raises(DeploymentError, match="found no champion"):
        Serving(registry).version()
