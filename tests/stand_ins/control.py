"""The key that signs control records in tests, and records as they are put on a stream."""

from service_quality.events.control_records import ControlRecord, HistoryImported
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.feature_set import FEATURES

KEY = b"a key for tests"


def control_key() -> bytes:
    return KEY


def record_json(record: InteractionEvent | ControlRecord, *, issued_at: int) -> bytes:
    """An event as it is, a control record signed at an instant."""
    if isinstance(record, InteractionEvent):
        return event_to_json(record)
    return sign_control(record, KEY, issued_at=issued_at)


def make_import_record(
    import_id: str,
    *,
    clock: int,
    shop_id: str = "shop",
    buckets: int = 1,
    histories: int = 1,
    conversations: int = 0,
    columns: tuple[str, ...] | None = None,
) -> HistoryImported:
    return HistoryImported(
        shop_id=shop_id,
        import_id=import_id,
        clock=clock,
        buckets=buckets,
        histories=histories,
        conversations=conversations,
        columns=FEATURES.plan.columns if columns is None else columns,
    )
