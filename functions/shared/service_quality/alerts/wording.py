"""The text of alerts for people: every declared name as a phrase, every number readable, in English and Chinese."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from math import exp
from typing import TypeVar

from service_quality.alerts import wording_messages as messages
from service_quality.alerts.alert import Alert
from service_quality.alerts.provisional import is_judged
from service_quality.alerts.shop_settings import ShopSettings, instant_in_words, money_in_words, printable
from service_quality.alerts.wording_messages import MAIL, SCORES, say
from service_quality.conversations.event_values import FLAGS
from service_quality.errors import DeclarationError
from service_quality.features.declarations import (
    Combined,
    Distinct,
    EventValue,
    Feature,
    Mean,
    Quantile,
    Rate,
    TimeSince,
    TimeSinceFirst,
    TopShare,
    Total,
    WindowRatio,
)
from service_quality.features.feature_set import FEATURES
from service_quality.instants import SECOND
from service_quality.message import Message
from service_quality.scoring.reasons import Reason

Key = TypeVar("Key", bound=Hashable)

_LONGEST_SUBJECT = 99
_LARGEST_EXPONENT = 20.0
_UNIT_OF_SUFFIX = {
    "_over_ms": "lateness", "_ms": "duration", "_minor": "money", "_hour": "hour", "_weekday": "weekday",
    "_share": "share", "_at": "instant",
}  # fmt: skip
_HALF = 0.5
#: The rates by which an answer is estimated to be late, by whose they are, and the shares of its time in which they do.
_LATE_RATES = {"agent_late_past_half_rate_7d": "agent", "shop_late_past_half_rate_7d": "shop"}
_ESTIMATED_FROM, _ESTIMATED_UNTIL = 0.5, 0.75
_MOST_IN_PERCENT = 10  # a wait of many times what was allowed
#: Below what a number is such a time; instants end with the year 9999.
_TIMES_BELOW = {"hour": 24, "weekday": 7, "instant": 253_402_300_800_000}


_TIME_SINCE = Message("time since the last {1} of {0} in {2}", "{0}{2}内最后一次{1}距今时间")
_TIME_SINCE_FIRST = Message("time since the first {1} of {0} in {2}", "{0}{2}内首次{1}距今时间")


def phrase(feature: Feature, language: str) -> str:
    """A declared feature as a phrase; DeclarationError where a part of it has no message yet.

    >>> phrase(Total("agent", "contacts", "1h"), "en")
    'contacts of the agent in the last hour'
    >>> phrase(Rate("agent", "dissatisfied", "30d", prior_weight=20, parent=0.1), "zh")
    '该客服近 30 天的不满意率'
    """
    match feature:
        case EventValue(value):
            return _say(messages.EVENT_VALUES, value, language)
        case Total(_, fact, _):
            what = _say(messages.FACTS, fact, language)
        case Mean(_, fact, per, _):
            what = _say(messages.MEANS, (fact, per), language)
        case Quantile(_, share, _):
            shape = Message("{0}th percentile of the reply time", "回复时长第 {0} 百分位数")
            what = shape.said(language).format(round(share * 100))
        case Distinct(_, groups, _):
            table = messages.TOP_SHARES if isinstance(feature, TopShare) else messages.DISTINCT
            what = _say(table, groups, language)
        case Combined(label, _, _):
            what = _say(messages.COMBINED, label, language)
        case Rate(_, rate, _):
            what = _say(messages.RATES, rate, language)
        case WindowRatio(_, fact, recent, _):
            shape = Message("share of {1} in the {0}", "{0}中{1}所占比例")
            whole, part = _say(messages.FACTS, fact, language), _say(messages.WINDOWS, recent, language)
            what = shape.said(language).format(whole, part)
        case TimeSince(_, fact, _):
            shape = _TIME_SINCE_FIRST if isinstance(feature, TimeSinceFirst) else _TIME_SINCE
            whose, once = _say(messages.ENTITIES, feature.entity, language), _say(messages.ONCE, fact, language)
            return shape.said(language).format(whose, once, _say(messages.WINDOWS, feature.window, language))
    shape = Message("{2} of {0} in {1}", "{0}{1}的{2}")
    whose, when = (
        _say(messages.ENTITIES, feature.entity, language),
        _say(messages.WINDOWS, feature.window, language),
    )
    return shape.said(language).format(whose, when, what)


def name_in_words(name: str, language: str) -> str:
    """The phrase of a name in an alert: of a declared feature, a value of the conversation, or the score.

    A name that today's code does not know stays as it is.
    """
    try:
        return phrase(_declared(name), language)
    except DeclarationError:
        return name


def value_in_words(
    name: str, value: float | int | None, language: str, *, currency: str = "", zone: str = "UTC"
) -> str:
    """A value readable for people: rates in %, durations in their largest units, money in its currency.

    `zone` is the one in which hours were read.

    >>> value_in_words("waiting_ms", 5_400_000, "en"), value_in_words("waiting_ms", 5_400_000, "zh")
    ('1 h 30 min', '1 小时 30 分钟')
    >>> (
    ...     value_in_words("agent_dissatisfied_rate_30d", 0.234, "en"),
    ...     value_in_words("price_minor", 900, "en", currency="EUR"),
    ... )
    ('23.4 %', '9.00 EUR')
    >>> value_in_words("waited_share", 1.5, "en"), value_in_words("waited_share", 465, "zh")
    ('150.0 %', '465.0 倍')
    >>> value_in_words("answer_over_ms", 1_200_000, "en"), value_in_words("answer_over_ms", 0, "zh")
    ('20 min late', '未超时')
    """
    if value is None:
        return messages.UNKNOWN.said(language)
    match _unit(_declared(name)):
        case "share":
            if value < _MOST_IN_PERCENT:
                return f"{100 * value:.1f} %"
            return messages.MULTIPLE.said(language).format(f"{value:,.1f}")
        case "duration" | "lateness" as unit:
            return _length(unit, value, language)
        case "money":
            return money_in_words(value, currency, language)
        case "instant" | "hour" | "weekday" as unit if 0 <= value < _TIMES_BELOW[unit]:
            return _time_in_words(unit, int(value), language, zone)
        case "flag":
            return (messages.YES if value else messages.NO).said(language)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _length(unit: str, milliseconds: float, language: str) -> str:
    """A duration, or by how much an answer was late."""
    if unit == "duration":
        return _duration(milliseconds, language)
    if milliseconds <= 0:
        return messages.IN_TIME.said(language)
    return messages.LATE.said(language).format(_duration(max(milliseconds, SECOND), language))


def _time_in_words(unit: str, value: int, language: str, zone: str) -> str:
    """An instant, an hour of the day, or a day of the week."""
    if unit == "instant":
        return instant_in_words(value, zone)
    return f"{value:02d}:00 {zone}" if unit == "hour" else messages.WEEKDAYS[value].said(language)


def render_email(alert: Alert, shop: ShopSettings) -> tuple[str, str]:
    """Subject and text of an alert's mail, both in the shop's language.

    Names that today's code does not know are written as they are; a field that the alert lacks has no line.
    """
    shop = shop.of_alert(alert.time_zone, alert.currency)
    state, language = alert.state, shop.language
    lines = [alert.title.said(language), "", *_status(alert, shop)]
    seen = dict(_worth_showing(alert))
    estimated = _estimated_from(alert, seen)
    lines += [_estimate(estimated, seen, language)] if estimated else []
    shown = (_shown(name, value, shop) for name, value in seen.items() if name != estimated)
    lines += _section("evidence", language, [*shown])
    reasons, advice = (alert.reasons, alert.advice.said(language)) if state != "resolved" else ((), "")
    lines += _section("reasons", language, [_reason(reason, shop) for reason in reasons])
    if alert.provisional:
        named = (*seen, *(reason["feature"] for reason in reasons))
        lines += _section(
            "provisional", language, [name_in_words(name, language) for name in _provisional(alert, named)]
        )
    lines += _section("measure", language, [advice] if advice else [])
    lines += ["", _line("alert", alert.message_id or alert.alert_id, language)]
    if alert.model_version is not None:
        lines.append(_line("model", alert.model_version, language))
    return _subject(alert, shop), "\n".join(lines) + "\n"


def _estimated_from(alert: Alert, seen: Mapping[str, float | int]) -> str | None:
    """The shown rate that says whether the answer will be late: the agent's, or the shop's where the agent has none.

    None where nothing is to be said of it: the answer is there, or so much of its time is over that the rate, which is
    of answers not given by half time, says too little.
    """
    share = alert.evidence.get("waited_share")
    if alert.state == "resolved" or share is None or not _ESTIMATED_FROM <= share < _ESTIMATED_UNTIL:
        return None
    return next((name for name in _LATE_RATES if name in seen), None)


def _estimate(name: str, seen: Mapping[str, float | int], language: str) -> str:
    """Whether the answer will probably be late, with the number behind it; a rate of one half says neither."""
    rate = seen[name]
    says = "late" if rate > _HALF else "in_time" if rate < _HALF else "unknown"
    whose = messages.ESTIMATED_OF[_LATE_RATES[name]].said(language)
    number = value_in_words(name, rate, language)
    return messages.ESTIMATED_FROM.said(language).format(messages.ESTIMATES[says].said(language), number, whose)


def _subject(alert: Alert, shop: ShopSettings) -> str:
    """As the topic takes it, whatever a name in it holds: printable, below 100 characters."""
    severity = say(messages.SEVERITIES, alert.severity, shop.language)
    state = say(messages.STATES, alert.state, shop.language)
    shape = MAIL["subject"].said(shop.language)
    said = shape.format(severity, alert.title.said(shop.language), state, shop.display_name or alert.shop_id)
    return printable(said)[:_LONGEST_SUBJECT]


def _status(alert: Alert, shop: ShopSettings) -> list[str]:
    """The lines of subject, severity, state and times."""
    language = shop.language
    about = say(messages.SUBJECTS, alert.subject.kind, language)
    lines = [
        _line("severity", say(messages.SEVERITIES, alert.severity, language), language),
        _line("state", say(messages.STATES, alert.state, language), language),
        _line("shop", shop.display_name or alert.shop_id, language),
        MAIL["line"].said(language).format(about, alert.subject.id),
    ]
    times = (("since", alert.opened_at), ("at", alert.occurred_at))
    lines += [_line(title, instant_in_words(at, shop.time_zone), language) for title, at in times if at is not None]
    if alert.ended_by is not None:
        lines.append(_line("ended_by", say(messages.ENDED_BY, alert.ended_by, language), language))
    return lines + ([_line("repeats", alert.repeats, language)] if alert.repeats else [])


def _worth_showing(alert: Alert) -> Iterator[tuple[str, float | int]]:
    """The evidence that informs people.

    Left out are a rate that counts nothing, which is that of others; every figure of an entity whose counts are all 0;
    and the values that `ended_by` puts in words.
    """
    evidence = {name: value for name, value in alert.evidence.items() if value is not None}
    declared = {name: _declared(name) for name in evidence}
    totals = {name: feature.entity for name, feature in declared.items() if isinstance(feature, Total)}
    uncounted = {*totals.values()} - {entity for name, entity in totals.items() if evidence[name]}
    in_words = ("closed", "waiting") if alert.ended_by is not None else ()
    for name, value in evidence.items():
        feature = declared[name]
        is_empty = isinstance(feature, Rate) and evidence.get(feature.trials.name) == 0
        is_uncounted = not isinstance(feature, EventValue) and feature.entity in uncounted
        if not (is_empty or is_uncounted or name in in_words):
            yield name, value


def _section(title: str, language: str, lines: list[str]) -> list[str]:
    return ["", MAIL[title].said(language), *(f"- {line}" for line in lines)] if lines else []


def _provisional(alert: Alert, names: Iterable[str]) -> list[str]:
    """Those of these names that the alert marks, each once; of a row that marks none by name those that are judged."""
    marked = alert.provisional_figures
    return [name for name in dict.fromkeys(names) if (name in marked if marked else is_judged(_declared(name)))]


def _line(title: str, value: object, language: str) -> str:
    return MAIL["line"].said(language).format(MAIL[title].said(language), value)


def _shown(name: str, value: float | int | None, shop: ShopSettings) -> str:
    shown = value_in_words(name, value, shop.language, currency=shop.currency, zone=shop.hours_zone)
    return MAIL["line"].said(shop.language).format(name_in_words(name, shop.language), shown)


def _reason(reason: Reason, shop: ShopSettings) -> str:
    """One feature's value and its effect on the odds."""
    language = shop.language
    contribution = reason["contribution"]
    effect = MAIL["raises" if contribution > 0 else "lowers"].said(language)
    shown = _shown(reason["feature"], reason["value"], shop)
    return MAIL["reason"].said(language).format(shown, effect.format(exp(min(contribution, _LARGEST_EXPONENT))))


