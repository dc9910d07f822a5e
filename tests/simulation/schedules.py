"""Schedules: a setting and a list of moves, drawn from a seed, run, judged, and made smaller where they fail."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.oracle.entries import Found
from tests.oracle.rounds import rounds, turns
from tests.oracle.story import DEFAULT, Story, in_order
from tests.simulation.evidence import Evidence
from tests.simulation.final_state import judge_against_calm_run, judge_state
from tests.simulation.judges import judge_alerts, judge_chain, judge_events, judge_folds, judge_records, judge_served
from tests.simulation.moves import NAMES, move
from tests.simulation.mutants import UNCHANGED, Mutant
from tests.simulation.previews import judge_previews
from tests.simulation.settings import Setting
from tests.simulation.time_judge import judge_time
from tests.simulation.ways_back import judge_ways_back
from tests.simulation.world import World


@dataclass(frozen=True)
class Schedule:
    """All that decides a run: the setting's number, and moves by name with the number that says how."""

    setting: int
    moves: tuple[tuple[str, int], ...]


def draw_schedule(seed: int, index: int) -> Schedule:
    """The schedule of this index among those of a seed."""
    random = Random(f"{seed}/{index}")
    drawn = [(random.choice(NAMES), random.getrandbits(64)) for _ in range(random.randint(20, 80))]
    return Schedule(random.getrandbits(32), (("put", random.getrandbits(64)), *drawn))


def run_schedule(schedule: Schedule, mutant: Mutant = UNCHANGED) -> Counter[str]:
    """Play a schedule to its end and judge it; what happened how often. AssertionError for a violation."""
    world = World(Setting.of(schedule.setting), mutant.make_commit)
    try:
        with mutant.at_work(world):
            for name, number in schedule.moves:
                move(world, name, number)
            world.finish()
        judge(world)
    finally:
        world.close()
    return world.outside.counts


def judge(world: World) -> None:
    """Call every judge, and count what they saw."""
    judge_ways_back(world)
    for shop_id in world.shops:
        evidence = Evidence(world, shop_id)
        judge_chain(evidence)
        judge_records(evidence)
        judge_events(evidence)
        judge_folds(evidence)
        judge_served(evidence)
        judge_time(evidence)
        judge_state(evidence)
        judge_against_calm_run(evidence)
        judge_previews(evidence)
        world.count("links", len(evidence.links))
        world.count("events folded", sum("event" in entry for entry in evidence.entries))
        world.count("duplicates", sum("duplicate" in entry for entry in evidence.entries))
        world.count("events scored", sum("vector" in entry for entry in evidence.entries))
        world.count("imports", len(evidence.shop.imports) + len(evidence.shop.done_imports))
        world.outside.counts.update(
            f"rejected: {entry['rejected']}" for entry in evidence.entries if "rejected" in entry
        )
        world.count("unscored", sum("score_failed" in entry for entry in evidence.entries))
        world.count("stored as passed by", len(evidence.passed_by))
        parked = [position for position, reason in evidence.rejected_reasons.items() if reason == "parked"]
        again = [record for record in evidence.taken if record.position in parked]
        world.count("parked again", sum(evidence.first_of(record) is not record for record in again))
        world.count("alert messages", len(evidence.rows("alert")))
        _count_stories(evidence)
    judge_alerts(world)
    world.count("alerts published", len(world.outlets.published))


def _count_stories(evidence: Evidence) -> None:
    """Count what makes conversations hard to read."""
    count, (reader, readings) = evidence.world.count, evidence.read_naively
    count("policies", len(evidence.shop.policies))
    count("policies over a rebuild", len(evidence.shop.policies) if evidence.shop.generation else 0)
    count("policies beside imports", len(evidence.shop.policies) if evidence.backfills else 0)
    count("own rules", evidence.shop.rules.number if evidence.shop.rules else 0)
    count("own rules over a rebuild", evidence.shop.rules is not None and evidence.shop.generation != "")
    ended = Counter(json.loads(data)["ended_by"] for _, data in evidence.rows("alert"))
    count("alerts of withdrawn rules ended", ended["rule_withdrawn"])
    count("alerts of expired findings ended", ended["finding_expired"])
    _count_findings(evidence)
    count("corrected", sum(reading.became == "corrected" for reading in readings.values()))
    for contact in reader.contacts.values():
        story = Story(in_order(contact.events))
        instants = [one.event.occurred_at for one in contact.events]
        count("events held", len(story))
        count("events held under a policy", sum(story.policy_at(place) != DEFAULT for place in range(len(story))))
        count("ties", len(instants) - len(set(instants)))
        count("with a sequence", sum(one.event.sequence is not None for one in contact.events))
        count("courtesies", sum(one.event.courtesy == 1 for one in contact.events))
        count("with a status", sum(one.event.status is not None for one in contact.events))
        count("merged conversations", story.is_void)
        count("stamped ahead", sum(one.event.stated_at is not None for one in contact.events))
        count("answered ahead", sum(turn.start == turn.end for turn in turns(story)))
        count("ended by silence", sum(one.is_silent for one in rounds(story)))


def _count_findings(evidence: Evidence) -> None:
    """Count what became of findings, and the scores behind events."""
    count, (reader, readings) = evidence.world.count, evidence.read_naively
    found = [readings[position].became for position, entry in evidence.entries_to_read() if isinstance(entry, Found)]
    for became, number in Counter(found).items():
        count(f"findings: {became}", number)
    is_rebuilt = evidence.shop.generation != ""
    count("findings over a rebuild", sum(map(len, reader.findings.values())) if is_rebuilt else 0)
    served = [one for entry in evidence.entries for one in entry.get("tasks", {}).values()]
    count("scored behind events", len(served))
    count("unscored behind events", sum("score" not in one for one in served))


def shrink(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    """The schedule with every move left out that is not needed for it to fail."""
    moves, size = list(schedule.moves), len(schedule.moves)
    while size:
        for first in range(len(moves) - size, -1, -size):
            fewer = Schedule(schedule.setting, tuple(moves[:first] + moves[first + size :]))
            if fails(fewer):
                moves = list(fewer.moves)
        size //= 2
    return Schedule(schedule.setting, tuple(moves))
