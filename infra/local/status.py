"""Say whether the embedded AWS runs, where, what was deployed to it, and how much its stores hold."""

import argparse

from botocore.exceptions import ClientError

from infra.local.archive import list_objects
from infra.local.cloud import Cloud
from infra.local.deployment import read_outputs
from infra.local.emulator import find_running
from infra.local.errors import EmulatorError
from infra.local.up import print_deployment

TABLES = {"state items": "StateTableName", "alert and archive rows": "AlertsTableName", "model rows": "ModelsTableName"}
BUCKETS = {
    "archive objects": "ArchiveBucketName",
    "rejected objects": "RejectedBucketName",
    "model files": "ModelsBucketName",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line: nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    """Print it; the exit status is 1 when nothing runs."""
    try:
        emulator = find_running()
    except EmulatorError:
        print("nothing runs; `python -m infra.local up` starts it")
        return 1
    try:
        outputs = read_outputs(emulator.cloud)
    except ClientError:
        print(f"endpoint  {emulator.endpoint}\nnothing is deployed yet")
        return 1
    print_deployment(emulator, outputs)
    print("holds:")
    for name, count in count_all(emulator.cloud, outputs).items():
        print(f"  {name:31s} {count}")
    return 0


def count_all(cloud: Cloud, outputs: dict[str, str]) -> dict[str, int]:
    """The size of every store, by its name."""
    counts = {"stream records": count_records(cloud, outputs["EventStreamName"])}
    counts |= {title: count_items(cloud, outputs[name]) for title, name in TABLES.items()}
    counts["open alerts"] = count_items(cloud, outputs["AlertsTableName"], "open_alerts")
    counts["pending timers"] = count_items(cloud, outputs["AlertsTableName"], "due_timers")
    counts |= {title: len(list_objects(cloud, outputs[name], "")) for title, name in BUCKETS.items()}
    return counts


def count_items(cloud: Cloud, table: str, index: str | None = None) -> int:
    """Items of a table or of an index of it."""
    scan = cloud.dynamodb.get_paginator("scan")
    if index:
        return sum(page["Count"] for page in scan.paginate(TableName=table, IndexName=index, Select="COUNT"))
    return sum(page["Count"] for page in scan.paginate(TableName=table, Select="COUNT"))


def count_records(cloud: Cloud, stream: str) -> int:
    """Records of a stream, all shards from the horizon on."""
    count = 0
    for shard in cloud.kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = cloud.kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while records := (answer := cloud.kinesis.get_records(ShardIterator=iterator, Limit=10_000))["Records"]:
            count += len(records)
            iterator = answer["NextShardIterator"]
    return count
