"""What an import compares of an event that the log may hold."""

from dataclasses import replace

import pytest

from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.instants import DAY, HOUR
from spark_jobs.lake.tables import EVENTS_IN_MILLIS
from spark_jobs.logs.import_rows import content_hash
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark

NOON = 19_600 * DAY + 12 * HOUR
AHEAD = InteractionEvent(
    event_id="e", shop_id="s", kind="customer_message", occurred_at=NOON, received_at=NOON, stated_at=NOON + HOUR,
    conversation_id="c",
)  # fmt: skip
OF_DAY = replace(AHEAD, precision="day", stated_at=None)


@pytest.fixture(scope="module")
def hashed(tmp_path_factory):
    spark = start_session("test", str(tmp_path_factory.mktemp("lake")))

    def hashes(*events: InteractionEvent) -> list[str]:
        rows = [(number, *(getattr(event, name) for name in FIELDS)) for number, event in enumerate(events)]
        kinds = {field.name: field.dataType.simpleString() for field in EVENTS_IN_MILLIS}
        columns = ", ".join(["number int", *(f"{name} {kinds[name]}" for name in FIELDS)])
        found = spark.createDataFrame(rows, columns).withColumn("content", content_hash()).orderBy("number").collect()
        return [row["content"] for row in found]

    return hashes


def test_instant_that_only_the_arrival_set_is_no_content(hashed):
    came_later = replace(AHEAD, occurred_at=NOON + HOUR, received_at=NOON + 2 * HOUR, stated_at=None, text="hello")
    day_end = replace(OF_DAY, occurred_at=NOON + 12 * HOUR - 1, received_at=NOON + DAY, courtesy=1)

    ahead, exported, of_day, exported_day = hashed(AHEAD, came_later, OF_DAY, day_end)

    assert ahead == exported
    assert of_day == exported_day
    assert ahead != of_day


def test_whatever_its_source_says_otherwise_is_other_content(hashed):
    others = [
        replace(AHEAD, stated_at=NOON + 2 * HOUR),
        replace(AHEAD, kind="agent_message"),
        replace(AHEAD, conversation_id="d"),
        replace(AHEAD, rating=3),
        replace(OF_DAY, occurred_at=NOON + DAY),
        OF_DAY,
    ]

    assert len({*hashed(AHEAD, *others)}) == len(others) + 1
