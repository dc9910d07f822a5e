"""The moves of a schedule: what can happen next, in the way that a number says."""

from collections.abc import Callable
from unittest import mock

from service_quality.conversations import conversation
from service_quality.instants import DAY, HOUR, MINUTE
from tests.properties.random_logs import LARGEST, Choices
from tests.simulation.models import MODELS, RULES
from tests.simulation.outside import ENDS
from tests.simulation.sharded_stream import hash_of, named_shop
from tests.simulation.ways_back import Way
from tests.simulation.workers import Worker
from tests.simulation.world import FOLDS, World

_MANY = 500
#: What a timer's message may come to besides ringing in time.
_RINGS = ("lost", "doubled", "early", "late", "unasked", "swept", "swept")
_MIXER = 2_654_435_761
_MOST_SHARDS = 4
_REAL_ITEM_BYTES = 390_000


def move(world: World, name: str, number: int) -> None:
    """Let one thing happen."""
    world.dice = Choices(number)
    _MOVES[name][1](world, world.dice)


def _put(world: World, dice: Choices) -> None:
    how_many, seed = dice.of((1, 2, 3, 5)), dice.number
    way, records = Way.of(world, Choices(seed * 3 * _MIXER % LARGEST)), []
    for place in range(how_many):
        mixed = Choices(seed * (place * 2 + 1) * _MIXER % LARGEST)
        writer = world.writers[mixed.of(world.setting.shops)]
        writer.now = max(writer.now, world.log_time - mixed.of((0, 0, 0, MINUTE, HOUR, 5 * DAY)))
        with mock.patch.object(conversation, "MAX_EVENTS", _MANY):  # backfills are not what the bound is about
            written = writer.write(mixed.number)
        world.let_time_pass(max(world.outside.wall, writer.now + world.setting.replayed))
        records.append((writer.log.shop_id, written.data))
        world.count("records")
        if not way.is_aggregate:
            way.put(records)
            records = []
    way.put(records)


def _deliver(world: World, dice: Choices) -> None:
    idle = [worker for worker in world.workers if worker.strand is None]
    again = dice.of((0, 0, 0, 0, 1, 2, 4, 16))
    shards = [shard for shard in world.stream.shards if shard.is_read and shard.records] if again else None
    shard = dice.of(shards or world.stream.behind() or world.stream.shards)
    first = shard.earlier(again, now=world.outside.wall)
    if not idle or first == len(shard.records):
        return _step(world, dice)
    if again:
        world.count("handed out again")
    batches = [one.batch for one in world.workers if one.strand and one.batch]
    if any(batch.source is shard and batch.end > first for batch in batches):
        world.count("doubled")
    worker = dice.of(idle)
    worker.start(shard.batch(first, dice.of((8, 3, 1, 2, 5, 12))))
    world.count("invocations")
    world.see_end(worker, heard=True)


def _overtake(world: World, dice: Choices) -> None:
    """While the others pause, one worker takes the next few records from beginning to end."""
    idle = [worker for worker in world.workers if worker.strand is None]
    behind = world.stream.behind()
    if not idle or not behind:
        return _step(world, dice)
    shard, worker = dice.of(behind), dice.of(idle)
    other = _busy(world, dice)
    if other is not None:
        _advance(world, other, dice)
        world.count("overtaken", other.strand is not None)
    worker.start(shard.batch(shard.checkpoint, dice.of((1, 1, 2, 3, 8))))
    world.count("invocations")
    world.run(worker)


def _step(world: World, dice: Choices) -> None:
    worker = _busy(world, dice)
    if worker is None:
        return
    if dice.of((True, False)):
        return _advance(world, worker, dice)
    for _ in range(dice.of((1, 2, 3, 50))):
        if worker.strand is not None:
            world.go_on(worker, "ok", heard=dice.of((True, True, True, False)))


def _advance(world: World, worker: Worker, dice: Choices) -> None:
    """Let a worker go on until it is about to make a certain call."""
    name = dice.of(("transact_write_items", "batch_get_item", "transact_write_items", "put_object", "any"))
    _advance_to(world, worker, name)


