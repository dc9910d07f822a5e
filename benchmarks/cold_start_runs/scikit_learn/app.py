"""The usual way: a pickled scikit-learn pipeline, one GetItem for each entity, one PutItem for the score."""

import json
import os
from base64 import b64decode
from decimal import Decimal
from typing import Any

import boto3
import joblib  # type: ignore[import-untyped]
import numpy as np

ENTITIES = (
    ("manager_id",),
    ("supervisor_id",),
    ("agent_id",),
    ("category",),
    ("category", "subcategory"),
    ("channel",),
    ("customer_id",),
    ("conversation_id",),
    (),
)

table = boto3.resource("dynamodb").Table(os.environ["STATE_TABLE"])
pipeline = joblib.load(os.environ["MODEL_FILE"])


def handler(event, context):
    """Score every record by the stored numbers of its entities."""
    for record in event["Records"]:
        score(json.loads(b64decode(record["kinesis"]["data"])))


def score(event):
    """Read the numbers of each entity, make a row of them, write its score."""
    numbers = []
    for parts in ENTITIES:
        key = "#".join([event["shop_id"], *parts, *(event[part] for part in parts)])
        stored: dict[str, Any] = table.get_item(Key={"item_key": key}).get("Item", {})
        numbers += [float(value) for value in stored.get("numbers", [])]
    row = np.full((1, pipeline.n_features_in_), np.nan)
    row[0, : len(numbers)] = numbers
    probability = pipeline.predict_proba(row)[0, 1]
    table.put_item(Item={"item_key": f"score#{event['event_id']}", "score": Decimal(str(round(probability, 6)))})
