"""Control records: records that change a shop besides interaction events.

Each class writes its own fields; `control_parsing.py` reads them, `commit/control.py` applies them to a shop.
"""

from base64 import b64encode
from typing import NamedTuple

from service_quality.by_fields import ByFields, value_class
from service_quality.events.finding_reported import FindingReported
from service_quality.events.time_reached import TimeReached
from service_quality.instants import format_instant

RECORD_VERSION = 1

ControlForm = dict[str, object]

#: The sections of a shop's settings. A record that names none is of the first, the only one of older releases.
POLICY, RULES = "policy", "rules"
SECTIONS = (POLICY, RULES)


@value_class(frozen=True, kw_only=True)
class HistoryImported(ByFields):
    """A backfill enters a shop's log: from this record's position on, the import counts.

    `clock` is the latest instant of the imported events; `histories` and `conversations` count its items of each kind,
    in `buckets` packs; `columns` are those that its histories hold.
    """

    shop_id: str
    import_id: str
    clock: int
    buckets: int
    histories: int
    conversations: int
    columns: tuple[str, ...]

    kind = "history_imported"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {
            "import_id": self.import_id,
            "clock": format_instant(self.clock),
            "buckets": self.buckets,
            "histories": self.histories,
            "conversations": self.conversations,
            "columns": " ".join(self.columns),
        }


@value_class(frozen=True, kw_only=True)
class HistoryFilled(ByFields):
    """The past of new columns enters a shop's log: what they lack up to the position `follows`, where they begin.

    `histories` counts its items, in `buckets` packs.
    """

    shop_id: str
    import_id: str
    follows: str
    buckets: int
    histories: int
    columns: tuple[str, ...]

    kind = "history_filled"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {
            "import_id": self.import_id,
            "follows": self.follows,
            "buckets": self.buckets,
            "histories": self.histories,
            "columns": " ".join(self.columns),
        }


class PendingImport(NamedTuple):
    """An import of which a number of conversations of a rebuilt shop have still to absorb their parts."""

    import_id: str
    buckets: int
    conversations: int


@value_class(frozen=True, kw_only=True)
class StateRebuilt(ByFields):
    """The state of a shop is folded again from its log up to the position `follows`, by a version of the fold.

    `follows` is "" where nothing was folded yet.

    Its items are stored under `rebuild_id`. The clocks are the shop's at that position, `columns` those that its
    histories hold, `pending` the imports that are not absorbed yet.
    """

    shop_id: str
    rebuild_id: str
    fold_version: str
    follows: str
    clock: int
    received_clock: int
    columns: tuple[str, ...]
    pending: tuple[PendingImport, ...] = ()

    kind = "state_rebuilt"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {
            "rebuild_id": self.rebuild_id,
            "fold_version": self.fold_version,
            "follows": self.follows,
            "clock": self.clock,
            "received_clock": self.received_clock,
            "columns": " ".join(self.columns),
            "pending": " ".join(":".join(map(str, one)) for one in self.pending),
        }


@value_class(frozen=True, kw_only=True)
class RecordPutBack(ByFields):
    """A parked or rejected record comes back on its shop's log.

    `order` is its first position, `arrived_at` its first arrival in epoch milliseconds. Records of one `run` come in
    order; the run of rejected records is "".
    """

    shop_id: str
    run: str
    order: str
    arrived_at: int
    data: bytes

    kind = "record_put_back"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {
            "run": self.run,
            "order": self.order,
            "arrived_at": format_instant(self.arrived_at),
            "record": b64encode(self.data).decode(),
        }


@value_class(frozen=True, kw_only=True)
class ShopUnparked(ByFields):
    """A run has put all of its records back, up to the record whose first position is `until`."""

    shop_id: str
    run: str
    until: str

    kind = "shop_unparked"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {"run": self.run, "until": self.until}


@value_class(frozen=True, kw_only=True)
class SettingsChanged(ByFields):
    """A section of the shop's settings is another one behind this record; `document` is its JSON.

    A policy is in force for what begins behind the record, rules for every event behind it.
    """

    shop_id: str
    document: bytes
    section: str = POLICY

    kind = "settings_changed"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        section = {} if self.section == POLICY else {"section": self.section}
        return {**section, "document": b64encode(self.document).decode()}


#: Records that change their shop itself; a reached deadline is folded into its conversation, a finding beside its
#: subject's histories.
ShopRecord = SettingsChanged | HistoryImported | HistoryFilled | StateRebuilt | RecordPutBack | ShopUnparked
ControlRecord = ShopRecord | TimeReached | FindingReported


def control_to_dict(record: ControlRecord) -> ControlForm:
    """The JSON form of a control record, as it is archived: without a signature."""
    named: ControlForm = {"version": RECORD_VERSION, "kind": record.kind, "shop_id": record.shop_id}
    return named | record.form()
