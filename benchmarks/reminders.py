"""Reminders under a policy of 20 seconds on the embedded AWS: how late they come, and whether any is missing or false.

The shipped rules remind of an answer at half of its time, at three quarters, and when it is late.

Lateness is from deadline and grace to the alert in a subscriber's queue: the delayed queue, `ring_timers`, the stream,
the fold, the table's stream, `dispatch_outbox` and the topic lie between, each warm. The embedded AWS looks for delayed
messages once a second, and runs everything on this machine.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.errors import EngineFailedError
from benchmarks.measurement import Row, Section
from benchmarks.reminder_runs.arrivals import NotingSubscriber
from benchmarks.reminder_runs.disturbances import disturb_dispatch, hurry_queue, kill_ringing
from benchmarks.reminder_runs.line import reminding_line
from benchmarks.reminder_runs.turns import (
    LIMIT_MS,
    SHOPS,
    Outcome,
    Turn,
    await_alerts,
    is_complete,
    judge,
    late_backlog,
    live,
    put_late,
    show_ids,
    turns,
)
from infra.local.replaying import now_ms
from service_quality.commit.timer_sweep import LOST_MS
from service_quality.instants import SECOND
from tests.integration.timed_line import TimedLine

TURNS = 200
BACKLOG = 1_000
BESIDE = 40
SPREAD_MS = 10 * SECOND
MOST_RUNS = 3
_PATIENCE_SECONDS = 30
#: How long it stays quiet before a run is judged, so that what nobody needs is seen.
_QUIET_SECONDS = 5
_MOST_SWEEPS = 6
#: Each that runs holds its messages for up to a second. With two, those of later stages wait for seconds behind others.
_RINGING_AT_ONCE = 6


def measure(runs: int, progress: Callable[[str], None]) -> Section:
    """Calm runs, one with trouble, and one beside a backlog."""
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        reminding_line(Path(folder), SHOPS, limit_ms=LIMIT_MS) as line,
        NotingSubscriber(line.cloud, line.outputs["AlertTopicArn"], "reminded") as people,
    ):
        show_ids(line)
        line.limit_ringing(_RINGING_AT_ONCE)
        progress("warming")
        calm_run(line, people, "warm", count=60, seed=0)
        calm = []
        for number in range(1, min(runs, MOST_RUNS) + 1):
            progress(f"run {number} of {min(runs, MOST_RUNS)}: {TURNS} turns")
            calm.append(calm_run(line, people, f"calm-{number}", count=TURNS, seed=number))
        progress(f"{BACKLOG} chats that arrive two hours late, beside {BESIDE} turns")
        beside, backlog_alerts = backlog_run(line, people)
        progress(f"{TURNS} turns with lost, doubled and early messages and killed functions")
        troubled, killed, overdue = troubled_run(line, people)
    outcomes = [*calm, beside, troubled]
    if not all(one.late for one in calm):
        raise EngineFailedError("reminders: found a calm run without any alert, expected three for every second turn")
    rows = (
        Row(f"{TURNS} turns, half answered: the latest reminder", "s", tuple(max(one.late) for one in calm)),
        Row("the same: the middle reminder", "s", tuple(sorted(one.late)[len(one.late) // 2] for one in calm)),
        Row(f"beside a backlog of {BACKLOG:,}: the latest reminder", "s", (max(beside.late, default=0.0),)),
        Row(
            "under trouble: timers that sweeps found overdue",
            "timers",
            (float(overdue),),
            f"a fifth of the messages lost, doubled, early each; {killed} functions killed",
        ),
    )
    figures = {
        "waiting": float(sum(one.waiting for one in outcomes)),
        "missing": float(sum(one.missing for one in outcomes)),
        "false": float(sum(one.false for one in outcomes)),
        "worst_late_seconds": max(late for one in calm for late in one.late),
        "backlog_alerts": float(backlog_alerts),
    }
    return Section("reminders", rows, figures, {"ministack": version("ministack")})


def calm_run(line: TimedLine, people: NotingSubscriber, name: str, *, count: int, seed: int) -> Outcome:
    """Turns live, until every reminder has come and it is quiet."""
    found = turns(name, count, spread_ms=SPREAD_MS, seed=seed)
    live(line, [event for turn in found for event in turn.events()])
    time.sleep(max(0, last_ring(found) - now_ms()) / SECOND)
    await_alerts(found, people.arrivals, seconds=_PATIENCE_SECONDS)
    time.sleep(_QUIET_SECONDS)
    return judge(found, people.arrivals)


def backlog_run(line: TimedLine, people: NotingSubscriber) -> tuple[Outcome, int]:
    """A backlog beside turns that are live; their outcome, and the alerts of the backlog."""
    late = late_backlog("backlog", BACKLOG)
    putting = threading.Thread(target=put_late, args=(line, late))
    putting.start()
    outcome = calm_run(line, people, "beside", count=BESIDE, seed=99)
    putting.join()
    time.sleep((LIMIT_MS + _PATIENCE_SECONDS * SECOND) / SECOND)
    return outcome, sum(bool(people.arrivals.of(f"backlog-{number}")) for number in range(BACKLOG))


def troubled_run(line: TimedLine, people: NotingSubscriber) -> tuple[Outcome, int, int]:
    """Turns while messages are lost, doubled and early and functions die; then sweeps come until nothing is missing."""
    disturb_dispatch(line)
    hurry_queue(line, seconds=45)
    found = turns("troubled", TURNS, spread_ms=SPREAD_MS, seed=7)
    until = last_ring(found) + SECOND
    with ThreadPoolExecutor(1) as beside:
        killing = beside.submit(kill_ringing, line, since=min(found[0].rings_at.values()), until=until)
        live(line, [event for turn in found for event in turn.events()])
        killed = killing.result()
    overdue = 0
    for _ in range(_MOST_SWEEPS):
        time.sleep((LOST_MS + SECOND) / SECOND)  # a message that is lost is sent again once it is overdue so long
        overdue += line.sweep()["OverdueTimers"]
        await_alerts(found, people.arrivals, seconds=_PATIENCE_SECONDS)
        if is_complete(found, people.arrivals):
            break
    time.sleep(_QUIET_SECONDS)
    return judge(found, people.arrivals), killed, overdue


def last_ring(found: list[Turn]) -> int:
    """The instant at which the last timer of some turns is to ring."""
    return max(at for turn in found for at in turn.rings_at.values())
