"""The champion: read by pointer, swapped within a minute, and given up for one behind it when it must not score."""

import threading
from array import array
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_quality.adapters.model_registry import ModelRegistry
from service_quality.errors import DependencyError, DeploymentError, ModelError
from service_quality.features.vectors import Vector
from service_quality.scoring.champion import MOST_BEHIND
from service_quality.scoring.scores import Score
from service_quality.tasks.declared_tasks import CHURN
from tests.stand_ins.aws_services import S3, DynamoDB

GOOD_ROW, ODD_ROW, HOPELESS_ROW = array("f", [0.0]), array("f", [1.0]), array("f", [2.0])


class Model:
    """A model that scores all rows, or not odd ones; no model scores a hopeless one."""

    def __init__(self, data: bytes, version: str) -> None:
        if data == b"bad":
            raise ModelError(f"model {version}: found bad, expected good")
        self.data, self.version = data, version

    def score(self, vector: Vector) -> Score:
        if vector == HOPELESS_ROW or (vector == ODD_ROW and self.data == b"odd") or self.data == b"broken":
            raise ArithmeticError("found no probability")
        return Score(0.5, (0.0,), 0.0, self.version)


class Registry:
    """A registry with its stores, its clock and what it has observed."""

    def __init__(self) -> None:
        dynamodb: Any = DynamoDB({"models": {}})
        s3: Any = S3({"models": {}})
        self.dynamodb, self.s3 = dynamodb, s3
        self.seconds = 0.0
        self.observed: list[tuple[str, dict[str, str]]] = []
        self.loaded: list[str] = []
        self.revision = 0
        self.registry = self.start()

    def start(self) -> ModelRegistry:
        """Another execution environment."""
        return ModelRegistry(
            self.dynamodb,
            self.s3,
            "models",
            "models",
            self.make_scorer,
            observe=lambda happened, fields: self.observed.append((happened, fields)),
            now=lambda: self.seconds,
        )

    def make_scorer(self, data: bytes, version: str) -> Model:
        self.loaded.append(version)
        return Model(data, version)

    def promote(self, version: str, data: bytes = b"good", behind: int | None = None) -> None:
        """Promote; `behind` is given where it is a rollback."""
        self.s3.buckets["models"][f"models/{version}/model.onnx"] = data
        entry = {"version": {"S": version}, "behind": {"N": str(self.revision if behind is None else behind)}}
        self.revision += 1
        self.dynamodb.tables["models"]["log", f"{self.revision:012d}"] = entry
        self.dynamodb.tables["models"]["pointer", "champion"] = {
            "version": {"S": version},
            "revision": {"N": str(self.revision)},
        }

    def served(self, vector: Vector = GOOD_ROW) -> str:
        """The version that scores a row."""
        return self.registry.champion().score(vector).model_version

    def refused(self) -> list[str]:
        return [fields["version"] for happened, fields in self.observed if happened == "model_refused"]


@pytest.fixture
def models() -> Registry:
    registry = Registry()
    registry.promote("v1")
    assert registry.served() == "v1"
    return registry


def test_task_without_a_model_is_looked_for_once_a_minute_and_is_no_trouble():
    registry = Registry()
    with mock.patch.object(registry.dynamodb, "get_item", wraps=registry.dynamodb.get_item) as reads:
        found = [registry.registry.champion_if_any() for registry.seconds in (0.0, 59.0, 60.0, 61.0)]
    registry.promote("v1")
    registry.seconds = 120.0

    champion = registry.registry.champion_if_any()
    assert (found, reads.call_count, registry.observed[:-1]) == ([None] * 4, 2, [])
    assert champion is not None
    assert champion.score(GOOD_ROW).model_version == "v1"


def test_task_whose_model_does_not_load_scores_nobody_and_says_so():
    registry = Registry()
    registry.promote("v1", b"bad")

    assert registry.registry.champion_if_any() is None
    assert registry.refused() == ["v1"]
    registry.promote("v2")
    registry.seconds = 60.0
    assert registry.registry.champion_if_any() is not None


def test_promotion_is_seen_after_a_minute_and_not_before(models):
    models.promote("v2")

    models.seconds = 59.0
    before = models.served()
    models.seconds = 60.0

    assert (before, models.served()) == ("v1", "v2")
    assert models.observed[-1] == ("model_loaded", {"version": "v2", "previous_version": "v1"})


def test_successor_that_must_not_score_is_refused_once_and_the_old_goes_on(models):
    models.promote("v2", b"bad")

    served = []
    for models.seconds in (60.0, 120.0, 180.0):
        served.append(models.served())

    assert served == ["v1"] * 3
    assert [happened for happened, _ in models.observed] == ["model_loaded", "model_refused"]
    assert (models.observed[-1][1]["version"], models.observed[-1][1]["kept_version"]) == ("v2", "v1")
    assert "expected" in models.observed[-1][1]["reason"]


def test_unreachable_registry_keeps_the_old_and_is_asked_again(models):
    models.promote("v2")
    models.dynamodb.failing = "ThrottlingException"
    models.seconds = 60.0
    during = models.served()
    models.dynamodb.failing = ""
    models.seconds = 120.0

    assert (during, models.served()) == ("v1", "v2")
    assert [happened for happened, _ in models.observed] == ["model_loaded", "registry_unread", "model_loaded"]


