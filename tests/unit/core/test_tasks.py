"""Tasks are declared once, and hold only what every engine can serve them."""

from dataclasses import replace

import pytest

from service_quality.errors import DeclarationError
from service_quality.features.declarations import EventValue, FeatureSet, Rate, Total
from service_quality.features.feature_set import FEATURES
from service_quality.message import NO_TEXT
from service_quality.tasks.declared_tasks import CHURN, DISSATISFACTION, TASKS, Task

OF_CUSTOMER = FeatureSet((Total("customer", "orders", "90d"),))


def declare(**changed) -> Task:
    sound = Task(
        name="t",
        unit="customer",
        kinds=frozenset({"order_placed"}),
        features=OF_CUSTOMER,
        score="t_score",
        words=NO_TEXT,
    )
    return replace(sound, **changed)


def test_tasks_have_names_scores_and_words_of_their_own():
    assert list(TASKS) == [task.name for task in TASKS.values()] == ["dissatisfaction", "churn"]
    assert len({task.score for task in TASKS.values()}) == len(TASKS)
    assert all(all(task.words) for task in TASKS.values())


def test_histories_of_every_task_are_held_for_the_features_in_service():
    held = {*FEATURES.plan.columns}

    assert all(set(task.features.plan.columns) <= held for task in TASKS.values())


def test_entity_is_read_behind_its_event_and_a_conversation_before():
    assert CHURN.reads_after
    assert not DISSATISFACTION.reads_after


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"unit": "household"}, "unit 'household'"),
        ({"unit": "customer_currency"}, "unit 'customer_currency'"),
        ({"kinds": frozenset({"order_lost"})}, "order_lost"),
        ({"features": FeatureSet((EventValue("waiting_ms"),))}, "waiting_ms"),
        ({"features": FeatureSet((Rate("shop", "resolved", "30d", prior_weight=1, parent=0.5),))}, "shop_resolved"),
    ],
)
def test_task_that_no_engine_can_serve_is_refused(changed, found):
    assert declare().name == "t"

    with pytest.raises(DeclarationError, match=found):
        declare(**changed)
