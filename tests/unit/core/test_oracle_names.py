"""The oracle judges by definitions of its own: facts, rates, entities, windows and values are said there again."""

from collections.abc import Mapping

from service_quality.conversations.event_values import EVENT_VALUES
from service_quality.events import kinds
from service_quality.facts.conversation_facts import FACTS
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import RATES
from service_quality.histories.windows import WINDOWS
from tests.oracle import entities, fact_names, spans
from tests.oracle.event_values import event_values
from tests.oracle.story import Placed, Story
from tests.unit.core.sample_events import event


def assert_oracle_says(file: str, ours: Mapping[str, object], oracle: Mapping[str, object]) -> None:
    """Both say the same of the same names; the message names the others, and where the oracle says them."""
    wrong = sorted(
        name for name in {*ours, *oracle} if (name in ours, ours.get(name)) != (name in oracle, oracle.get(name))
    )
    assert not wrong, f"found {', '.join(wrong)} otherwise or on one side alone; tests/oracle/{file} must say it, too"


def test_facts_are_those_that_the_oracle_knows():
    assert_oracle_says("fact_names.py", dict.fromkeys(FACTS), dict.fromkeys(fact_names.FACTS))
    assert_oracle_says("fact_names.py", dict.fromkeys(kinds.BEHAVIOUR), dict.fromkeys(fact_names.BEHAVIOUR))


def test_rates_are_those_that_the_oracle_knows():
    assert_oracle_says("fact_names.py", RATES, fact_names.RATES)


def test_entities_are_those_that_the_oracle_knows():
    assert_oracle_says("entities.py", {one.name: one.parts for one in ENTITIES.values()}, entities.PARTS)
    keeping = [one.name for one in ENTITIES.values() if one.keeps_missing]
    assert_oracle_says("entities.py", dict.fromkeys(keeping), dict.fromkeys(entities.MISSING_IS_A_LEVEL))


def test_windows_are_those_that_the_oracle_knows():
    assert_oracle_says("spans.py", {one.name: (one.length, one.hop) for one in WINDOWS.values()}, spans.WINDOWS)


def test_values_of_a_conversation_are_those_that_the_oracle_knows():
    message = event("customer_message", 0)

    oracle = event_values(message, Story((Placed(message, 0),)))

    assert_oracle_says("event_values.py", dict.fromkeys(EVENT_VALUES), dict.fromkeys(oracle))
