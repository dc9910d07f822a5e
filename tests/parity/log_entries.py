"""Entries of a served log as a table, as read_log gives them."""

import json

from pyspark.sql import DataFrame, Row, SparkSession

from service_quality.commit.transactions import declaration
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_set import FEATURES
from spark_jobs.logs.archive import ENTRY_DDL, ENTRY_SCHEMA

WIDTH = len(FEATURES.names)
#: An older declaration: the first two features, the other way round.
OLDER = FeatureSet(FEATURES.features[1::-1])


def entry(position: str, kind: str, at: int, conversation: str, **more: object) -> dict:
    return {
        "shop_id": "shop",
        "position": position,
        "event_id": f"event {position}",
        "kind": kind,
        "occurred_at": at,
        "received_at": at,
        "conversation_id": conversation,
        "round": 1,
        "fingerprint": FEATURES.fingerprint,
        "duplicate": False,
        **more,
    }


def declared(features: FeatureSet) -> dict:
    found = json.dumps(declaration(features))
    return {
        "shop_id": "shop",
        "position": "0",
        "fingerprint": features.fingerprint,
        "declared": found,
        "duplicate": False,
    }


def log_of(spark: SparkSession, *entries: dict) -> DataFrame:
    rows = [dict.fromkeys(ENTRY_SCHEMA.names) | one for one in (declared(FEATURES), declared(OLDER), *entries)]
    return spark.createDataFrame([Row(**row) for row in rows], ENTRY_DDL)


def served(position: str, at: int, conversation: str, first: float = 0.0, **more: object) -> dict:
    vector = [first, *[0.0] * (WIDTH - 1)]
    return entry(position, "agent_message", at, conversation, **{"served_vector": vector, **more})


def rated(position: str, at: int, conversation: str, rating: int, **more: object) -> dict:
    return entry(position, "rated", at, conversation, **{"rating": rating, "label": int(rating <= 3)} | more)