def _declared(name: str) -> Feature:
    """The feature of this name; a name that no feature has is a value of the conversation."""
    return next((feature for feature in FEATURES.features if feature.name == name), EventValue(name))


def _unit(feature: Feature) -> str:
    """The unit of a feature, by its declaration; the names of facts and values end in their units."""
    match feature:
        case Rate() | WindowRatio() | TopShare():
            return "share"
        case EventValue(name) if name in SCORES:
            return "share"
        case TimeSince() | Quantile():
            return "duration"
        case Distinct():
            return "number"
        case Combined(_, unit, _):
            return unit
        case EventValue(name) if name in FLAGS:
            return "flag"
        case Total(_, name, _) | Mean(_, name, _, _) | EventValue(name):
            return next((unit for suffix, unit in _UNIT_OF_SUFFIX.items() if name.endswith(suffix)), "number")


def _say(table: Mapping[Key, Message], key: Key, language: str) -> str:
    found = table.get(key)
    if found is None:
        raise DeclarationError(f"found no message for {key!r}, expected one in wording_messages.py")
    return found.said(language)


def _duration(milliseconds: float, language: str) -> str:
    """The two largest units of a duration.

    >>> _duration(90_061_000, "en"), _duration(86_460_000, "en"), _duration(0, "en")
    ('1 d 1 h', '1 d', '0 s')
    """
    left = round(milliseconds / SECOND) * SECOND
    counts = []
    for size, unit in messages.UNITS:
        counts.append((left // size, unit))
        left %= size
    first = next((place for place, (count, _) in enumerate(counts) if count), len(counts) - 1)
    shown = [(count, unit) for count, unit in counts[first : first + 2] if count] or counts[-1:]
    return " ".join(f"{count} {unit.said(language)}" for count, unit in shown)
