"""A missing or forbidden resource stops a function at its cold start, with a message that names it."""

import gc

import pytest

from service_quality.errors import DeploymentError, ModelError

NEEDS = {
    "score_interactions": [
        *"EVENT_STREAM STATE_TABLE ALERTS_TABLE MODELS_TABLE MODELS_BUCKET REJECTED_BUCKET".split(),
        *"CONTROL_KEY_SECRET SHOPS_AT_ONCE STREAM_GENERATION".split(),
    ],
    "ingest_events": "EVENT_STREAM REJECTED_BUCKET STATE_TABLE ALERTS_TABLE MODELS_TABLE MODELS_BUCKET".split(),
    "dispatch_outbox": "ALERT_TOPIC_ARN ALERTS_TABLE ID_SALT_SECRET REJECTED_BUCKET".split(),
    "archive_outbox": "ARCHIVE_BUCKET ALERTS_TABLE REJECTED_BUCKET".split(),
    "sweep_archive": "ARCHIVE_BUCKET ALERTS_TABLE REJECTED_BUCKET SWEEP_AFTER_MINUTES".split(),
}


@pytest.mark.parametrize("name", NEEDS)
def test_function_starts_where_everything_is_there(load, name):
    assert callable(load(name).handler)


@pytest.mark.parametrize(("name", "variable"), [(name, one) for name, needed in NEEDS.items() for one in needed])
def test_missing_variable_is_named(load, aws, name, variable):
    del aws.environment[variable]

    with pytest.raises(DeploymentError, match=variable):
        load(name)


@pytest.mark.parametrize(
    ("name", "variable", "named"),
    [
        ("score_interactions", "STATE_TABLE", "table nowhere"),
        ("score_interactions", "ALERTS_TABLE", "table nowhere"),
        ("score_interactions", "MODELS_TABLE", "table nowhere"),
        ("score_interactions", "MODELS_BUCKET", "bucket nowhere"),
        ("score_interactions", "REJECTED_BUCKET", "bucket nowhere"),
        ("score_interactions", "STREAM_GENERATION", "STREAM_GENERATION: found 'nowhere'"),
        ("ingest_events", "EVENT_STREAM", "stream nowhere"),
        ("ingest_events", "STATE_TABLE", "table nowhere"),
        ("ingest_events", "REJECTED_BUCKET", "bucket nowhere"),
        ("dispatch_outbox", "ALERT_TOPIC_ARN", "topic nowhere"),
        ("dispatch_outbox", "ALERTS_TABLE", "table nowhere"),
        ("dispatch_outbox", "ID_SALT_SECRET", "secret nowhere"),
        ("dispatch_outbox", "REJECTED_BUCKET", "bucket nowhere"),
        ("archive_outbox", "ARCHIVE_BUCKET", "bucket nowhere"),
        ("archive_outbox", "ALERTS_TABLE", "table nowhere"),
        ("archive_outbox", "REJECTED_BUCKET", "bucket nowhere"),
        ("sweep_archive", "ARCHIVE_BUCKET", "bucket nowhere"),
        ("sweep_archive", "ALERTS_TABLE", "table nowhere"),
        ("sweep_archive", "REJECTED_BUCKET", "bucket nowhere"),
        ("sweep_archive", "SWEEP_AFTER_MINUTES", "SWEEP_AFTER_MINUTES: found 'nowhere'"),
    ],
)
def test_missing_resource_is_named(load, aws, name, variable, named):
    aws.environment[variable] = "nowhere"

    with pytest.raises(DeploymentError, match=named):
        load(name)


def test_missing_permission_is_named(load, aws):
    aws.s3.failing = "AccessDenied"

    with pytest.raises(DeploymentError, match="AccessDenied at bucket archive"):
        load("archive_outbox")


def test_missing_champion_is_named(load, aws):
    aws.dynamodb.tables["models"].clear()

    with pytest.raises(DeploymentError, match="no champion in table models"):
        load("score_interactions")


def test_wrong_model_is_refused(load, aws):
    aws.promote(other_meaning=True)

    with pytest.raises(ModelError, match="features that are not served or mean something else"):
        load("score_interactions")


def test_inlet_starts_without_a_champion(load, aws):
    aws.dynamodb.tables["models"].clear()

    assert callable(load("ingest_events").handler)


def test_what_a_start_made_is_never_looked_through_again(load):
    load("score_interactions")

    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000
