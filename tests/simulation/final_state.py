"""Judges of the state that a schedule leaves: against the naive reader, and against a run without any trouble."""

from dataclasses import replace
from functools import partial
from unittest import mock

from service_quality.commit import online_commit, transaction_builder
from service_quality.commit.known_rejections import KnownRejections
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import SHOP_KEY, ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import decode_histories, entity_name, is_settings
from service_quality.commit.timers import TIMER
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import RecordPutBack, ShopUnparked
from service_quality.events.log_records import LogRecord
from service_quality.facts.entities import item_key_of
from service_quality.histories.history import History
from tests.oracle.bounds import RETENTION, is_forgotten
from tests.oracle.spans import window_start
from tests.properties.feature_sets import DEPLOYED
from tests.properties.import_packs import conversation_of
from tests.properties.naive_reader import NaiveReader
from tests.properties.random_logs import parsed
from tests.simulation.event_source import GIVES_UP_AFTER, SENT_AGAIN_WITHIN
from tests.simulation.evidence import Evidence, require
from tests.simulation.models import NamedScorer, entity_scorers, rules_named
from tests.simulation.outside import STATE
from tests.stand_ins.control import control_key
from tests.stand_ins.memory_store import MemoryStore

#: From receipt to fold: late at the stream or sent again, old there when the event source has not given up yet, and
#: as old once more on its shop's shard when another had it.
_UNBOUNDED = 2**40
_LATEST = SENT_AGAIN_WITHIN + 2 * GIVES_UP_AFTER


def judge_state(evidence: Evidence) -> None:
    """Clocks, conversations and histories, as the next reader would find them, equal the naive reader's."""
    reader, _ = evidence.read_naively
    shop = evidence.shop
    require(shop.clock == reader.clock, f"expected the clock {reader.clock}, found {shop.clock}")
    require(shop.received_clock == reader.received_clock, "the received clock is not the log's")
    require(shop.parked is None, "the shop is still parked")
    require(shop.policies == tuple(reader.policies), f"found policies {shop.policies}, expected {[*reader.policies]}")
    expected = [(revision, position) for _, revision, position in reader.rules]
    rules = None if not expected else (*expected[-1], len(expected))
    require(shop.rules == rules, f"found rules {shop.rules}, expected {rules}")
    soonest = evidence.world.log_time - _LATEST  # no event that comes from now on was received before
    stored = stored_items(evidence)
    own = [key for key in stored if not key.startswith("import") and not is_settings(key)]
    largest = max((len(stored[key]) for key in own), default=0)
    require(largest <= evidence.world.setting.most_item_bytes, f"found an item of {largest} bytes")
    state = ShopState(evidence.shop_id, shop, evidence.features.plan)
    contacts = {key for key, contact in reader.contacts.items() if contact.events}
    item_keys = {item_key_of(key) for key in reader.entered} | reader.findings.keys()
    state.load(contacts | item_keys, lambda keys: {key: stored[key] for key in keys if key in stored})
    for key in contacts:
        _require_conversation(state, reader, key, received_clock=max(reader.received_clock, soonest))
    _require_findings(evidence, state, reader)
    for key in reader.entered:
        entity = entity_name(key)
        history = state.history(key) if entity in evidence.features.plan.windows else None
        for name, sums in evidence.features.plan.windows.get(entity, {}).items():
            _require_window(reader, history, key, (name, sums), clock=max(reader.clock, soonest - RETENTION))


def _require_findings(evidence: Evidence, state: ShopState, reader: NaiveReader) -> None:
    """Each item holds what counts of what was found about its customer, unless the table has deleted it."""
    of_shop = (item["item_key"]["S"] for table, item in evidence.world.expired if table == STATE)
    deleted = {key.removeprefix(f"{evidence.shop_id}\x1f").partition("\x1f@")[0] for key in of_shop}
    for key, item in state.histories.items():
        expected = reader.findings.get(key, {})
        require(item.findings == expected or key in deleted, f"{key} holds {item.findings}, expected {expected}")


