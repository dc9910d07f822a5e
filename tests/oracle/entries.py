"""The entries of a shop's log besides plain bytes, and what became of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import FeatureSet
from tests.oracle.columns import NaiveColumn
from tests.oracle.facts import Fact
from tests.oracle.held import NaivePart
from tests.oracle.story import Policy
from tests.oracle.tasks import Tasks


@dataclass(frozen=True)
class ImportedPast:
    """A backfill: the facts that it changed up to its clock, and its parts of conversations, by key.

    `columns` are those that its histories hold; None for all.
    """

    clock: int
    facts: tuple[Fact, ...]
    parts: Mapping[str, NaivePart]
    columns: frozenset[NaiveColumn] | None = None


@dataclass(frozen=True)
class Deployed:
    """From here on a shop's records are folded by these features, and customers are scored by those of tasks."""

    features: FeatureSet
    tasks: Tasks = field(default_factory=dict)


@dataclass(frozen=True)
class PastFilled:
    """What these columns lacked has come."""

    columns: frozenset[NaiveColumn]


@dataclass(frozen=True)
class Rebuilt:
    """All that the shop holds is made from its log: these columns lack nothing, and others begin here."""

    columns: frozenset[NaiveColumn]


@dataclass(frozen=True)
class PolicyBrought:
    """A document comes onto the log, with its policy; None for one that is wrong.

    It counts where it `follows` the latest one.
    """

    document: bytes
    policy: Policy | None
    revision: str = ""
    follows: str | None = None


@dataclass(frozen=True)
class TimeReached:
    """The clock has reached an instant at which a turn of a round, both counted from 1, is said to reach a stage."""

    conversation_id: str
    round: int
    turn: int
    stage: str
    due_at: int


@dataclass(frozen=True)
class RulesBrought:
    """Rules come onto the log: they are in force where they are without a mistake and `follow` the present ones."""

    document: bytes
    revision: str = ""
    follows: str | None = None
    is_sound: Callable[[FeatureSet], bool] = lambda features: True


@dataclass(frozen=True)
class Found:
    """A job has found something about a subject for an instant, and until when that holds; its score where it has one.

    Of equal names and subjects the latest instant counts.
    """

    name: str
    subject_kind: str
    subject_id: str
    as_of: int
    valid_until: int
    score: float | None = None


NaiveEntry = (
    InteractionEvent
    | TimeReached
    | Found
    | ImportedPast
    | Deployed
    | PastFilled
    | Rebuilt
    | PolicyBrought
    | RulesBrought
)


@dataclass(frozen=True)
class Reading:
    """The outcome of a record, and the vector's bytes if it was scored.

    "accepted", "corrected", "duplicate", "conflict", "too old", "full" or "failed" for an event; "accepted",
    "duplicate", "no policy", "no rules", "follows another" or "known before" for a policy or rules; "reached",
    "silent", "too old" or "failed" for a record of time; "accepted", "duplicate", "silent", "unknown finding",
    "unknown subject" or "no history" for a finding.

    `tasks` are the bytes of the vectors by which a customer was scored behind it. `customer` is the key of the customer
    whose histories it was scored with, or whom it is about; `expired_at` is when what was found about them before it
    had expired, if it had.
    """

    position: str
    became: str
    clock: int
    vector: bytes | None = None
    tasks: Mapping[str, bytes] = field(default_factory=dict)
    customer: str | None = None
    expired_at: int | None = None