def test_successor_without_a_file_is_refused_and_looked_for_again(models):
    models.promote("v2")
    data = models.s3.buckets["models"].pop("models/v2/model.onnx")
    models.seconds = 60.0
    during = models.served()
    models.s3.buckets["models"]["models/v2/model.onnx"] = data
    models.seconds = 120.0

    assert (during, models.served()) == ("v1", "v2")
    assert models.refused() == ["v2"]


def test_first_look_without_a_champion_fails():
    with pytest.raises(DeploymentError, match="no champion in table models"):
        Registry().served()


def test_first_look_at_a_wrong_model_fails_every_time():
    models = Registry()
    models.promote("v1", b"bad")

    for _ in range(2):
        with pytest.raises(ModelError):
            models.served()


def test_missing_model_file_is_named():
    models = Registry()
    models.promote("v1")
    models.s3.buckets["models"].clear()

    with pytest.raises(DeploymentError, match=r"models/v1/model\.onnx in bucket models"):
        models.served()


def test_start_at_a_model_that_must_not_score_takes_the_newest_one_behind_it_that_loads():
    models = Registry()
    for version, data in (("v1", b"good"), ("v2", b"good"), ("v3", b"bad")):
        models.promote(version, data)
    models.promote("v4", b"bad")

    served = [models.served() for models.seconds in (0.0, 60.0, 120.0)]

    assert served == ["v2"] * 3
    assert models.refused() == ["v4", "v3"]
    assert models.observed[-1] == ("model_loaded", {"version": "v2", "previous_version": ""})


def test_start_at_a_model_without_a_file_takes_the_one_behind_it_and_looks_again():
    models = Registry()
    models.promote("v1")
    models.promote("v2")
    data = models.s3.buckets["models"].pop("models/v2/model.onnx")

    before = models.served()
    models.s3.buckets["models"]["models/v2/model.onnx"] = data
    models.seconds = 60.0

    assert (before, models.served()) == ("v1", "v2")


def test_start_fails_with_the_promoted_models_reason_where_none_behind_it_loads():
    models = Registry()
    models.promote("v1", b"bad")
    models.promote("v2", b"bad")

    for _ in range(2):
        with pytest.raises(ModelError, match="model v2: found bad"):
            models.served()


def test_start_amid_throttling_takes_no_other_model():
    models = Registry()
    models.promote("v1")
    models.promote("v2")
    models.s3.failing_reads = "SlowDown"

    with pytest.raises(DependencyError, match="SlowDown"):
        models.served()

    models.s3.failing_reads = ""
    assert models.served() == "v2"


def test_model_that_was_taken_back_is_never_gone_back_to():
    models = Registry()
    models.promote("v1")
    models.promote("v2")
    models.promote("v3")
    models.promote("v2", b"bad", behind=1)

    assert models.served() == "v1"


def test_row_on_which_the_champion_fails_is_scored_by_the_one_before_it_which_serves_from_then_on(models):
    models.promote("v2", b"odd")
    models.seconds = 60.0

    served = [models.served(row) for row in (GOOD_ROW, ODD_ROW, GOOD_ROW)]

    assert served == ["v2", "v1", "v1"]
    assert models.observed[-2:] == [
        ("model_loaded", {"version": "v1", "previous_version": "v2"}),
        (
            "model_refused",
            {"version": "v2", "reason": "ArithmeticError on a row that v1 scores", "kept_version": "v1"},
        ),
    ]
    assert models.loaded == ["v1", "v2"]


def test_champion_that_fails_right_after_a_start_gives_way_to_the_one_of_the_log():
    models = Registry()
    models.promote("v1")
    models.promote("v2", b"bad")
    models.promote("v3", b"broken")
    models.promote("v4", b"broken")

    assert models.served() == "v1"
    assert sorted(models.refused()) == ["v2", "v3", "v4"]


def test_refused_version_is_not_tried_again_until_a_promotion_names_it(models):
    models.promote("v2", b"odd")
    models.seconds = 60.0
    models.served(ODD_ROW)

    served = []
    for models.seconds in (120.0, 180.0):
        served.append(models.served())
    models.promote("v3", b"bad")
    models.seconds = 240.0
    served.append(models.served())
    models.promote("v2", b"odd")
    models.seconds = 300.0

    assert served == ["v1", "v1", "v1"]
    assert models.served() == "v2"


def test_row_that_no_model_scores_raises_and_the_champion_stays(models):
    models.promote("v2")
    models.seconds = 60.0
    models.served()

    with pytest.raises(ArithmeticError):
        models.served(HOPELESS_ROW)

    assert models.served() == "v2"
    assert models.refused() == []


def test_only_model_raises_on_rows_that_it_cannot_score_and_goes_on(models):
    only = Registry()
    only.promote("v1", b"odd")

    with pytest.raises(ArithmeticError):
        only.served(ODD_ROW)

    assert only.served() == "v1"