def _require_conversation(state: ShopState, reader: NaiveReader, key: str, *, received_clock: int) -> None:
    contact = reader.contacts[key]
    if is_forgotten(contact.touched_at, received_clock=received_clock):
        return
    held = state.conversation(key).conversation
    expected = conversation_of(contact.events, touched_at=contact.touched_at)
    require(held.events == expected.events, f"{key} holds other events")
    require(replace(held, reached=()) == expected, f"{key} was touched at another time, or holds others of imports")
    reached = {one.key for one in held.reached}
    require(reached == contact.reached, f"{key} has reached {sorted(reached)}, expected {sorted(contact.reached)}")


def _require_window(
    reader: NaiveReader, history: History | None, key: str, sums: tuple[str, tuple[str, ...]], *, clock: int
) -> None:
    window, names = sums
    oldest = window_start(clock, window)
    for name in names:
        unread = reader.unread.get((entity_name(key), window, name), {}).get(key, 0)
        counted = reader.entered[key][unread:]
        expected = sum(fact.value for fact in counted if fact.name == name and fact.at >= oldest)
        found = history.get(window, name, clock=clock) if history is not None else 0
        require(found == expected, f"{key} holds {found} {name} in {window}, expected {expected}")


def judge_against_calm_run(evidence: Evidence) -> None:
    """The same transactions, folded by one worker without trouble, leave the same items, rows and rejected records.

    Alerts are left out of it where the table has deleted an item that held some, or findings on which they may rest:
    their state ends with it. So does what a conversation's timer rang at last, and how many items have absorbed an
    import: an alert that ends changes one.
    """
    calm = _run_calmly(evidence)
    deleted = [
        (item["item_key"]["S"].removeprefix(f"{evidence.shop_id}\x1f"), item["data"]["B"])
        for table, item in evidence.world.expired
        if table == STATE and item["item_key"]["S"].startswith(f"{evidence.shop_id}\x1f")
    ]
    plan = evidence.features.plan
    histories = [decode_histories(data, plan) for key, data in deleted if _is_history(key)]
    alerts_lost = any(item.alert_states or item.findings for item in histories)
    shops = (calm.read_shop(evidence.shop_id) or ShopItem(), evidence.shop)
    expected, found_shop = map(_without_absorbed_histories, shops) if alerts_lost else shops
    require(expected == found_shop, "the shop's item differs from a calm run's")
    timers_lost = any(entity_name(key) == "contact" for key, _ in deleted)
    _require_rows(evidence, calm, kinds=("archive",) if alerts_lost else ("archive", "alert", "state"))
    _require_rows(evidence, calm, kinds=() if timers_lost else (TIMER,))
    found, gone = stored_items(evidence), {key for key, _ in deleted}
    for (shop_id, key), data in calm.items.items():
        if shop_id != evidence.shop_id or (alerts_lost and _is_history(key)):
            continue
        require(key in found or key in gone, f"lost item: {key}")
        require(found.get(key, data) == data, f"an item differs from a calm run's: {key}")
    require(not found.keys() - {key for _, key in calm.items}, "an item that a calm run does not leave")


def _without_absorbed_histories(shop: ShopItem) -> ShopItem:
    imports = tuple(one._replace(histories=0) for one in shop.imports if one.conversations)
    return shop._replace(imports=imports, done_imports=())


def _is_history(key: str) -> bool:
    return entity_name(key) not in ("contact", "visit", "count", "import") and not is_settings(key)


