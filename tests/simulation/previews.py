"""The judge of previews: what a caller would be told now of an event, from the state as a schedule leaves it."""

from collections.abc import Iterator
from unittest import mock

from service_quality.adapters.state_table import StateTable
from service_quality.commit import preview
from service_quality.commit.preview import Preview, Previewer
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.vectors import vector_bytes
from service_quality.instants import MINUTE
from tests.properties.online_run import SCORER
from tests.simulation.evidence import Evidence, require
from tests.simulation.outside import ALERTS, STATE


def judge_previews(evidence: Evidence) -> None:
    """A question and its answer have the features that they would get on the log now, and change nothing."""
    reader, _ = evidence.read_naively
    if not evidence.shop.version:
        return
    tables = evidence.world.outside.tables
    before = dict(tables.tables[STATE])
    store = StateTable(tables, STATE, ALERTS, lambda rejections: None, now=lambda: 0.0, pause=lambda seconds: None)  # type: ignore[arg-type]  # a stand-in
    previewer = Previewer(store, SCORER, evidence.features)
    for contact in ("c0", "c1"):
        events = list(_next_in(evidence, contact, at=max(reader.received_clock, evidence.world.log_time)))
        found = _ask(previewer, evidence, events)
        readings = reader.copy().read([("", event) for event in events])
        for shown, reading in zip(found, readings, strict=True):
            vector = _vector_of(shown)
            require(vector == reading.vector, f"a preview shows another vector than the log would serve: {contact}")
            evidence.world.count("previews", vector is not None)
    require(tables.tables[STATE] == before, "a preview changed the state")


def _ask(previewer: Previewer, evidence: Evidence, events: list[InteractionEvent]) -> list[Preview]:
    with mock.patch.object(preview, "FOLD_VERSION", evidence.shop.fold_version):
        try:
            return previewer.preview(evidence.shop_id, events)
        except Exception as failure:
            raise AssertionError(f"a preview fails: {failure!r}") from failure


def _next_in(evidence: Evidence, contact: str, *, at: int) -> Iterator[InteractionEvent]:
    for number, kind in enumerate(("customer_message", "agent_message"), 1):
        yield InteractionEvent(
            event_id=f"preview{number}",
            shop_id=evidence.shop_id,
            kind=kind,
            occurred_at=at + number * MINUTE,
            received_at=at + number * MINUTE,
            conversation_id=contact,
            agent_id="bob" if kind == "agent_message" else None,
            text="Wo bleibt mein Paket?",
        )


def _vector_of(shown: Preview) -> bytes | None:
    if shown is None or isinstance(shown, RejectedEventError):
        return None
    return vector_bytes(shown.vector)
