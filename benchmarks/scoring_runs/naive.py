"""The function as it is usually written: one call for each item read and written, a scikit-learn pipeline per row.

It gives the same answer by the same fold, features, rules and rows, but one event and one item at a time. It promises
less: without a transaction a crash leaves half an event behind.
"""

import base64
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import joblib  # type: ignore[import-untyped]
import numpy as np
from sklearn.pipeline import Pipeline

from benchmarks.scoring_runs.contacts import batches, contact_events
from benchmarks.scoring_runs.measured import CallCounter, Measured, cpu_of, peak_mb
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import ShopItem, decode_shop, encode_shop
from service_quality.commit.transactions import Commit
from service_quality.events.log_records import LogRecord, Rejection
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import Vector
from service_quality.scoring.scores import Score, TaskScorer
from service_quality.tasks.declared_tasks import CHURN

BATCH, WARM_EVENTS = 100, 50


@dataclass
class PipelineScorer:
    """Probability and contributions of one row, by the pipeline that the ONNX model was converted from."""

    pipeline: Pipeline

    def score(self, vector: Vector) -> Score:
        """One row through every step."""
        row = np.frombuffer(vector, dtype=np.float32).reshape(1, -1)
        probability = float(self.pipeline.predict_proba(row)[0, 1])
        regression = self.pipeline.named_steps["regression"]
        contributions = regression.contributions(self.pipeline[:-1].transform(row))[0]
        return Score(probability, tuple(contributions.tolist()), regression.intercept, "pipeline")


@dataclass
class OneByOne:
    """A store that makes one call an item, and answers with the scores that were put."""

    dynamodb: Any
    state_table: str
    alerts_table: str

    def read_shop(self, shop_id: str) -> ShopItem | None:
        """One GetItem."""
        data = self._get(shop_id, "shop")
        return None if data is None else decode_shop(data)

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        """One GetItem a key."""
        found = {key: self._get(shop_id, key) for key in keys}
        return {key: data for key, data in found.items() if data is not None}

    def commit(self, commit: Commit) -> None:
        """One PutItem for the shop, for each item and for each row."""
        self._put(commit.shop_id, "shop", encode_shop(commit.shop))
        for key, data in commit.items.items():
            self._put(commit.shop_id, key, data)
        for row in commit.rows:
            item = {
                "stream_key": {"S": row.stream_key},
                "sequence": {"S": row.sequence},
                "row_kind": {"S": row.row_kind},
                "body": {"B": row.body},
            }
            self.dynamodb.put_item(TableName=self.alerts_table, Item=item)

    def store_rejected(self, rejections: Sequence[Rejection]) -> None:
        """No record is rejected here."""
        raise AssertionError([rejection.message for rejection in rejections])

    def positions_archived(self, shop_id: str, positions: Sequence[str]) -> frozenset[str]:
        """No record comes again here."""
        raise AssertionError(f"found {len(positions)} records that came again, expected 0")

    def _get(self, shop_id: str, key: str) -> bytes | None:
        found = self.dynamodb.get_item(
            TableName=self.state_table, Key={"item_key": {"S": f"naive-{shop_id}\x1f{key}"}}, ConsistentRead=True
        )
        return bytes(found["Item"]["data"]["B"]) if "Item" in found else None

    def _put(self, shop_id: str, key: str, data: bytes) -> None:
        item = {"item_key": {"S": f"naive-{shop_id}\x1f{key}"}, "data": {"B": data}}
        self.dynamodb.put_item(TableName=self.state_table, Item=item)


class RecordingScorer:
    """Notes the served scores in order."""

    def __init__(self, scorer: PipelineScorer) -> None:
        self.scorer = scorer
        self.served: list[float] = []

    def score(self, vector: Vector) -> Score:
        """The pipeline's score."""
        score = self.scorer.score(vector)
        self.served.append(score.probability)
        return score


def main(shops: int, events: int, run: str, pipelines: Sequence[Path]) -> None:
    """Take the events one by one."""
    session = boto3.session.Session()
    counter = CallCounter(session._session)
    store = OneByOne(session.client("dynamodb"), os.environ["STATE_TABLE"], os.environ["ALERTS_TABLE"])
    first, churn = (PipelineScorer(joblib.load(pipeline)) for pipeline in pipelines)
    scorer = RecordingScorer(first)
    chosen = contact_events(events, shops=shops, run=run)[:events]
    records = [record for batch in batches(chosen, BATCH) for record in batch["Records"]]

    def take(some: list[dict[str, Any]]) -> None:
        for record in some:
            advance(record["kinesis"], store, scorer, churn)

    take(records[:WARM_EVENTS])
    counter.counting = True
    seconds = cpu_of(lambda: take(records[WARM_EVENTS:]))
    counted = len(records) - WARM_EVENTS
    calls = {name: count / counted for name, count in counter.calls.items()}
    scored = [event.event_id for event in chosen if event.kind != "rated"]
    scores = dict(zip(scored, scorer.served, strict=True))
    Measured(seconds / counted * 1e6, calls, peak_mb(), scores).print()


def advance(kinesis: dict[str, Any], store: OneByOne, scorer: RecordingScorer, churn: PipelineScorer) -> None:
    """One event, without a cache of the one before."""
    position = str(Position(1, int(kinesis["sequenceNumber"])))
    arrived_at = round(kinesis["approximateArrivalTimestamp"] * 1000)
    record = LogRecord(position, base64.b64decode(kinesis["data"]), arrived_at)
    commit = OnlineCommit(store, lambda: scorer, FEATURES, shipped_rules())
    commit.entity_scorers = lambda: (TaskScorer(CHURN, churn),)
    commit.advance_shop(kinesis["partitionKey"], [record])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], [*map(Path, sys.argv[4:])])
