"""The parts of the benchmark of the windows: its log, its comparison of answers, and its watching of processes."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from benchmarks.errors import EngineFailedError
from benchmarks.process_usage import run_watched
from benchmarks.windows_runs.comparison import unequal_values
from benchmarks.windows_runs.question import answers
from benchmarks.windows_runs.synthetic_log import BUSIEST, write_log
from cli.progress import wait_until

NAMES = [answer.name for answer in answers()]
SPENDS = "import time; from benchmarks.process_usage import print_numbers; "


def write_answer(file, log_indexes, **changed):
    columns = {name: np.array(log_indexes) * 2 for name in NAMES} | changed
    parquet.write_table(pa.table({"log_index": log_indexes, **columns}), file)
    return file


def watch(program, most_seconds=20.0):
    return run_watched([sys.executable, "-c", program], environment={"PYTHONPATH": "."}, most_seconds=most_seconds)


def test_question_has_45_answers_of_different_names():
    assert len(set(NAMES)) == 45
    assert NAMES[:2] == ["agent_contacts_1h", "agent_reply_ms_1h"]


def test_skewed_log_has_a_busiest_agent_and_late_rows(tmp_path):
    write_log(tmp_path / "log", rows=20_000, skewed=True)
    log = parquet.read_table(tmp_path / "log").to_pandas()

    assert log["agent"].value_counts(normalize=True).iloc[0] == pytest.approx(BUSIEST, abs=0.01)
    assert 0.01 < (log["occurred_at"] < log["clock"]).mean() < 0.1
    assert log.groupby("shop")["clock"].apply(lambda clock: clock.is_monotonic_increasing).all()
    assert (log.groupby("agent")["shop"].nunique() == 1).all()


def test_equal_answers_may_stand_in_any_order(tmp_path):
    one, other = write_answer(tmp_path / "one", [0, 1, 2]), write_answer(tmp_path / "other", [2, 0, 1])

    assert unequal_values(one, other) == 0


def test_every_value_that_differs_is_counted(tmp_path):
    one = write_answer(tmp_path / "one", [0, 1, 2])
    other = write_answer(tmp_path / "other", [0, 1, 2], **{NAMES[0]: [0, 2, 5], NAMES[-1]: [1, 2, 4]})

    assert unequal_values(one, other) == 2


@pytest.mark.parametrize("log_indexes", [[0, 1], [0, 1, 1], [1, 2, 3]])
def test_answer_of_other_rows_is_refused(tmp_path, log_indexes):
    one, other = write_answer(tmp_path / "one", [0, 1, 2]), write_answer(tmp_path / "other", log_indexes)

    with pytest.raises(ValueError, match="expected every log index once"):
        unequal_values(one, other)


def test_answer_that_is_no_integer_is_refused(tmp_path):
    one = write_answer(tmp_path / "one", [0, 1])
    other = write_answer(tmp_path / "other", [0, 1], **{NAMES[3]: [0.0, 2.0]})

    with pytest.raises(ValueError, match="expected int64"):
        unequal_values(one, other)


def test_watched_run_counts_what_its_children_take():
    child = (
        "import time; held = b'x' * 90_000_000; end = time.process_time() + .6\nwhile time.process_time() < end: pass"
    )
    usage = watch(
        SPENDS + f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); "
        "print_numbers({'windows': 1.5})"
    )

    assert usage.printed == {"windows": 1.5}
    assert usage.largest_mb > 90
    assert usage.cpu_seconds >= 0.4


def test_watched_run_that_fails_says_why():
    with pytest.raises(EngineFailedError, match=r"found status 1, expected 0: [\s\S]*ZeroDivisionError"):
        watch("1 / 0")


@pytest.mark.slow
def test_watched_run_that_does_not_end_is_ended_with_its_children(tmp_path):
    started = tmp_path / "started"
    program = f"import os, time; child = os.fork(); child and open({str(started)!r}, 'w').write(str(child)); "

    with pytest.raises(EngineFailedError, match="found no end after 2 s"):
        watch(program + "time.sleep(60)", most_seconds=2.0)

    child = started.read_text()
    # A killed process ends a moment later.
    assert wait_until(lambda: not is_running(child), title="child", state=lambda: "still runs", seconds=10)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
