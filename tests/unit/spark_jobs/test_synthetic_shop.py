"""The promises of the synthetic world: whole, deterministic, with the planted effects."""

import re
from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from service_quality.events.event_forms import event_to_dict
from service_quality.events.kinds import ALL
from service_quality.events.parsing import parse_event
from service_quality.instants import DAY, HOUR, hour_of_day, parse_instant
from spark_jobs.synthetic_shop import phrases
from spark_jobs.synthetic_shop.effects import EFFECTS
from spark_jobs.synthetic_shop.world import World, events_of, live, shop_of

START = parse_instant("2025-03-03T00:00:00Z")
WORLD = World(shops=2, new_shops=2, days=14, contacts_per_day=20, seed=5, start=START)


@pytest.fixture(scope="module")
def events():
    return [
        event
        for number in WORLD.numbers
        for event in events_of(WORLD, shop_of(WORLD, number), range(WORLD.customers_of(number)))
    ]


def test_every_event_can_be_parsed(events):
    assert all(parse_event(event_to_dict(event), arrived_at=event.received_at) == event for event in events)


def test_every_event_has_its_own_id_and_lies_in_the_days_of_the_world(events):
    assert len({(event.shop_id, event.event_id) for event in events}) == len(events)
    assert all(WORLD.start <= event.occurred_at < WORLD.end for event in events)


def test_nearly_every_kind_happens(events):
    assert ALL - {event.kind for event in events} <= {"suggestion_made", "stock_counted"}


def test_parts_of_a_world_are_the_whole_world(events):
    shop = shop_of(WORLD, 0)
    middle = WORLD.customers // 2

    parts = [*events_of(WORLD, shop, range(middle, WORLD.customers)), *events_of(WORLD, shop, range(middle))]

    key = lambda event: event.event_id  # noqa: E731
    assert sorted(parts, key=key) == sorted((e for e in events if e.shop_id == shop.shop_id), key=key)


def test_another_seed_gives_another_world_that_does_not_mix(events):
    other = World(shops=2, days=14, contacts_per_day=20, seed=6, start=START)

    ids = {event.event_id for event in events_of(other, shop_of(other, 0), range(other.customers))}

    assert not ids & {event.event_id for event in events}


def test_shops_write_chinese_and_english_by_turns(events):
    words = {shop: " ".join(e.text or "" for e in events if e.shop_id == shop) for shop in {e.shop_id for e in events}}

    assert {shop: bool(re.search("[一-鿿]", text)) for shop, text in words.items()} == {
        "synthetic-zh-1": True,
        "synthetic-en-2": False,
        "synthetic-zh-3": True,
        "synthetic-en-4": False,
    }


def test_conversations_have_turns_and_customers_come_back(events):
    turns = Counter(e.conversation_id for e in events if e.kind == "agent_message")
    opened = Counter(e.customer_id for e in events if e.kind == "conversation_opened")

    assert max(turns.values()) >= 4
    assert sum(count > 1 for count in opened.values()) > len(opened) / 4


def test_days_are_busier_than_nights(events):
    local = Counter(hour_of_day(e.occurred_at + 8 * HOUR) for e in events if e.shop_id == "synthetic-zh-1")

    assert sum(local[hour] for hour in range(9, 17)) > 4 * sum(local[hour] for hour in range(1, 6))


def test_most_ratings_come_within_a_day(events):
    last = {e.conversation_id: e.occurred_at for e in events if e.kind == "resolved"}
    waited = [e.occurred_at - last.get(e.conversation_id, e.occurred_at) for e in events if e.kind == "rated"]

    assert np.mean([wait < DAY for wait in waited]) > 0.8


def test_agents_of_a_team_share_supervisor_and_manager(events):
    teams: dict[tuple[str, str], set[tuple[str | None, ...]]] = {}
    for event in events:
        if event.agent_id:
            teams.setdefault((event.shop_id, event.agent_id), set()).add(
                (event.supervisor_id, event.manager_id, event.agent_tenure, event.agent_shift)
            )

    assert all(len(profiles) == 1 for profiles in teams.values())


def longest_waits(events) -> list[int]:
    """Of each conversation, the longest time from a customer's message or the opening to the next answer or the end."""
    turns: dict[str, list[tuple[int, str]]] = {}
    for event in events:
        if event.kind in ("conversation_opened", "customer_message", "agent_message"):
            turns.setdefault(event.conversation_id, []).append((event.occurred_at, event.kind))
    found = []
    for one in turns.values():
        since, longest = None, 0
        for at, kind in sorted(one):
            since = at if since is None and kind != "agent_message" else since
            longest = max(longest, at - since if since is not None else 0)
            since = None if kind == "agent_message" else since
        found.append(longest)
    return found


def test_some_customers_wait_for_hours_or_days_and_write_again(events):
    waits = np.array(longest_waits(events))
    again = Counter(e.conversation_id for e in events if e.text in phrases.STILL_WAITING["en"])

    assert 0.05 < np.mean(waits > 2 * HOUR) < 0.4
    assert np.sum(waits > DAY) >= 10
    assert max(again.values()) >= 3


def test_some_conversations_are_never_answered_and_rated_all_the_same(events):
    kinds: dict[str, set[str]] = {}
    for event in events:
        if event.conversation_id is not None:
            kinds.setdefault(event.conversation_id, set()).add(event.kind)
    unanswered = [found for found in kinds.values() if "conversation_opened" in found and "agent_message" not in found]

    assert len(unanswered) >= 5
    assert any("rated" in found for found in unanswered)
    assert not any("resolved" in found for found in unanswered)


def test_some_products_are_dear(events):
    prices = {(e.shop_id, e.sku): e.amount_minor for e in events if e.kind == "order_placed"}

    dear = [price for price in prices.values() if price > 129_900]

    assert 0.02 < len(dear) / len(prices) < 0.5


def test_new_shops_open_late_and_have_few_contacts(events):
    opened = {shop: [e.occurred_at for e in events if e.shop_id == shop] for shop in {e.shop_id for e in events}}

    firsts = sorted(min(instants) for instants in opened.values())
    counts = sorted(len(instants) for instants in opened.values())
    assert firsts[1] < WORLD.start + DAY
    assert WORLD.start + 0.6 * 14 * DAY < firsts[2] < firsts[3]
    assert 0 < counts[0] <= counts[1] < counts[2] / 10


def test_world_without_new_shops_has_none():
    world = World(shops=2, days=14, contacts_per_day=20, seed=5, start=START)

    assert [world.opens(number) for number in world.numbers] == [START, START]
    assert world.customers_of(1) == world.customers == WORLD.customers


@pytest.mark.slow
def test_planted_effects_are_found_again():
    world = World(shops=1, new_shops=1, days=35, contacts_per_day=600, seed=11, start=START)
    contacts = [
        contact
        for shop in world.numbers
        for number in range(world.customers_of(shop))
        for contact in live(world, shop_of(world, shop), number).contacts
    ]
    variables = np.array([[contact.variables[effect.name] for effect in EFFECTS] for contact in contacts])
    outcome = np.array([contact.dissatisfied for contact in contacts])

    found = LogisticRegression(C=1e4, max_iter=2000).fit(variables, outcome).coef_[0]

    assert 0.14 < outcome.mean() < 0.20
    for effect, log_odds in zip(EFFECTS, found, strict=True):
        few = effect.name == "new_shop"
        assert log_odds == pytest.approx(effect.log_odds, abs=0.8 if few else 0.2), effect.name
