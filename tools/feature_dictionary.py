"""Write docs/feature_dictionary.md from the declared features: `.venv/bin/python -m tools.feature_dictionary`."""

from cli.paths import ROOT
from service_quality.alerts.wording import phrase
from service_quality.conversations.declared_values import DECLARED_VALUES
from service_quality.features.declarations import (
    PER,
    AmountTotal,
    Combined,
    Distinct,
    EventValue,
    Feature,
    Mean,
    Quantile,
    Rate,
    TimeSince,
    TopShare,
    Total,
    WindowRatio,
)
from service_quality.features.feature_set import BESIDE_THE_MODEL, FEATURES
from service_quality.histories.windows import WINDOWS, Window
from service_quality.instants import DAY, HOUR, MINUTE

PATH = ROOT / "docs" / "feature_dictionary.md"

_HEAD = """# Feature dictionary

Every feature that is served, in vector order. This page is written by `.venv/bin/python -m tools.feature_dictionary`
from `functions/shared/service_quality/features/feature_set.py`; a test says when it is out of date. Do not edit it by
hand.

Features: {count}. Fingerprint: `{fingerprint}`.

- A window is measured back from the shop's clock. Its old end moves by hops: {hops}.
- "no" under "model": served for rules, or as the parent of another rate; the linear model does not read it.
- An event is scored with the conversation including it and the histories before it.
- Durations end in `_ms`, money in `_minor` (minor units of the currency). Amounts are summed by
  currency, never across currencies: those of an event in the currency that it names, else in the one last stated in
  its conversation or visit, else in that of the policy in force. Without any of these they enter no sum.
- Hours are in the zone of the policy that judges the round; in UTC without a policy.

| # | name | entity | window | meaning | 含义 | missing | model |
|---|---|---|---|---|---|---|---|
"""


def render_dictionary() -> str:
    """The whole page."""
    hops = ", ".join(f"{window.name} by {_hop(window)}" for window in WINDOWS.values())
    head = _HEAD.format(count=len(FEATURES.features), fingerprint=FEATURES.fingerprint, hops=hops)
    return head + "".join(f"{_row(number, feature)}\n" for number, feature in enumerate(FEATURES.features, 1))


def missing_rule(feature: Feature) -> str:
    """When a feature has no value, and its value instead, if it has one.

    >>> missing_rule(Total("agent", "contacts", "1h"))
    'never; 0 where nothing is known'
    """
    match feature:
        case EventValue(name):
            return DECLARED_VALUES[name].missing or "never"
        case AmountTotal():
            return "where neither conversation nor policy names a currency; 0 where nothing is known in it"
        case TimeSince(_, _, window) | TopShare(_, _, window):
            return f"where nothing happened in {window}"
        case Total() | Distinct():
            return "never; 0 where nothing is known"
        case Mean(_, _, per, _):
            return f"where `{per}` is 0"
        case Combined():
            return _missing_rule_of_two(feature)
        case Quantile(_, _, window):
            return f"without a known wait in {window}"
        case WindowRatio() | Rate():
            return _instead_of_nothing(feature)


def _instead_of_nothing(feature: WindowRatio | Rate) -> str:
    """What a share is where nothing is counted, and as how many trials that counts."""
    weight = f"(weight {feature.prior_weight:g})"
    if isinstance(feature, WindowRatio):
        return f"never; `{feature.even_share:.4g}` where nothing is known {weight}"
    instead = feature.parent.name if isinstance(feature.parent, Rate) else feature.parent
    return f"never; `{instead}` where there is no trial {weight}"


def _missing_rule_of_two(feature: Combined) -> str:
    first, second = feature.first.name, feature.second.name
    return f"where `{first}` or `{second}` is{f', and where `{second}` is 0' if feature.operation == PER else ''}"


def _hop(window: Window) -> str:
    """A hop in its largest unit."""
    size, unit = next(pair for pair in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")) if window.hop % pair[0] == 0)
    return f"{window.hop // size} {unit}"


def _row(number: int, feature: Feature) -> str:
    entity, window = "conversation", "-"
    if isinstance(feature, WindowRatio):
        entity, window = feature.entity, f"{feature.recent} of {feature.window}"
    elif not isinstance(feature, EventValue):
        entity, window = feature.entity, feature.window
    cells = (
        str(number),
        f"`{feature.name}`",
        entity,
        window,
        phrase(feature, "en"),
        phrase(feature, "zh"),
        missing_rule(feature),
        "no" if feature.name in BESIDE_THE_MODEL else "yes",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PATH.write_text(render_dictionary(), encoding="utf-8")
    print(
        f"{PATH.relative_to(ROOT)}: features {FEATURES.fingerprint}; docs/upgrading.md says what a changed one asks for"
    )