def _advance_to(world: World, worker: Worker, name: str) -> None:
    while worker.strand is not None and name not in ("any", worker.strand.pending):
        world.go_on(worker, "ok", heard=True)


def _trouble(world: World, dice: Choices) -> None:
    worker = _busy(world, dice)
    if worker is None:
        return
    if worker.will_put_back and dice.of((True, False)):
        _advance_to(world, worker, "put_records")
    else:
        _advance(world, worker, dice)
    if worker.strand is None:
        return
    name = worker.strand.pending
    order = dice.of(ENDS[name][1:])
    world.count(f"{name}: {order}")
    world.go_on(worker, order, heard=True)


def _kill(world: World, dice: Choices) -> None:
    worker = _busy(world, dice) or dice.of(world.workers)
    _advance(world, worker, dice)
    if worker.strand is not None:
        world.count("killed within")
    world.count("killed")
    world.kill(world.workers.index(worker))


def _land(world: World, dice: Choices) -> None:
    if not world.outside.under_way:
        return _step(world, dice)
    index = dice.of(range(len(world.outside.under_way)))
    if dice.of((True, True, False)):
        world.outside.land(index)
    else:
        world.outside.under_way.pop(index)
        world.count("never landed")


def _give_up(world: World, dice: Choices) -> None:
    behind = world.stream.behind()
    if behind:
        world.give_up(dice.of(behind), dice.of((1, 2, 4, 8)))


def _send_again(world: World, dice: Choices) -> None:
    failures = [carrier for shard in world.stream.shards for carrier in shard.failures]
    left = [carrier for carrier in failures if carrier not in world.stream.sent_again]
    for carrier in left[: dice.of((8, 20, 1, 2))]:
        world.put_parts([(key, world.prepared(named_shop(data) or key, data)) for key, data in carrier.parts])
        world.stream.sent_again.add(carrier)
        world.count("sent again")


def _swap(world: World, dice: Choices) -> None:
    if dice.of(("model", "rules")) == "model":
        world.outside.champion = _other(MODELS, world.outside.champion)
        world.count("models swapped")
        return
    world.rules = _other(RULES, world.rules)
    for worker in world.workers:
        worker.deploy(world.rules)
    world.count("rules swapped")


def _release(world: World, dice: Choices) -> None:
    """A bad release is deployed, or taken back."""
    world.release.bad = not world.release.bad
    world.count("releases swapped")


def _deploy(world: World, dice: Choices) -> None:
    """A release of other features takes the place of a worker, and of those that are started from then on."""
    world.deployed = "other" if world.deployed == world.setting.features else world.setting.features
    world.kill(dice.of(range(len(world.workers))))
    world.count("plans swapped")


def _change_fold(world: World, dice: Choices) -> None:
    """A release of another version of the fold takes the place of a worker, or of all, and of those started then.

    Where items are small, a rebuilt one may be too large for the table, as a real one of 400 KB would be.
    """
    if world.setting.most_item_bytes < _REAL_ITEM_BYTES:
        return
    world.fold = _other(FOLDS, world.fold)
    for index in range(len(world.workers)) if dice.of((True, False)) else (dice.of(range(len(world.workers))),):
        world.kill(index)
    world.count("folds changed")


def _rebuild(world: World, dice: Choices) -> None:
    for shop_id in world.unbuilt_shops():
        world.rebuild(shop_id, dice.of((None, None, None, 0, 1, 3)))


def _put_back(world: World, dice: Choices) -> None:
    if world.set_aside():
        world.put_back(dice.of((None, None, None, 1, 2, 5)), mended=dice.of((True, False)))


def _wait(world: World, dice: Choices) -> None:
    world.let_time_pass(world.outside.wall + dice.of((HOUR, MINUTE, DAY, 5 * DAY, 20 * DAY, 50 * DAY, 396 * DAY)))
    world.count("waits")
    _sweep(world, dice)


