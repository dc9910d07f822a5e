"""A policy as the document that says it whole, which `parse_policy` reads back."""

from collections.abc import Mapping

from service_quality.instants import format_instant
from service_quality.policies.local_days import WEEKDAYS, format_day, format_duration, format_shift
from service_quality.policies.policy import Policy, RatingScale, Shifts, Target

JsonObject = Mapping[str, object]


def policy_to_dict(policy: Policy) -> JsonObject:
    """The JSON form, with every value, also one that is the default; what has no value is left out."""
    opening = policy.opening
    form: dict[str, object] = {
        "revision": policy.revision,
        "valid_from": format_instant(policy.valid_from),
        "follows": policy.follows,
        "zone": policy.zone,
        "currency": policy.currency,
        "opening": None if opening is None else dict(zip(WEEKDAYS, map(_shifts, opening), strict=True)),
        "holidays": policy.holidays,
        "make_up_days_as": WEEKDAYS[policy.make_up_days_as],
        "own_days": {format_day(day): _shifts(shifts) for day, shifts in policy.own_days},
        "targets": [_target(target) for target in policy.targets],
        "rating_scale": _rating_scale(policy.rating_scale),
        "dissatisfied_at_most": policy.dissatisfied_at_most,
        "ends_after": format_duration(policy.ends_after_ms),
        "owner": policy.owner,
        "pauses_when": list(policy.pauses_when) or None,
        "answer_tolerance": format_duration(policy.answer_tolerance_ms),
        "on_time_within": format_duration(policy.on_time_within_ms),
        "slow_beyond": format_duration(policy.slow_beyond_ms),
    }
    return {key: value for key, value in form.items() if value is not None}


def _shifts(shifts: Shifts) -> list[str]:
    return [format_shift(shift) for shift in shifts]


def _target(target: Target) -> JsonObject:
    durations = {"first_response": target.first_response_ms, "next_reply": target.next_reply_ms}
    said = {key: format_duration(value) for key, value in durations.items() if value is not None}
    return {"when": {name: list(texts) for name, texts in target.when}, **said, "judged_by": target.judged_by}


def _rating_scale(scale: RatingScale) -> JsonObject:
    ends = {} if scale.worst is None else {"worst": scale.worst, "best": scale.best}
    return {**ends, "names": dict(scale.names)}
