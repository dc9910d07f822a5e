"""The item of a shop: the one that fences all others, and its stored bytes."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from service_quality.commit.listed_import import MAX_IMPORTS, MOST_DONE_IMPORTS, Import, ItemKind
from service_quality.commit.stored_json import pack, unpack
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.positions import START
from service_quality.events.time_reached import TimeReached
from service_quality.histories.counting import EVERYTHING, Counting, Restart
from service_quality.histories.history import HistoryPlan
from service_quality.policies.policy import Policy

if TYPE_CHECKING:
    from service_quality.events.control_records import HistoryFilled, HistoryImported, StateRebuilt

MAX_POLICIES = 100
#: The key of the shop's own item; the history of the entity of that name has a separator behind it.
SHOP_KEY = "shop"


class Parked(NamedTuple):
    """A shop whose records are set aside in order: `until` is the log's position of the last of them.

    `failed_run` is the run of put-back records that failed again: its further records are set aside again. Nothing
    behind the position `follows` is folded yet.
    """

    until: str
    failed_run: str = ""
    follows: str = START


class RulesInForce(NamedTuple):
    """The revision of a shop's own rules, the position of its record, and its number in log order, from 1."""

    revision: str
    position: str
    number: int


class ShopItem(NamedTuple):
    """The item that fences all others of a shop: every transaction rewrites it on the condition of its version.

    `imports` are those that some item has still to absorb, `done_imports` the ids of the latest absorbed ones.
    `fingerprint` is that of the features served last, `counting` says which sums of the histories count. The shop's
    items are those of a `generation`: "" or the id of the rebuild that wrote them. `policies` are the revisions of its
    policies in log order. `rules` are its own; None for a shop that has those of the release.
    """

    version: int = 0
    fold_version: str = ""
    clock: int = 0
    received_clock: int = 0
    last_position: str = START
    imports: tuple[Import, ...] = ()
    done_imports: tuple[str, ...] = ()
    parked: Parked | None = None
    fingerprint: str = ""
    counting: Counting = EVERYTHING
    generation: str = ""
    policies: tuple[str, ...] = ()
    rules: RulesInForce | None = None

    @property
    def folded_until(self) -> str:
        """The position behind which nothing is folded yet."""
        return self.parked.follows if self.parked is not None else self.last_position

    def after(self, event: InteractionEvent | TimeReached) -> "ShopItem":
        """The shop with its clocks after an event or a reached deadline, without imports that are not needed any more.

        An event moves the clock at most to its own arrival.
        """
        return self._at(clock=min(event.occurred_at, event.received_at), received_clock=event.received_at)

    def under(self, plan: HistoryPlan) -> "ShopItem":
        """The shop under the plan of a deployment: what is new to it counts from its next record on."""
        counting = self.counting.under(plan.columns, follows=self.last_position, clock=self.clock)
        return self._replace(counting=counting)

    def knows(self, import_id: str) -> bool:
        """Whether the import record has been taken already."""
        return import_id in self.done_imports or any(one.import_id == import_id for one in self.imports)

    def with_import(self, record: "HistoryImported", *, position: str) -> "ShopItem":
        """The shop from an import record on; RejectedEventError when it has too many still to absorb.

        Columns that the import does not hold begin again: they would lack its events.
        """
        moved = self._at(clock=record.clock, received_clock=record.clock)
        counting = moved.counting.imported(record.columns, follows=position, clock=moved.clock)
        return moved._listing(record, conversations=record.conversations, counting=counting)

    def with_past(self, record: "HistoryFilled") -> "ShopItem":
        """The shop from the record on that fills in the past of columns.

        RejectedEventError when they count from another position, or when the shop has too many still to absorb.
        """
        counting = self.counting.filled(record.columns, follows=record.follows)
        return self._listing(record, conversations=0, counting=counting)

    def rebuilt(self, record: "StateRebuilt", plan: HistoryPlan, *, position: str) -> "ShopItem":
        """The shop from the record on that puts rebuilt items in the place of its own, under a plan.

        RejectedEventError when something is folded that the rebuild does not know.
        """
        if record.follows != self.folded_until:
            raise RejectedEventError(
                "other_position",
                field="follows",
                found="a rebuild up to another position",
                expected="one up to where the log is folded",
            )
        counting = Counting(plan.columns)
        own = [one.import_id for one in self.imports]
        return self._replace(
            fold_version=record.fold_version,
            generation=record.rebuild_id,
            clock=record.clock,
            received_clock=record.received_clock,
            imports=tuple(
                Import(one.import_id, one.buckets, 0, one.conversations, record.clock, record.received_clock)
                for one in record.pending
            ),
            done_imports=(*self.done_imports, *own)[-MOST_DONE_IMPORTS:],
            counting=counting.imported(record.columns, follows=position, clock=record.clock),
        )

    def with_policy(self, policy: Policy) -> "ShopItem":
        """The shop from the record on that brings a policy; RejectedEventError unless it follows the present one."""
        present = self.policies[-1] if self.policies else None
        if policy.follows != present:
            raise RejectedEventError(
                "other_revision",
                field="follows",
                found="a policy that follows another revision",
                expected="one that follows the present policy of the shop",
            )
        if policy.revision in self.policies:
            raise RejectedEventError(
                "known_revision", field="revision", found="a revision of before", expected="a new name"
            )
        if len(self.policies) >= MAX_POLICIES:
            raise RejectedEventError(
                "too_many_policies", found=f"{len(self.policies)} policies", expected=f"at most {MAX_POLICIES}"
            )
        return self._replace(policies=(*self.policies, policy.revision))

    def with_rules(self, revision: str, *, follows: str | None, position: str) -> "ShopItem":
        """The shop from the record on that brings rules; RejectedEventError unless they follow the present ones."""
        present = self.rules.revision if self.rules is not None else None
        if follows != present:
            raise RejectedEventError(
                "other_revision",
                field="follows",
                found="rules that follow another revision",
                expected="some that follow the present rules of the shop",
            )
        number = self.rules.number + 1 if self.rules is not None else 1
        return self._replace(rules=RulesInForce(revision, position, number))

    def _listing(
        self, record: "HistoryImported | HistoryFilled", *, conversations: int, counting: Counting
    ) -> "ShopItem":
        if len(self.imports) >= MAX_IMPORTS:
            raise RejectedEventError(
                "too_many_imports",
                found=f"{len(self.imports)} imports that are not absorbed yet",
                expected=f"at most {MAX_IMPORTS}",
            )
        one = Import(
            record.import_id,
            record.buckets,
            record.histories,
            conversations,
            self.clock,
            self.received_clock,
            counting.revision,
        )
        return self._with([*self.imports, one])._replace(counting=counting)

    def with_absorbed(self, import_ids: Collection[str], *, kind: ItemKind) -> "ShopItem":
        """The shop once a further item of a kind has absorbed its part of these imports."""
        return self._with(
            [
                one._replace(**{kind: max(0, getattr(one, kind) - 1)}) if one.import_id in import_ids else one
                for one in self.imports
            ]
        )

    def _at(self, *, clock: int, received_clock: int) -> "ShopItem":
        clock, received_clock = max(self.clock, clock), max(self.received_clock, received_clock)
        moved = self._replace(clock=clock, received_clock=received_clock)
        if not self.imports:
            return moved
        return moved._with([one.at(clock=clock, received_clock=received_clock) for one in self.imports])

    def _with(self, imports: Sequence[Import]) -> "ShopItem":
        done = [one.import_id for one in imports if one.is_done]
        return self._replace(
            imports=tuple(one for one in imports if not one.is_done),
            done_imports=(*self.done_imports, *done)[-MOST_DONE_IMPORTS:],
        )


