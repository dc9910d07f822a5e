"""When rules want to look at a stored conversation again: what the oracle needs to know of alerts, as data."""

from collections.abc import Iterable

from service_quality.alerts.rules import Rule
from service_quality.commit.state_items import decode_conversation


def looks_of(data: bytes, shop_id: str, rules: Iterable[Rule], round_number: int, *, pauses: bool) -> list[int]:
    """The instants on the shop's clock: where the silence of an alert that was counted ends, or what holds is due.

    `pauses` says whether the clock of waits does.
    """
    item, found = decode_conversation(data, shop_id), []
    for rule in (rule for rule in rules if rule.subject == "conversation"):
        alert, held = item.alert_states.get(rule.name), item.held.get(rule.name)
        is_still = pauses and bool(rule.stages)
        if (
            alert is not None
            and (alert.open, alert.round) == (True, round_number)
            and alert.repeats > 0
            and not is_still
        ):
            found.append(alert.sent_at + rule.cooldown_ms)
        if held is not None and held.stretch.round == round_number:
            durations = {one.name: one.duration_ms for one in rule.held_conditions}
            found += [since + durations[name] for name, since in held.since.items() if name in durations]
    return found