def _require_rows(evidence: Evidence, calm: MemoryStore, *, kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        found = dict(evidence.rows(kind))
        expected = {key: row.body for key, row in calm.rows.items() if row.row_kind == kind}
        require(found == expected, f"{kind} rows differ from a calm run's: {sorted(found.keys() ^ expected.keys())}")


def _run_calmly(evidence: Evidence) -> MemoryStore:
    """Each link's records through the commit, with the model and the rules of the attempt that committed it."""
    setting = evidence.world.setting
    packs = {(evidence.shop_id, key): data for one in evidence.backfills.values() for key, data in one.packs.items()}
    rebuilt = {(evidence.shop_id, key): data for key, data in evidence.world.rebuilt[evidence.shop_id].items()}
    store = MemoryStore(items=packs | rebuilt)
    records = iter(evidence.taken)
    deployed, worker = ("", ""), None
    for link, attempt in zip(evidence.links, evidence.attempts, strict=True):
        scorer = partial(NamedScorer, attempt.model, setting.cursed_of)
        if worker is None or (attempt.features, attempt.fold) != deployed:  # what it has cached is outdated
            deployed = attempt.features, attempt.fold
            features, _ = DEPLOYED[attempt.features]
            worker = OnlineCommit(store, scorer, features, (), control_key, fold_version=attempt.fold)
        worker.scorer = scorer
        worker.entity_scorers = partial(entity_scorers, attempt.features, attempt.model, setting.cursed_of)
        worker.rules = rules_named(attempt.rules, attempt.features)
        waits = link["fold_version"] != attempt.fold
        _take_calmly(evidence, worker, [next(records) for _ in link["entries"]], waits=waits)
    return store


def _take_calmly(evidence: Evidence, worker: OnlineCommit, records: list[LogRecord], *, waits: bool) -> None:
    """A link's records as they were taken: what the worker decided by more than the log is decided in the same way."""
    reasons = {record.position: evidence.rejected_reasons.get(record.position) for record in records}
    forced = {position: reason for position, reason in reasons.items() if reason in ("fold_failed", "item_full")}

    def known_rejections(rejecting: frozenset[str]) -> KnownRejections:
        made = KnownRejections(rejecting)
        made._reasons.update({position: (AnyVersion(2**40), _rejection(reason)) for position, reason in forced.items()})
        return made

    # nothing is deleted here, so an item may be larger: the log says which records did not fit
    unbounded = mock.patch.object(transaction_builder, "MAX_ITEM_BYTES", _UNBOUNDED)
    with unbounded, mock.patch.object(online_commit, "KnownRejections", known_rejections):
        if not waits and _was_parked_here(evidence, worker, records):
            worker.park_shop(evidence.shop_id, records)
        else:
            worker.advance_shop(evidence.shop_id, records)


def _was_parked_here(evidence: Evidence, worker: OnlineCommit, records: list[LogRecord]) -> bool:
    """Whether some of these were parked for a trouble of their own, and not because the shop was parked before."""
    parked = (worker.store.read_shop(evidence.shop_id) or ShopItem()).parked
    for record in records:
        control = _control_of(evidence, record)
        if isinstance(control, ShopUnparked) and parked is not None and parked.until <= control.until:
            parked = parked if parked.failed_run == control.run else None
        if evidence.rejected_reasons.get(record.position) != "parked":
            continue
        run = control.run if isinstance(control, RecordPutBack) else ""
        if parked is None or run not in ("", parked.failed_run):
            return True
        parked = parked._replace(until=max(parked.until, record.position))
    return False


def _control_of(evidence: Evidence, record: LogRecord) -> object:
    try:
        return parsed(record.data, record.arrived_at, evidence.shop_id)
    except RejectedEventError:
        return None


def _rejection(reason: str) -> RejectedEventError:
    return RejectedEventError(reason, found="what a worker rejected", expected="the same here")


class AnyVersion(int):
    """Equal to every version of a shop."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


def stored_items(evidence: Evidence) -> dict[str, bytes]:
    """The shop's items but its own, by key."""
    items = {
        key[0].partition("\x1f"): item["data"]["B"] for key, item in evidence.world.outside.tables.tables[STATE].items()
    }
    return {key: data for (shop_id, _, key), data in items.items() if shop_id == evidence.shop_id and key != SHOP_KEY}
