"""Mutants of timers: plausible ways to lose a deadline, to let an old one stand, or to reach a stage that is over."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

from service_quality.commit import event_fold, log_reader, shop_state
from service_quality.commit.event_fold import EventFold
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.state_items import ConversationItem, encode_conversation
from service_quality.commit.timers import timer_row
from service_quality.commit.transactions import Commit
from service_quality.conversations import deadlines
from service_quality.conversations.conversation import conversation_key
from service_quality.conversations.wait_stages import Deadline
from service_quality.events.time_reached import TimeReached
from service_quality.facts import conversation_fold
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, step_time
from tests.simulation.detours import Detour
from tests.simulation.world import World


class TimersAfter(Detour):
    """Writes timers once the transaction has succeeded."""

    def commit(self, commit: Commit) -> None:
        self.store.commit(commit._replace(rows=tuple(row for row in commit.rows if row.row_kind != "timer")))
        self.put_rows(commit, kinds=("timer",))


class TimersBefore(Detour):
    """Writes timers before the transaction, so that none is missing."""

    def commit(self, commit: Commit) -> None:
        self.put_rows(commit, kinds=("timer",))
        self.store.commit(commit._replace(rows=tuple(row for row in commit.rows if row.row_kind != "timer")))


def stages_not_stored(world: World) -> list[Any]:
    """The stages that a turn has reached are lost when its conversation is stored."""

    def encode(item: ConversationItem) -> bytes:
        return encode_conversation(replace(item, conversation=replace(item.conversation, reached=())))

    return [mock.patch.object(shop_state, "encode_conversation", encode)]


def deadline_not_stored(world: World) -> list[Any]:
    """Nobody knows at which deadline a timer rings once its conversation is read again."""

    def encode(item: ConversationItem) -> bytes:
        return encode_conversation(replace(item, timer=None))

    return [mock.patch.object(shop_state, "encode_conversation", encode)]


def never_taken_back(world: World) -> list[Any]:
    """A timer stays when nobody waits any more."""
    return [_kept_rows(lambda item, row: b'"deadline":null' not in row.body)]


def first_deadline_kept(world: World) -> list[Any]:
    """A timer that is set stays as it is until the wait is over."""
    return [_kept_rows(lambda item, row: item.timer is None or b'"deadline":null' in row.body)]


def _kept_rows(keeps: Callable[[ConversationItem, OutboxRow], bool]) -> Any:
    sound = EventFold._set_timer

    def set_timer(fold: EventFold, event: Any, step: Any, clocks: Any) -> list[OutboxRow]:
        before = replace(fold.state.conversation(conversation_key(event)))
        return [row for row in sound(fold, event, step, clocks) if keeps(before, row)]

    return mock.patch.object(EventFold, "_set_timer", set_timer)


def one_row_a_deadline(world: World) -> list[Any]:
    """Each deadline has a row of its own, so that no later one takes its place."""

    def row(shop_id: str, conversation_id: str, deadline: Deadline | None) -> OutboxRow:
        made = timer_row(shop_id, conversation_id, deadline)
        return made._replace(stream_key=f"{made.stream_key}{made.due_at or ''}")

    return [mock.patch.object(event_fold, "timer_row", row)]


def reached_though_answered(world: World) -> list[Any]:
    """A record is reached whatever ended the wait after its instant."""

    def step(before: FoldedConversation, reached: TimeReached, **known: Any) -> ConversationStep | None:
        found = step_time(before, reached, **known)
        held = before.conversation
        if found is not None or held.imported:
            return found
        earlier = tuple(one for one in held.events if one.occurred_at <= reached.due_at)
        waiting = FoldedConversation(replace(held, events=earlier), before.kept, before.policies)
        found = step_time(waiting, reached, **known)
        return None if found is None else replace(found, after=before, known=before)

    return [mock.patch.object(log_reader, "step_time", step)]


def reached_again(world: World) -> list[Any]:
    """A stage is reached as often as it rings."""
    return [mock.patch.object(FoldedConversation, "reaching", lambda self, stage: self)]


def silence_moves_the_clock(world: World) -> list[Any]:
    """A record from which nothing follows is taken for one that reaches its stage."""

    def step(before: FoldedConversation, reached: TimeReached, **known: Any) -> ConversationStep | None:
        found = step_time(before, reached, **known)
        if found is not None or not before.placed or before.state.is_merged:
            return found
        return ConversationStep(
            event=reached, after=before, known=before, parts=[], state=before.state, own=reached, scored=False,
            is_latest=True, round=before.state.number, label=None,
        )  # fmt: skip

    return [mock.patch.object(log_reader, "step_time", step)]


def clock_moves_to_the_ring(world: World) -> list[Any]:
    """The clock moves to when a timer rings."""
    sound = ShopItem.after

    def after(shop: ShopItem, event: Any) -> ShopItem:
        is_time = isinstance(event, TimeReached)
        return sound(shop, replace(event, due_at=max(event.due_at, world.log_time)) if is_time else event)

    return [mock.patch.object(ShopItem, "after", after)]


def reached_stages_are_due_again(world: World) -> list[Any]:
    """The next deadline of a turn is its first, reached or not."""
    sound = deadlines.next_deadline
    return [mock.patch.object(conversation_fold, "next_deadline", lambda state, stages, _: sound(state, stages, ()))]
