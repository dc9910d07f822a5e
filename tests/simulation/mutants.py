"""Mutants of the commit: each a plausible mistake, which the simulation must find."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from service_quality.adapters.state_table import StateTable
from service_quality.commit import control, log_reader, put_back, shop_state, state_items
from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.event_fold import EventFold
from service_quality.commit.known_rejections import KnownRejections
from service_quality.commit.listed_import import ItemKind
from service_quality.commit.log_reader import LogReader
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.rule_decisions import RuleDecisions
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.commit.transaction_builder import TransactionBuilder
from service_quality.commit.transactions import Commit, Transaction
from service_quality.conversations import conversation
from service_quality.conversations.conversation import EMPTY, Conversation
from service_quality.conversations.imported_part import ImportedPart
from service_quality.errors import FoldFailedError, RejectedEventError, ServiceQualityError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.facts import conversation_fold
from service_quality.facts.conversation_facts import KeptFacts
from service_quality.facts.import_fold import FoldedImport, fold_import
from service_quality.histories.counting import Counting
from service_quality.histories.history import Column
from service_quality.histories.windows import WINDOWS
from tests.properties import import_packs
from tests.simulation import finding_mutants, rule_mutants
from tests.simulation.detours import (
    AlertsAfter,
    ArchiveAfter,
    ArchiveBefore,
    DocumentsAfter,
    ItemsFirst,
    RejectedAfter,
    StaleClient,
    TimeoutTaken,
)
from tests.simulation.final_state import AnyVersion
from tests.simulation.look_mutants import (
    held_not_stored,
    held_since_it_first_was,
    looked_at_before_its_events,
    looked_at_for_nothing,
    looked_at_while_closed,
    silence_never_ends,
)
from tests.simulation.order_mutants import (
    by_id_on_the_log,
    conflict_is_a_duplicate,
    correction_comes_last,
    correction_is_a_conflict,
    stored_in_order_of_time,
)
from tests.simulation.policy_mutants import (
    PoliciesKept,
    counted_twice,
    counted_whatever_it_follows,
    expires,
    forgotten_by_a_rebuild,
    judged_before_it_is_valid,
    judged_from_before_its_record,
    place_among_policies_not_stored,
)
from tests.simulation.routing_mutants import (
    arrival_forgotten,
    explicit_hash_ignored,
    filed_under_its_own_key,
    refused_by_the_stream_left_behind,
)
from tests.simulation.timer_mutants import (
    TimersAfter,
    TimersBefore,
    clock_moves_to_the_ring,
    deadline_not_stored,
    first_deadline_kept,
    never_taken_back,
    one_row_a_deadline,
    reached_again,
    reached_stages_are_due_again,
    reached_though_answered,
    silence_moves_the_clock,
    stages_not_stored,
)
from tests.simulation.world import World
from tests.stand_ins import rebuilding

Patches = Callable[[World], list[Any]]


@dataclass(frozen=True)
class Mutant:
    """The making of a mutant's commit, and the patches while it runs; the judges see the unchanged code."""

    make_commit: Callable[..., OnlineCommit] = OnlineCommit
    patches: Patches = lambda world: []

    @contextmanager
    def at_work(self, world: World) -> Iterator[None]:
        with ExitStack() as stack:
            for patch in self.patches(world):
                stack.enter_context(patch)
            yield


UNCHANGED = Mutant()


class ItemsKept(OnlineCommit):
    """Reads the shop's item again, and keeps the items that it holds in its cache of an earlier version."""

    def _load_shop(self, shop_id: str) -> ShopState:
        cached = self.cache.take(shop_id)
        fresh = super()._load_shop(shop_id)
        if cached is None:
            return fresh
        cached.shop = fresh.shop
        return cached


class AttemptKept(OnlineCommit):
    """Goes on from what a failed attempt has folded."""

    def _load_shop(self, shop_id: str) -> ShopState:
        self.latest = super()._load_shop(shop_id)
        return self.latest

    def _attempt(
        self, shop_id: str, records: list[LogRecord], known: KnownRejections, *, parks: bool = False
    ) -> CommitStats:
        try:
            return super()._attempt(shop_id, records, known, parks=parks)
        except ServiceQualityError:
            if hasattr(self, "latest"):
                self.cache.put(self.latest)
            raise


