"""The effect of each kind of control record on a shop; `events/control_records.py` reads and writes them."""

from collections.abc import Callable

from service_quality.commit.own_rules import OwnRules
from service_quality.commit.readings import Reading
from service_quality.commit.shop_item import Parked, ShopItem
from service_quality.commit.transaction_builder import TransactionBuilder
from service_quality.commit.transactions import control_entry, duplicate_entry
from service_quality.errors import RejectedEventError, RejectedPolicyError, RejectedRulesError
from service_quality.events.control_records import (
    RULES,
    HistoryFilled,
    HistoryImported,
    RecordPutBack,
    SettingsChanged,
    ShopRecord,
    ShopUnparked,
    StateRebuilt,
)


def apply_control(builder: TransactionBuilder, reading: Reading, control: ShopRecord) -> bool:
    """Let a control record take effect at its position; False for one that has taken effect before."""
    match control:
        case HistoryImported() | HistoryFilled():
            return _import_history(builder, reading, control)
        case StateRebuilt():
            return _rebuild(builder, reading, control)
        case ShopUnparked():
            return _unpark(builder, reading, control)
        case SettingsChanged():
            return _change_settings(builder, reading, control)
        case RecordPutBack():
            # One within another: the record that it holds comes back by itself.
            builder.mark(reading, duplicate_entry(reading.position))
            return False


def _import_history(builder: TransactionBuilder, reading: Reading, event: HistoryImported | HistoryFilled) -> bool:
    """Let the import count from here on; the items held before are committed, dropped and read again.

    RejectedEventError when the shop has too many imports that are not absorbed, or does not lack what is filled in.
    """

    def after(shop: ShopItem) -> ShopItem:
        if isinstance(event, HistoryFilled):
            return shop.with_past(event)
        return shop.with_import(event, position=reading.position)

    known = builder.state.shop.knows(event.import_id)
    return _change_items(builder, reading, event, after=None if known else after)


def _rebuild(builder: TransactionBuilder, reading: Reading, event: StateRebuilt) -> bool:
    """Let rebuilt items take the place of the shop's own; a parked shop stays parked.

    RejectedEventError when they are of another version of the fold, or lack something that is folded.
    """
    state = builder.state

    def after(shop: ShopItem) -> ShopItem:
        if event.fold_version != state.fold_version:
            raise RejectedEventError(
                "other_fold",
                field="fold_version",
                found=f"a rebuild by version {event.fold_version} of the fold",
                expected=f"one by version {state.fold_version}",
            )
        return shop.rebuilt(event, state.plan, position=reading.position)

    known = state.shop.generation == event.rebuild_id
    return _change_items(builder, reading, event, after=None if known else after)


def _change_items(
    builder: TransactionBuilder,
    reading: Reading,
    event: ShopRecord,
    *,
    after: Callable[[ShopItem], ShopItem] | None,
) -> bool:
    """Pack what came before, and let the shop be another one `after` the record, with items to read again.

    Without `after` the record has taken effect before, and False is returned.
    """
    if not builder.founds_no_shop:
        builder.flush()
    state = builder.state
    entry = duplicate_entry(reading.position)
    if after is not None:
        state.shop = after(state.shop)
        entry = control_entry(reading.position, event, clock=state.shop.clock)
    builder.add(reading, entry, size=reading.size + 200)
    builder.flush()
    state.forget_items()
    return after is not None


def _change_settings(builder: TransactionBuilder, reading: Reading, event: SettingsChanged) -> bool:
    """Let a section of the settings be in force from here on; the present one again is a duplicate."""
    return (_change_rules if event.section == RULES else _change_policy)(builder, reading, event)


def _change_rules(builder: TransactionBuilder, reading: Reading, event: SettingsChanged) -> bool:
    """Let rules be in force from here on; the present ones again are a duplicate.

    RejectedEventError for a wrong document, and for one that does not follow the present one.
    """
    from service_quality.alerts.rule_document import parse_rules  # noqa: PLC0415  # few batches bring rules

    state = builder.state
    try:
        found = parse_rules(event.document, builder.features)
    except RejectedRulesError as error:
        raise RejectedEventError(
            "wrong_rules",
            field="document",
            found=f"rules with {len(error.problems)} mistakes",
            expected="some without",
        ) from error
    brought = OwnRules(found.revision, event.document.decode(), found.rules)
    if state.own_rules is not None and state.own_rules.document == brought.document:
        builder.mark(reading, duplicate_entry(reading.position))
        return False
    builder.flush()
    state.add_rules(brought, follows=found.follows, position=reading.position)
    builder.add(reading, control_entry(reading.position, event, clock=state.shop.clock), size=reading.size + 200)
    builder.flush()
    return True


def _change_policy(builder: TransactionBuilder, reading: Reading, event: SettingsChanged) -> bool:
    """Let a policy be in force from here on; the present one again is a duplicate.

    RejectedEventError for a wrong document, and for one that does not follow the present one.
    """
    from service_quality.policies.policy_document import parse_policy  # noqa: PLC0415  # few batches bring a policy

    state = builder.state
    try:
        policy = parse_policy(event.document)
    except RejectedPolicyError as error:
        raise RejectedEventError(
            "wrong_policy",
            field="document",
            found=f"a policy with {len(error.problems)} mistakes",
            expected="one without",
        ) from error
    if state.policies[-1:] == (policy,):
        builder.mark(reading, duplicate_entry(reading.position))
        return False
    builder.flush()
    state.add_policy(policy, event.document)
    builder.add(reading, control_entry(reading.position, event, clock=state.shop.clock), size=reading.size + 200)
    builder.flush()
    return True


def ends_reading(control: ShopRecord) -> bool:
    """Whether the items that are read for records behind a control record would be others."""
    return isinstance(control, HistoryImported | HistoryFilled | StateRebuilt | SettingsChanged)


def behind(control: ShopRecord, parked: Parked | None) -> Parked | None:
    """How a shop is parked behind a control record."""
    return None if isinstance(control, ShopUnparked) and ends_parking(parked, control) else parked


def ends_parking(parked: Parked | None, event: ShopUnparked) -> bool:
    """Whether a run has brought back all parked records."""
    return parked is not None and parked.until <= event.until and parked.failed_run != event.run


def _unpark(builder: TransactionBuilder, reading: Reading, event: ShopUnparked) -> bool:
    """Unpark the shop, unless records were parked that the run did not put back, or the run failed again."""
    shop = builder.state.shop
    builder.make_room(set(), rows=0, size=reading.size)
    builder.add(reading, control_entry(reading.position, event, clock=shop.clock), size=reading.size)
    return ends_parking(shop.parked, event)
