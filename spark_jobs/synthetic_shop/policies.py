"""The policies of the world's shops: Chinese ones keep business hours and holidays, English ones are always open."""

from service_quality.instants import format_instant
from spark_jobs.synthetic_shop.shop_model import Shop

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_IN_BUSINESS_HOURS: dict[str, object] = {
    "zone": "Asia/Shanghai",
    "opening": {day: ["08:00-12:00", "12:30-24:00"] for day in _WEEK},
    "holidays": "CN",
    "own_days": {"2026-02-01": ["10:00-22:00"]},
    "targets": [
        {"when": {"channel": ["phone"]}, "first_response": "PT1M", "judged_by": "calendar"},
        {"when": {"channel": ["email"]}, "first_response": "PT4H", "next_reply": "PT4H", "judged_by": "business"},
        {"first_response": "PT2M", "next_reply": "PT5M", "judged_by": "business"},
    ],
    "ends_after": "P3D",
}
_ALWAYS_OPEN: dict[str, object] = {
    "zone": "Europe/London",
    "targets": [{"when": {"channel": ["email"]}, "first_response": "PT4H", "next_reply": "PT4H"}],
}
_BY_LANGUAGE = {"zh": _IN_BUSINESS_HOURS, "en": _ALWAYS_OPEN}


def policy_of(shop: Shop, *, valid_from: int) -> dict[str, object]:
    """The document of a shop's policy, in force from an instant on."""
    return {"revision": "synthetic-1", "valid_from": format_instant(valid_from), **_BY_LANGUAGE[shop.language]}
