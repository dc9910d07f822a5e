"""Served vectors of any declaration as vectors of today's: each feature is found by its name and meaning."""

import json
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from service_quality.features.declarations import FeatureSet
from spark_jobs.errors import InputError

#: For each fingerprint of served vectors, the place of each feature in them; −1 for one that was not served.
Places = Mapping[str, Sequence[int]]


def find_places(entries: DataFrame, features: FeatureSet) -> dict[str, list[int]]:
    """For each fingerprint in a log, where its vectors hold these features; −1 for one of another meaning.

    InputError for a fingerprint that no row declares.
    """
    declared = {
        row["fingerprint"]: [tuple(one) for one in json.loads(row["declared"])["features"]]
        for row in entries.where("declared is not null").select("fingerprint", "declared").distinct().collect()
    }
    unknown = sorted(
        row["fingerprint"]
        for row in entries.select("fingerprint").distinct().collect()
        if row["fingerprint"] not in declared
    )
    if unknown:
        raise InputError(f"found archive rows of features {', '.join(unknown)}, expected a row that declares them")
    return {
        fingerprint: [served.index(one) if one in served else -1 for one in features.meanings.items()]
        for fingerprint, served in declared.items()
    }


def vectors_in_service(places: Places) -> Column:
    """`served_vector` with a value for each of today's features, in their order; NaN where it was not served."""
    served = F.col("served_vector")
    found = served
    for fingerprint, own in places.items():
        if list(own) == list(range(len(own))):
            continue  # as it is: further features behind are cut off below
        missing = F.lit(float("nan")).cast("float")
        moved = F.array(*(missing if place < 0 else F.get(served, F.lit(place)) for place in own))
        found = F.when(F.col("fingerprint") == fingerprint, moved).otherwise(found)
    width = max((len(own) for own in places.values()), default=0)
    return F.slice(found, 1, width)