def test_rows_that_fail_load_each_model_once(models):
    models.promote("v2")
    models.registry = models.start()
    models.loaded.clear()

    for _ in range(3):
        with pytest.raises(ArithmeticError):
            models.served(HOPELESS_ROW)

    assert models.loaded == ["v2", "v1"]


def test_throttling_while_the_one_behind_is_fetched_makes_the_batch_come_again(models):
    models.promote("v2", b"odd")
    models.registry = models.start()
    models.served()
    models.s3.failing_reads = "SlowDown"
    with pytest.raises(DependencyError):
        models.served(ODD_ROW)

    models.s3.failing_reads = ""

    assert models.served(ODD_ROW) == "v1"


def test_pointer_that_was_put_by_hand_has_nothing_behind_it(models):
    models.promote("v2", b"odd")
    del models.dynamodb.tables["models"]["pointer", "champion"]["revision"]
    models.seconds = 60.0

    with pytest.raises(ArithmeticError):
        models.served(ODD_ROW)

    assert models.served() == "v2"


def test_threads_that_meet_a_failing_champion_at_once_are_all_scored_by_the_one_before_it(models):
    models.promote("v2", b"odd")
    models.seconds = 60.0
    models.served()
    together = threading.Barrier(8)

    def score(row: Vector) -> str:
        champion = models.registry.champion()
        together.wait(10)
        return champion.score(row).model_version

    with ThreadPoolExecutor(8) as pool:
        served = list(pool.map(score, [ODD_ROW] * 8))

    assert served == ["v1"] * 8
    assert models.refused() == ["v2"]


def test_threads_that_start_at_once_load_the_champion_once():
    models = Registry()
    models.promote("v1")
    together = threading.Barrier(8)

    def score(row: Vector) -> str:
        together.wait(10)
        return models.served(row)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(score, [GOOD_ROW] * 8)) == ["v1"] * 8

    assert models.loaded == ["v1"]


@pytest.mark.parametrize("wrong", [{}, {"version": {"N": "2"}}])
def test_pointer_of_other_content_keeps_the_old_and_stops_a_start(wrong, models):
    models.dynamodb.tables["models"]["pointer", "champion"] = {"sk": {"S": "champion"}, **wrong}
    models.seconds = 60.0

    assert models.served() == "v1"
    with pytest.raises(DeploymentError, match="found a pointer of other content in table models"):
        models.start().champion()


def test_log_of_other_content_has_nothing_behind_and_the_first_failure_is_raised(models):
    models.promote("v2", b"odd")
    models.dynamodb.tables["models"]["log", f"{2:012d}"] = {"version": {"S": "v2"}}
    models.seconds = 60.0

    with pytest.raises(ArithmeticError):
        models.served(ODD_ROW)

    assert models.served() == "v2"
    assert "found a log entry of other content" in models.observed[-1][1]["error"]


STEPS = st.lists(
    st.sampled_from([b"good", b"odd", b"bad", b"broken", "rollback", "minute", "start", GOOD_ROW, ODD_ROW]),
    max_size=14,
)


@given(STEPS)
def test_every_row_that_the_first_champion_scores_is_scored_and_never_by_a_refused_version(steps):
    models = Registry()
    models.promote("v0")
    behind, named = {1: 0}, {1: "v0"}
    refused: set[str] = set()
    for number, step in enumerate(steps):
        if isinstance(step, bytes) and len(behind) < MOST_BEHIND + 1:
            models.promote(f"v{number + 1}", step)
            behind[models.revision], named[models.revision] = models.revision - 1, f"v{number + 1}"
        elif step == "rollback" and behind[models.revision]:
            to = behind[models.revision]
            data = models.s3.buckets["models"][f"models/{named[to]}/model.onnx"]
            models.promote(named[to], data, behind=behind[to])
            behind[models.revision], named[models.revision] = behind[to], named[to]
        elif step == "minute":
            models.seconds += 60.0
            refused.clear()  # a promotion may be read that names one of them
        elif step == "start":
            models.registry = models.start()
            refused.clear()
        elif isinstance(step, array):
            models.observed.clear()
            served = models.served(step)
            refused |= set(models.refused())
            assert served not in refused
            assert models.s3.buckets["models"][f"models/{served}/model.onnx"] in (b"good", b"odd")


def test_registry_of_another_task_reads_its_own_pointer_and_log(models):
    items = models.dynamodb.tables["models"]
    models.s3.buckets["models"]["models/c1/model.onnx"] = b"good"
    items["pointer", "churn"] = {"version": {"S": "c1"}, "revision": {"N": "1"}}
    items["log-churn", f"{1:012d}"] = {"version": {"S": "c1"}, "behind": {"N": "0"}}

    of_churn = replace(models.registry, task=CHURN)

    assert of_churn.champion().score(GOOD_ROW).model_version == "c1"
    assert list(of_churn.versions_behind(1, most=4)) == []
    assert models.served() == "v1"


def test_missing_champion_of_another_task_is_named(models):
    with pytest.raises(DeploymentError, match="found no champion of task churn in table models"):
        replace(models.registry, task=CHURN).champion()
