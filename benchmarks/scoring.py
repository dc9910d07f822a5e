"""CPU time and AWS calls an event of the online commit, over a store in memory and a model of no cost."""

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from service_quality.events import InteractionEvent, event_to_json
from service_quality.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, MINUTE
from service_quality.online_commit import LogRecord, OnlineCommit
from service_quality.positions import Position
from service_quality.rule_set import RULES
from service_quality.scores import Score
from service_quality.vectors import Vector
from tests.stand_ins.memory_store import MemoryStore

BATCH = 100
CONTACTS = 2_000
START = 1_767_600_000_000


@dataclass(frozen=True)
class ScoringRun:
    """What one run took."""

    cpu_microseconds: float
    calls_per_event: float


class FreeScorer:
    """A model that costs nothing and finds nobody at risk."""

    def score(self, vector: Vector) -> Score:
        """The same for every vector."""
        return Score(0.1, (0.0,) * len(vector), -2.2, "free")


def measure_scoring(*, shops: int, seed: int = 1) -> ScoringRun:
    """Fold CONTACTS contacts of three events each, spread over the shops, in batches of 100."""
    events = sorted(
        (event for contact in range(CONTACTS) for event in _contact(contact, shops, random.Random(seed + contact))),
        key=lambda event: (event.occurred_at, event.event_id),
    )
    records = [
        (event.shop_id, LogRecord(str(Position(1, number)), event_to_json(event), event.received_at))
        for number, event in enumerate(events, 1)
    ]
    store, scorer = MemoryStore(), FreeScorer()
    commit = OnlineCommit(store, lambda: scorer, FEATURES, RULES)
    start = time.process_time()
    for first in range(0, len(records), BATCH):
        logs: dict[str, list[LogRecord]] = defaultdict(list)
        for shop_id, record in records[first : first + BATCH]:
            logs[shop_id].append(record)
        for shop_id, log in logs.items():
            commit.advance_shop(shop_id, log)
    took = time.process_time() - start
    return ScoringRun(took / len(records) * 1e6, store.calls / len(records))


def _contact(number: int, shops: int, chance: random.Random) -> Iterator[InteractionEvent]:
    opened = START + number * MINUTE
    answered = opened + chance.randrange(30 * MINUTE)
    agent, issue = chance.randrange(60), chance.randrange(8)
    who = {
        "shop_id": f"shop-{number % shops}",
        "conversation_id": f"contact-{number}",
        "agent_id": f"agent-{agent}",
        "supervisor_id": f"team-{agent % 8}",
        "manager_id": f"manager-{agent % 3}",
    }
    what = {"category": f"category-{issue}", "subcategory": f"issue-{issue}-{chance.randrange(5)}", "channel": "chat"}
    kinds = (("conversation_opened", opened), ("agent_message", answered), ("rated", answered + HOUR))
    for kind, at in kinds:
        rating = chance.choice((1, 4, 5, 5, 5)) if kind == "rated" else None
        yield InteractionEvent(
            event_id=f"{number}-{kind}",
            kind=kind,
            occurred_at=at,
            received_at=min(at, START + 30 * DAY),
            rating=rating,
            **who,  # type: ignore[arg-type]  # names of text fields only
            **what,  # type: ignore[arg-type]
        )
