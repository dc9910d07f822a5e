"""The policies of shops, as records of their logs brought them, and how many of them each event found before it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import parse_policy
from spark_jobs.errors import InputError


class ShopPolicies(NamedTuple):
    """The policies of a shop in log order, and the positions of their records."""

    positions: tuple[str, ...] = ()
    policies: tuple[Policy, ...] = ()


#: By shop; one without policies is missing.
PoliciesByShop = Mapping[str, ShopPolicies]

NO_POLICIES: PoliciesByShop = {}


def policies_of(brought: Iterable[tuple[str, str, bytes]]) -> PoliciesByShop:
    """The policies that records of logs brought (shop, position, document), in the order of each shop's log."""
    found: dict[str, ShopPolicies] = defaultdict(ShopPolicies)
    for shop_id, position, document in brought:
        known = found[shop_id]
        found[shop_id] = ShopPolicies((*known.positions, position), (*known.policies, parse_policy(document)))
    return dict(found)


def given_policies(documents: Iterable[tuple[str, bytes]]) -> PoliciesByShop:
    """Policies by (shop, document), each shop's in order, of events that no record of a policy stands before."""
    found: dict[str, ShopPolicies] = defaultdict(ShopPolicies)
    for shop_id, document in documents:
        found[shop_id] = ShopPolicies(policies=(*found[shop_id].policies, parse_policy(document)))
    return dict(found)


def number_of(policies: PoliciesByShop, shop_id: str, revision: str) -> int:
    """The number of a shop's policies up to a revision; InputError where its log, as archived, has no such policy."""
    revisions = [policy.revision for policy in policies.get(shop_id, ShopPolicies()).policies]
    if revision not in revisions:
        known = f"one of {', '.join(revisions)}" if revisions else "one that infra.operations policy set has put there"
        raise InputError(f"found no policy '{revision}' on the archived log of shop {shop_id}, expected {known}")
    return revisions.index(revision) + 1


def knowing_all(log: DataFrame, policies: PoliciesByShop) -> DataFrame:
    """A log each of whose events knows all policies of its shop (`policies_known`)."""
    counts = [(shop_id, len(one.policies)) for shop_id, one in policies.items()]
    known = log.sparkSession.createDataFrame(counts, "shop_id string, policies_known int")
    return log.join(F.broadcast(known), "shop_id", "left").fillna(0, ["policies_known"])


def with_policies_known(log: DataFrame, policies: PoliciesByShop) -> DataFrame:
    """A log with `policies_known`, the number of its shop's policies whose records stand before the event."""
    if not policies:
        return log.withColumn("policies_known", F.lit(0))
    positions = [(shop_id, list(one.positions)) for shop_id, one in policies.items()]
    known = log.sparkSession.createDataFrame(positions, "shop_id string, policy_positions array<string>")
    before = F.size(F.filter("policy_positions", lambda position: position < F.col("position")))
    counted = log.join(F.broadcast(known), "shop_id", "left")
    return counted.withColumn("policies_known", F.when(F.col("policy_positions").isNull(), 0).otherwise(before)).drop(
        "policy_positions"
    )