def _sweep(world: World, dice: Choices) -> None:
    world.sweep(spares=lambda: dice.of((False, False, True)))


def _renew(world: World, dice: Choices) -> None:
    if not any(shard.behind for shard in world.stream.shards):
        world.stream.renew()
        world.count("streams renewed")


def _reshard(world: World, dice: Choices) -> None:
    shards = world.stream.open_shards
    place = dice.of(range(len(shards)))
    if len(shards) > 1 and (len(shards) == _MOST_SHARDS or dice.of((True, False))):
        lower = min(place, len(shards) - 2)
        world.stream.merge(*shards[lower : lower + 2])
        world.count("shards merged")
        return
    shard = shards[place]
    at = dice.of((shard.first_key // 2 + shard.last_key // 2, *map(hash_of, world.setting.shops)))
    if shard.first_key < at <= shard.last_key:
        world.stream.split(shard, at)
        world.count("shards split")


def _archive(world: World, dice: Choices) -> None:
    what = dice.of(("next", "late", "in part", "lost", "again"))
    size = dice.of((3, 1, 2, 8))
    if what == "again":
        world.outlets.archive_again(dice.of(range(8)), size)
        return
    objects = 1 if what == "in part" else None
    world.outlets.archive(skip=int(what == "late"), size=size, objects=objects, acknowledged=what != "lost")


def _dispatch(world: World, dice: Choices) -> None:
    world.outlets.dispatch(dice.of(range(8)), size=dice.of((1, 2, 5)), dies_after=dice.of((None, None, 1, 2)))


def _ring(world: World, dice: Choices) -> None:
    """The next timer rings, or what its message comes to instead; or a sweep finds what has not rung."""
    bells, what = world.bells, dice.of((*("rung",) * 6, *_RINGS))
    bells.hear()
    if what == "swept":
        for overdue in bells.overdue(now=world.log_time)[: dice.of((1, 8))]:
            world.put(overdue.shop_id, bells.record_of(overdue))
            world.count("timers swept")
        return
    timer = bells.next()
    if timer is None:
        return _step(world, dice)
    bells.waiting.remove(timer)
    world.count(f"timers {what}")
    if what == "lost":
        return
    if what == "early":
        world.put(timer.shop_id, bells.record_of(timer, ahead=dice.of((1, HOUR))))
        return
    later = dice.of((MINUTE, HOUR, DAY)) if what == "late" else 0
    world.let_time_pass(max(world.outside.wall, timer.rings_at + world.setting.replayed) + later)
    if what != "unasked" and not bells.is_wanted(timer):
        world.count("timers unwanted")
        return
    for _ in range(2 if what == "doubled" else 1):
        world.put(timer.shop_id, bells.record_of(timer))


def _busy(world: World, dice: Choices) -> Worker | None:
    busy = [worker for worker in world.workers if worker.strand is not None]
    return dice.of(busy) if busy else None


def _other(names: tuple[str, str], name: str) -> str:
    return names[1 - names.index(name)]


#: How often each is chosen, and what it does.
_MOVES: dict[str, tuple[int, Callable[[World, Choices], None]]] = {
    "put": (7, _put),
    "deliver": (12, _deliver),
    "overtake": (6, _overtake),
    "step": (16, _step),
    "trouble": (8, _trouble),
    "kill": (3, _kill),
    "land": (3, _land),
    "give up": (1, _give_up),
    "send again": (2, _send_again),
    "swap": (2, _swap),
    "release": (3, _release),
    "deploy": (2, _deploy),
    "change fold": (2, _change_fold),
    "rebuild": (2, _rebuild),
    "put back": (3, _put_back),
    "wait": (1, _wait),
    "sweep": (1, _sweep),
    "renew": (1, _renew),
    "reshard": (2, _reshard),
    "archive": (2, _archive),
    "dispatch": (2, _dispatch),
    "ring": (5, _ring),
}
NAMES = tuple(name for name, (weight, _) in _MOVES.items() for _ in range(weight))