class PoisonAtOnce(OnlineCommit):
    """Takes a record for poison at the first failure, whether the shop has moved or not."""

    def _attempt(
        self, shop_id: str, records: list[LogRecord], known: KnownRejections, *, parks: bool = False
    ) -> CommitStats:
        try:
            return super()._attempt(shop_id, records, known, parks=parks)
        except FoldFailedError as failure:
            rejection = RejectedEventError("fold_failed", found="a failing fold", expected="a second one")
            known._reasons[failure.position] = AnyVersion(2**40), rejection
            raise


def _score_is_fold(world: World) -> list[Any]:
    """Takes a failing model for a failing fold, so that the event is to blame."""
    real = EventFold._score

    def raising(fold: EventFold, *arguments: Any) -> Any:
        scored, failures = real(fold, *arguments)
        for failure in failures:
            raise failure.error
        return scored, failures

    return [mock.patch.object(EventFold, "_score", raising)]


def _rule_is_fold(world: World) -> list[Any]:
    """Takes a failing rule for a failing fold."""
    real = RuleDecisions.decide

    def raising(decisions: RuleDecisions, judged: Any, asking: Any, endings: Any, failures: Any) -> Any:
        rows = real(decisions, judged, asking, endings, failures)
        for failure in failures:
            if failure.stage == "rule":
                raise failure.error
        return rows

    return [mock.patch.object(RuleDecisions, "decide", raising)]


def _over(detour: Callable[[StateTable], Any]) -> Callable[..., OnlineCommit]:
    return lambda store, *others: OnlineCommit(detour(store), *others)


def _stale(store: StateTable, *others: Any) -> OnlineCommit:
    return OnlineCommit(replace(store, dynamodb=StaleClient(store.dynamodb)), *others)  # type: ignore[arg-type]  # a stand-in


def _no_condition(world: World) -> list[Any]:
    real = StateTable._shop_put

    def without(store: StateTable, commit: Commit) -> Any:
        put = real(store, commit)["Put"]
        return {"Put": {"TableName": put["TableName"], "Item": put["Item"]}}

    return [mock.patch.object(StateTable, "_shop_put", without)]


def _shop_expires(world: World) -> list[Any]:
    real = StateTable._shop_put

    def expiring(store: StateTable, commit: Commit) -> Any:
        put: Any = real(store, commit)["Put"]
        return {"Put": {**put, "Item": {**put["Item"], "expires_at": {"N": str(int(store.now()) + 51 * 86_400)}}}}

    return [mock.patch.object(StateTable, "_shop_put", expiring)]


def _wall_clock(world: World) -> list[Any]:
    def reject(event: InteractionEvent, *, received_clock: int) -> None:
        conversation.reject_too_old(event, received_clock=world.outside.wall)

    def by_the_wall_clock(held: Conversation, *, received_clock: int) -> Conversation:
        return conversation.within_retention(held, received_clock=world.outside.wall)

    return [
        mock.patch.object(log_reader, "reject_too_old", reject),
        mock.patch.object(conversation_fold, "within_retention", by_the_wall_clock),
        mock.patch.object(
            ImportedPart,
            "is_within_retention",
            lambda part, *, received_clock: by_the_wall_clock(part.after, received_clock=received_clock) is part.after,
        ),
    ]


def _ids_forgotten(world: World) -> list[Any]:
    def advance(held: Conversation, event: InteractionEvent, **clocks: int) -> Conversation:
        known = any(one.event_id == event.event_id for one in held.events)
        if len(held.events) >= conversation.MAX_EVENTS and not known:
            held = replace(held, events=held.events[1:])
        return conversation.advance(held, event, **clocks)

    return [mock.patch.object(conversation_fold, "advance", advance)]


