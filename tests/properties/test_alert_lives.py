"""Whatever a rule finds, event after event: messages and rows are those of an oracle that looks back over all of it."""

from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.alerts.alert_state import AlertState, Finding, Step, next_state
from tests.oracle.alert_life import GRAVITY, Judged, Row, messages_of, row_after

FOUND = st.sampled_from([*((severity, False) for severity in GRAVITY), ("", False), ("", True), ("", True)])
LOGS = st.lists(st.tuples(st.integers(0, 60), FOUND, st.booleans()), max_size=40).map(
    lambda found: [
        Judged(clock, *one, counts)
        for clock, (_, one, counts) in zip(accumulate(wait for wait, _, _ in found), found, strict=True)
    ]
)  # fmt: skip


def steps_of(judged: list[Judged], cooldown: int) -> list[Step]:
    state: AlertState | None = None
    steps = []
    for one in judged:
        found = Finding(one.severity or None, one.clock, one.is_over, one.counts)
        step = next_state(state, found, cooldown_ms=cooldown)
        steps.append(step)
        state = step.state
    return steps


@settings(max_examples=500)
@given(judged=LOGS, cooldown=st.sampled_from([0, 1, 60, 100, 10_000]))
def test_messages_are_those_that_looking_back_gives(judged, cooldown):
    steps = steps_of(judged, cooldown)

    found = [
        (index, judged[index].clock, step.change, step.repeats, step.state.said, step.state.opened_at)
        for index, step in enumerate(steps)
        if step.change is not None and step.state is not None
    ]

    assert found == [
        (one.place, judged[one.place].clock, one.what, one.times, one.severity, judged[one.began].clock)
        for one in messages_of(judged, cooldown)
    ]


@settings(max_examples=300)
@given(judged=LOGS, cooldown=st.sampled_from([0, 1, 60, 100, 10_000]))
def test_state_is_true_after_every_event(judged, cooldown):
    said = messages_of(judged, cooldown)

    for index, step in enumerate(steps_of(judged, cooldown)):
        state, row = step.state, row_after(judged, index, said)
        assert (state is None) == (row is None)
        if state is not None and row is not None:
            shown = (state.open, state.silent, state.severity, state.repeats, state.opened_at)
            assert shown == (*row._replace(began=judged[row.began].clock)[1:], judged[row.began].clock)


@settings(max_examples=300)
@given(judged=LOGS, cooldown=st.sampled_from([1, 60, 100]))
def test_what_holds_is_never_hidden_longer_than_the_cooldown(judged, cooldown):
    said = messages_of(judged, cooldown)

    for index, event in enumerate(judged):
        row = row_after(judged, index, said)
        if event.severity and row is not None and row.is_silent:
            last = max(judged[one.place].clock for one in said if one.place <= index)
            assert event.clock < last + cooldown


def test_oracle_says_what_the_sentences_say():
    quiet = [Judged(0, "warning"), Judged(1, "", is_over=True), Judged(2, "warning"), Judged(9, "warning")]

    assert [(one.place, one.began, one.what, one.times) for one in messages_of(quiet, 5)] == [
        (0, 0, "opened", 0), (1, 0, "resolved", 0), (3, 2, "opened", 2),
    ]  # fmt: skip
    assert row_after(quiet, 2, messages_of(quiet, 5)) == Row(2, True, True, "warning", 1)
