"""Jobs whose process is killed, again and again, in all that they do, and which are run again."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import pytest

from infra.local.module_runs import run_module
from service_quality.events.control_records import HistoryImported
from spark_jobs.lake.tables import IMPORTS
from tests.cluster.conftest import Store, Undisturbed, first_steps
from tests.cluster.functions_side import import_records_on, packs_in, serve
from tests.cluster.moments import kill_at
from tests.cluster.two_worlds import (
    LATER,
    SECOND,
    Row,
    events_after_the_past,
    events_in,
    materialize_argv,
    session_on,
    training_set_in,
)

pytestmark = [pytest.mark.spark, pytest.mark.aws, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1500)]

SEED = 8
CALM, DISTURBED = "calm", "disturbed"


@dataclass(frozen=True)
class Seen:
    """The files that a reader found after a kill."""

    moment: str
    events: list[Row]
    training_set: list[Row]
    imports: set[str]
    packs: dict[str, bytes]
    import_records: list[HistoryImported]


@dataclass(frozen=True)
class Story:
    """The findings after each kill, and the files in the end; the calm one is a run without a kill."""

    kills: list[Seen]
    end: Seen
    calm: Seen


@pytest.fixture(scope="module")
def story(store: Store, undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Story:
    lake = tmp_path_factory.mktemp("killed") / "lake"
    first_steps(lake)
    random, cloud = Random(SEED), store.emulator.cloud
    # The settings of tests: how a plan is run has no part in what a commit to the lake leaves.
    environment = store.environment | {"SPARK_CONF_DIR": os.environ["SPARK_CONF_DIR"]}

    def at(*argv: list[str]) -> list[str]:
        """The jobs on this lake, one after the other."""
        return [word for job in argv for word in ["then", *job, "--lake", str(lake)]][1:]

    def look(moment: str, place: str = DISTURBED) -> Seen:
        spark = session_on(str(lake))
        imports = {row["import_id"] for row in spark.table(IMPORTS).collect()} if imports_exist() else set()
        return Seen(
            moment,
            events_in(spark),
            training_set_in(spark),
            imports,
            packs_in(cloud, place),
            import_records_on(cloud, place),
        )

    def imports_exist() -> bool:
        return files("imports/metadata/v1.metadata.json") > 0

    def files(pattern: str) -> int:
        return sum(1 for _ in (lake / "service").glob(pattern))

    def comes(pattern: str, *, ends: str) -> Callable[[], bool]:
        """Whether there is a new file, or the job has committed already, in which case nothing more would come."""
        before = files(pattern)
        return lambda: files(pattern) > before or files(ends) > 0

    generate, build, materialize = at(SECOND), at(LATER), at(materialize_argv(DISTURBED))
    events_end, training_set_end = "events/metadata/v3.metadata.json", "training_set/metadata/v2.metadata.json"
    kills = []
    for moment, argv, watch in (
        ("events are written", generate, lambda: comes("events/data/**/*.parquet", ends=events_end)),
        ("events are listed", generate, lambda: comes("events/metadata/snap-*.avro", ends=events_end)),
        ("events are committed", generate, lambda: comes(events_end, ends=events_end)),
        ("a training set is written", build, lambda: comes("training_set/data/**/*.parquet", ends=training_set_end)),
        ("a training set is listed", build, lambda: comes("training_set/metadata/snap-*.avro", ends=training_set_end)),
        ("packs are written", materialize, lambda: lambda: bool(packs_in(cloud, DISTURBED))),
        ("import records are put", materialize, lambda: lambda: bool(import_records_on(cloud, DISTURBED))),
    ):
        kill_at(watch(), argv, environment, random)
        kills.append(look(moment))
    argv = at(SECOND, LATER, materialize_argv(DISTURBED), materialize_argv(CALM))
    run_module("jobs", ["spark_jobs", *argv], environment)
    return Story(kills, look("the end"), look("calm", CALM))


def test_reader_sees_the_old_events_or_the_new_and_nothing_between(story, undisturbed):
    for seen in story.kills:
        assert seen.events in (undisturbed.first_events, undisturbed.events), seen.moment
    assert undisturbed.first_events in [seen.events for seen in story.kills[:2]]
    assert story.kills[2].events == undisturbed.events


def test_reader_sees_the_old_training_set_or_the_new_and_nothing_between(story, undisturbed):
    for seen in story.kills:
        assert seen.training_set in (undisturbed.earlier, undisturbed.later), seen.moment
    assert undisturbed.earlier in [seen.training_set for seen in story.kills[3:5]]


def test_tables_in_the_end_are_those_of_a_run_that_nobody_killed(story, undisturbed):
    assert story.end.events == undisturbed.events
    assert story.end.training_set == undisturbed.later


def test_past_that_has_an_import_record_is_all_there(story):
    for seen in story.kills:
        for import_record in seen.import_records:
            own = {key: data for key, data in story.end.packs.items() if import_record.import_id in key}
            assert own
            assert own.items() <= seen.packs.items(), seen.moment
            assert import_record.import_id in seen.imports


def unnamed(seen: Seen) -> tuple[dict[tuple[str, str], bytes], set[HistoryImported]]:
    """Packs by shop and bucket, and import records: without the ids of their imports, which name the table, too."""
    parts = ((key.split("\x1f"), data) for key, data in seen.packs.items())
    packs = {(names[0], names[-1]): data for names, data in parts if len(names) == 4}
    return packs, {replace(one, import_id="") for one in seen.import_records}


def test_past_in_the_end_is_that_of_a_run_that_nobody_killed(story):
    assert story.kills[-2].packs
    assert len(story.end.packs) == len(story.calm.packs)
    assert unnamed(story.end) == unnamed(story.calm)
    import_ids = {one.import_id for one in story.end.import_records}
    assert len(story.end.import_records) > len(story.calm.import_records) == len(import_ids)


def named_alike(seen: Seen) -> tuple[dict[str, bytes], list[HistoryImported]]:
    """Packs and import records, the ids of imports replaced: they name the state table, which differs."""
    names = {one.import_id: f"import of {one.shop_id}" for one in seen.import_records}
    assert len(set(names.values())) == len(names)
    packs = {"\x1f".join(names.get(part, part) for part in key.split("\x1f")): data for key, data in seen.packs.items()}
    return packs, [replace(one, import_id=names[one.import_id]) for one in seen.import_records]


def test_past_that_has_two_import_records_counts_once(story):
    events = events_after_the_past()

    disturbed, calm = (serve(*named_alike(side), events).items for side in (story.end, story.calm))

    assert disturbed == calm
    assert disturbed != serve(named_alike(story.calm)[0], [], events).items