def _unarchived(world: World) -> list[Any]:
    real = Transaction.add_entry

    def add_entry(transaction: Transaction, entry: dict[str, object], size: int) -> None:
        if "rejected" not in entry or not transaction.entries:
            real(transaction, entry, size)

    return [mock.patch.object(Transaction, "add_entry", add_entry)]


def _absorbed_again(world: World) -> list[Any]:
    return [mock.patch.object(ShopState, "_absorbed", return_value=())]


def _newer_overtake(world: World) -> list[Any]:
    return [mock.patch.object(LogReader, "_is_held_up", lambda reader, parked: reader.parks)]


def _unparked_too_early(world: World) -> list[Any]:
    return [mock.patch.object(control, "ends_parking", lambda parked, event: parked is not None)]


def _arrival_lost(world: World) -> list[Any]:
    real = put_back._put_back

    def put_back_now(record: Any, *, run: str, now: int) -> Any:
        return replace(real(record, run=run, now=now), arrived_at=now, data=put_back._without_arrival(record.data))

    return [mock.patch.object(put_back, "_put_back", put_back_now)]


def _sizes_unseen(world: World) -> list[Any]:
    return [mock.patch.object(TransactionBuilder, "_refuse_overfull")]


def _passed_by_taken_for_done(world: World) -> list[Any]:
    return [mock.patch.object(StateTable, "positions_archived", lambda store, shop_id, positions: frozenset(positions))]


def _import_holds_what_others_hold(world: World) -> list[Any]:
    return [mock.patch.object(import_packs, "brought_by_job", lambda new, offered: offered)]


def _whole_conversations_imported(world: World) -> list[Any]:
    def fold(
        before: Conversation, events: Iterable[InteractionEvent], *, kept: KeptFacts, policies: Any
    ) -> FoldedImport:
        folded = fold_import(before, events, kept=kept, policies=policies)
        counted = fold_import(EMPTY, folded.part.after.events, kept=kept)
        return replace(folded, facts=counted.facts)

    return [mock.patch.object(import_packs, "fold_import", fold)]


def _done_with_the_first_item(world: World) -> list[Any]:
    def absorbed(shop: ShopItem, import_ids: Collection[str], *, kind: ItemKind) -> ShopItem:
        return shop._with(
            [one._replace(histories=0, conversations=0) if one.import_id in import_ids else one for one in shop.imports]
        )

    return [mock.patch.object(ShopItem, "with_absorbed", absorbed)]


def _histories_expire_early(world: World) -> list[Any]:
    return [mock.patch.object(state_items, "HISTORY_DAYS", 372)]


def _old_sums_come_back(world: World) -> list[Any]:
    """What a release has dropped counts again once it is known again."""
    return [mock.patch.object(Counting, "counted", lambda counting, entity, windows, plan, *, revision: windows)]


def _new_columns_complete_at_once(world: World) -> list[Any]:
    return [mock.patch.object(Counting, "missing_at", return_value=frozenset())]


def _complete_a_tile_too_early(world: World) -> list[Any]:
    def reaches(column: Column, instant: int, *, clock: int) -> bool:
        window = WINDOWS[column.window]
        return window.start(clock) < window.tile(instant)

    return [mock.patch.object(Column, "reaches", reaches)]


def _import_counts_for_what_it_lacks(world: World) -> list[Any]:
    sound = ShopItem.with_import

    def with_import(shop: ShopItem, record: Any, *, position: str) -> ShopItem:
        return sound(shop, replace(record, columns=shop.counting.columns), position=position)

    return [mock.patch.object(ShopItem, "with_import", with_import)]


def _plan_of_the_first_release(world: World) -> list[Any]:
    """A shop's item holds the columns of the release that made it, whichever release came after."""

    def under(shop: ShopItem, plan: Any) -> ShopItem:
        return shop if shop.counting.columns else shop._replace(counting=Counting(plan.columns))

    return [mock.patch.object(ShopItem, "under", under)]


def _state_of_another_fold_continued(world: World) -> list[Any]:
    return [mock.patch.object(ShopState, "waits", False)]