def encode_shop(item: ShopItem) -> bytes:
    """The stored form of a shop's item."""
    counting = item.counting
    restarts = [(*restart[:-1], " ".join(restart.columns)) for restart in counting.restarts]
    return pack(
        [
            item.version,
            item.fold_version,
            item.clock,
            item.received_clock,
            item.last_position,
            item.imports,
            item.done_imports,
            item.parked,
            [item.fingerprint, " ".join(counting.columns), counting.revision, restarts],
            item.generation,
            item.policies,
            *([item.rules] if item.rules is not None else []),  # last: without own rules a release before reads it
        ]
    )


def decode_shop(data: bytes) -> ShopItem:
    """The item that `encode_shop` wrote."""
    version, fold_version, clock, received_clock, last_position, *others = unpack(data)
    imports, done_imports, parked, declared, generation, policies, *rules = others
    fingerprint, columns, revision, restarts = declared
    return ShopItem(
        version=version,
        fold_version=fold_version,
        clock=clock,
        received_clock=received_clock,
        last_position=last_position,
        imports=tuple(Import(*one) for one in imports),
        done_imports=tuple(done_imports),
        parked=Parked(*parked) if parked is not None else None,
        fingerprint=fingerprint,
        counting=Counting(
            tuple(columns.split()),
            revision,
            tuple(Restart(at, follows, since, tuple(names.split())) for at, follows, since, names in restarts),
        ),
        generation=generation,
        policies=tuple(policies),
        rules=RulesInForce(*rules[0]) if rules else None,
    )