def _rebuild_counts_wherever_the_log_is(world: World) -> list[Any]:
    sound = ShopItem.rebuilt

    def rebuilt(shop: ShopItem, record: Any, plan: Any, *, position: str) -> ShopItem:
        return sound(shop, replace(record, follows=shop.folded_until), plan, position=position)

    return [mock.patch.object(ShopItem, "rebuilt", rebuilt)]


def _folded_unnoticed_while_parked(world: World) -> list[Any]:
    return [mock.patch.object(log_reader, "_folded_until", lambda parked, position: parked)]


def _rebuilt_items_in_the_place_of_others(world: World) -> list[Any]:
    """Rebuilt items are written over those that the fold before still reads and writes."""
    places = (rebuilding, shop_state)
    return [mock.patch.object(place, "stored_key", lambda key, generation: key) for place in places]


def _pending_imports_forgotten(world: World) -> list[Any]:
    sound = ShopItem.rebuilt

    def rebuilt(shop: ShopItem, record: Any, plan: Any, *, position: str) -> ShopItem:
        return sound(shop, replace(record, pending=()), plan, position=position)

    return [mock.patch.object(ShopItem, "rebuilt", rebuilt)]


MUTANTS: dict[str, Mutant] = {
    "no condition on the shop's item": Mutant(patches=_no_condition),
    "other items read before the shop's item": Mutant(_over(ItemsFirst)),
    "items kept in the cache though the shop moved on": Mutant(ItemsKept),
    "retention judged by the wall clock": Mutant(patches=_wall_clock),
    "ids beyond the bound forgotten": Mutant(patches=_ids_forgotten),
    "eventually consistent reads": Mutant(_stale),
    "archive row after the transaction": Mutant(_over(ArchiveAfter)),
    "archive row before the transaction": Mutant(_over(ArchiveBefore)),
    "alerts after the transaction": Mutant(_over(AlertsAfter)),
    "rejected records stored after the transaction": Mutant(_over(RejectedAfter)),
    "a timeout taken for success": Mutant(_over(TimeoutTaken)),
    "a failed attempt's folding kept": Mutant(AttemptKept),
    "poison decided without reading again": Mutant(PoisonAtOnce),
    "rejected records done without an archive entry": Mutant(patches=_unarchived),
    "imports absorbed at every read": Mutant(patches=_absorbed_again),
    "a second import holds what the first holds": Mutant(patches=_import_holds_what_others_hold),
    "an import counts whole conversations instead of differences": Mutant(patches=_whole_conversations_imported),
    "an import done with when its first item has absorbed it": Mutant(patches=_done_with_the_first_item),
    "time to live on the shop's item": Mutant(patches=_shop_expires),
    "histories expire when their windows end": Mutant(patches=_histories_expire_early),
    "a failing model takes the event with it": Mutant(patches=_score_is_fold),
    "a failing rule takes the event with it": Mutant(patches=_rule_is_fold),
    "newer records overtake parked ones": Mutant(patches=_newer_overtake),
    "a shop goes on before the last parked record is back": Mutant(patches=_unparked_too_early),
    "records come back with another arrival": Mutant(patches=_arrival_lost),
    "items are not weighed": Mutant(patches=_sizes_unseen),
    "records passed by are taken for done": Mutant(patches=_passed_by_taken_for_done),
    "sub-record filed under its own key with the carrier's number": Mutant(patches=filed_under_its_own_key),
    "explicit hash key ignored": Mutant(patches=explicit_hash_ignored),
    "arrival of what goes back forgotten": Mutant(patches=arrival_forgotten),
    "records that the stream refuses left behind": Mutant(patches=refused_by_the_stream_left_behind),
    "sums of a dropped column come back": Mutant(patches=_old_sums_come_back),
    "a new column is complete at once": Mutant(patches=_new_columns_complete_at_once),
    "a new column is complete a tile too early": Mutant(patches=_complete_a_tile_too_early),
    "an import counts for columns that it lacks": Mutant(patches=_import_counts_for_what_it_lacks),
    "a shop stays under the plan of its first release": Mutant(patches=_plan_of_the_first_release),
    "state of another fold is continued": Mutant(patches=_state_of_another_fold_continued),
    "a rebuild counts wherever the log is": Mutant(patches=_rebuild_counts_wherever_the_log_is),
    "what is put back to a parked shop is unknown to a rebuild": Mutant(patches=_folded_unnoticed_while_parked),
    "rebuilt items take the place of others at once": Mutant(patches=_rebuilt_items_in_the_place_of_others),
    "a rebuild forgets imports that are not absorbed": Mutant(patches=_pending_imports_forgotten),
    "a policy judges what began before its record": Mutant(patches=judged_from_before_its_record),
    "a policy judges before it is valid": Mutant(patches=judged_before_it_is_valid),
    "an event's place among policies is not stored": Mutant(patches=place_among_policies_not_stored),
    "a policy that comes again counts twice": Mutant(patches=counted_twice),
    "a policy counts whatever it follows": Mutant(patches=counted_whatever_it_follows),
    "a policy's document after the transaction": Mutant(_over(DocumentsAfter)),
    "policies of a failed attempt kept": Mutant(PoliciesKept),
    "a rebuild forgets policies": Mutant(patches=forgotten_by_a_rebuild),
    "time to live on a policy's document": Mutant(patches=expires),
    "rules count whatever they follow": Mutant(patches=rule_mutants.counted_whatever_they_follow),
    "rules of a failed attempt kept": Mutant(rule_mutants.RulesKept),
    "a rebuild forgets rules": Mutant(patches=rule_mutants.forgotten_by_a_rebuild),
    "the end of a withdrawn rule's alert is not noted": Mutant(patches=rule_mutants.end_not_noted),
    "equal events of the log read by id": Mutant(patches=by_id_on_the_log),
    "the order of arrival is not stored": Mutant(patches=stored_in_order_of_time),
    "a correction takes the latest place": Mutant(patches=correction_comes_last),
    "another content of a known id left out in silence": Mutant(patches=conflict_is_a_duplicate),
    "a correction rejected as a conflict": Mutant(patches=correction_is_a_conflict),
    "timers after the transaction": Mutant(_over(TimersAfter)),
    "timers before the transaction": Mutant(_over(TimersBefore)),
    "reached stages are not stored": Mutant(patches=stages_not_stored),
    "the deadline of a timer is not stored": Mutant(patches=deadline_not_stored),
    "a timer is never taken back": Mutant(patches=never_taken_back),
    "a timer keeps its first deadline": Mutant(patches=first_deadline_kept),
    "a row for each deadline": Mutant(patches=one_row_a_deadline),
    "a stage is reached though the wait is over": Mutant(patches=reached_though_answered),
    "a stage is reached again": Mutant(patches=reached_again),
    "silence is folded": Mutant(patches=silence_moves_the_clock),
    "the clock moves to when a timer rings": Mutant(patches=clock_moves_to_the_ring),
    "a reached stage is due again": Mutant(patches=reached_stages_are_due_again),
    "a silence never ends": Mutant(patches=silence_never_ends),
    "a silence ends while the shop is closed": Mutant(patches=looked_at_while_closed),
    "a look lies before events that have come": Mutant(patches=looked_at_before_its_events),
    "an alert is looked at for nothing": Mutant(patches=looked_at_for_nothing),
    "what holds is not stored": Mutant(patches=held_not_stored),
    "what holds has held since it first did": Mutant(patches=held_since_it_first_was),
    "a repeated finding counts again": Mutant(patches=finding_mutants.counted_again),
    "what was found is not stored": Mutant(patches=finding_mutants.not_stored),
    "a finding moves the clock": Mutant(patches=finding_mutants.moves_the_clock),
    "an alert outlives its finding": Mutant(patches=finding_mutants.never_ends),
    "an entity is scored before its event's facts": Mutant(patches=finding_mutants.scored_before_its_facts),
    "a rebuild forgets what was found": Mutant(patches=finding_mutants.forgotten_by_a_rebuild),
    "a failing model of a task takes the event with it": Mutant(patches=finding_mutants.failing_score_is_fold),
}
