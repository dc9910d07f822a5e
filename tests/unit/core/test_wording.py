"""Alerts as text: everything declared has a message in both languages, and people can read the numbers."""

from typing import Any

import pytest

from service_quality.alerts import wording_messages as messages
from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import read_fields
from service_quality.alerts.alert_state import OPENED, REPEATED, RESOLVED, SILENT, WORSENED
from service_quality.alerts.endings import ENDINGS
from service_quality.alerts.rules import AUDIENCES, SEVERITIES
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.wording import name_in_words, phrase, render_email, value_in_words
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.reading import read_conversation
from service_quality.errors import DeclarationError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import FACTS
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import RATES, Total
from service_quality.features.feature_set import FEATURES
from service_quality.histories.windows import WINDOWS
from service_quality.message import LANGUAGES

WAITING_TOO_LONG = shipped_rules()[0]
BODY: dict[str, Any] = {
    "version": 5,
    "alert_id": "0a1b2c",
    "message_id": "0a1b2c-01692864000000-0002",
    "sequence": 16_928_640_000_002,
    "kind": "waiting_too_long",
    "rule_version": 1,
    "title": WAITING_TOO_LONG.title._asdict(),
    "advice": WAITING_TOO_LONG.advice._asdict(),
    "audiences": ["operations"],
    "state": "worsened",
    "severity": "critical",
    "shop_id": "shop-1",
    "subject": {"kind": "conversation", "id": "5f0c"},
    "occurred_at": "2023-08-24T10:15:30.000Z",
    "opened_at": "2023-08-24T08:00:00.000Z",
    "time_zone": None,
    "currency": None,
    "repeats": 3,
    "event_id": "c-1-waits",
    "evidence": {"waiting_ms": 8_130_000, "last_reply_ms": None, "replies": 2},
    "score": 0.61,
    "reasons": [
        {"feature": "agent_dissatisfied_rate_30d", "value": 0.31, "contribution": 0.405},
        {"feature": "customer_orders_90d", "value": 4, "contribution": -0.1},
    ],
    "provisional": False,
    "provisional_figures": [],
    "ended_by": None,
    "model_version": "v1",
}


def alert(**changes: object) -> Alert:
    return read_fields(BODY | changes)


def has_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


@pytest.mark.parametrize("feature", FEATURES.features, ids=lambda feature: feature.name)
def test_every_declared_feature_has_a_phrase_in_both_languages(feature):
    english, chinese = (phrase(feature, language) for language in LANGUAGES)

    assert english.isascii()
    assert has_chinese(chinese)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_features_share_a_phrase(language):
    phrases = [phrase(feature, language) for feature in FEATURES.features]

    assert len(set(phrases)) == len(phrases)


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.name)
def test_every_rule_has_a_message_a_measure_a_subject_and_readable_evidence(rule):
    said = [
        rule.title,
        rule.advice,
        rule.known_false_alarms,
        messages.SUBJECTS[rule.subject],
    ]
    evidence = {name: [name_in_words(name, language) for language in LANGUAGES] for name in rule.evidence}

    assert all(one.en.isascii() and has_chinese(one.zh) for one in said)
    assert all(has_chinese(zh) and en != name for name, (en, zh) in evidence.items())


CONVERSATION_VALUES = read_event_values(
    read_conversation([]), InteractionEvent(event_id="e", shop_id="s", kind="rated", occurred_at=0, received_at=0)
)


@pytest.mark.parametrize(
    ("table", "declared"),
    {
        "ENTITIES": ENTITIES,
        "WINDOWS": WINDOWS,
        "FACTS": FACTS,
        "RATES": RATES,
        "EVENT_VALUES": {*CONVERSATION_VALUES, "score", "churn_score"},
        "SEVERITIES": SEVERITIES,
        "STATES": {OPENED, REPEATED, WORSENED, RESOLVED, SILENT},
        "ENDED_BY": ENDINGS,
        "AUDIENCES": AUDIENCES,
    }.items(),
)
def test_all_that_can_be_declared_has_a_message(table, declared):
    said = set(getattr(messages, table))

    assert (set(declared) - said, said - set(declared)) == (set(), set()), f"{table} of alerts/wording_messages.py"


def test_undeclared_name_has_no_message():
    with pytest.raises(DeclarationError, match="no message for 'mood'"):
        phrase(Total("agent", "mood", "1h"), "en")


@pytest.mark.parametrize(
    ("name", "value", "english", "chinese"),
    [
        ("score", 0.7312, "73.1 %", "73.1 %"),
        ("agent_reply_ms_per_timed_replies_1d", 95_400.0, "1 min 35 s", "1 分钟 35 秒"),
        ("waiting_ms", 3 * 86_400_000 + 7_200_000, "3 d 2 h", "3 天 2 小时"),
        ("customer_time_since_orders_90d", 86_400_000, "1 d", "1 天"),
        ("price_minor", 129_900, "1,299.00 (currency not set)", "1,299.00（未设置币种）"),
        ("customer_currency_order_amount_minor_90d", 5, "0.05 (currency not set)", "0.05（未设置币种）"),
        ("category_contacts_1d_of_7d", 0.5, "50.0 %", "50.0 %"),
        ("opened_hour", 9, "09:00 UTC", "09:00 UTC"),
        ("opened_weekday", 6, "Sunday", "星期日"),
        ("answered", 0, "no", "否"),
        ("waiting", 1, "yes", "是"),
        ("agent_contacts_1h", 1234, "1,234", "1,234"),
        ("first_response_ms", None, "unknown", "未知"),
    ],
)
def test_values_are_readable(name, value, english, chinese):
    assert [value_in_words(name, value, language) for language in ("en", "zh")] == [english, chinese]


def test_mail_in_english_says_what_why_and_what_to_do():
    subject, text = render_email(alert(), ShopSettings())

    assert subject == "[critical] Customer waits too long for an answer (got worse) - shop-1"
    assert "- the customer has been waiting for: 2 h 15 min" in text
    assert "- dissatisfaction rate of the agent in the last 30 days: 31.0 % (raises the risk: odds × 1.50)" in text
    assert "(lowers the risk: odds × 0.90)" in text
    assert BODY["advice"]["en"] in text
    assert "Alert since: 2023-08-24 08:00 UTC" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_shows_hours_times_and_amounts_by_the_policy_that_the_alert_names(language):
    reasons = [
        {"feature": "price_minor", "value": 129_900, "contribution": 0.2},
        {"feature": "customer_currency_order_amount_minor_90d", "value": 5_000, "contribution": 0.1},
        {"feature": "opened_hour", "value": 18, "contribution": 0.1},
    ]
    body = BODY | {"time_zone": "Asia/Kolkata", "currency": "JPY", "reasons": reasons}

    _, text = render_email(read_fields(body), ShopSettings(language, time_zone="Europe/Berlin", currency="EUR"))

    assert all(shown in text for shown in ("2023-08-24 13:30 Asia/Kolkata", "18:00 Asia/Kolkata"))
    assert all(shown in text for shown in ("129,900 JPY", "5,000 JPY"))
    assert not any(other in text for other in ("UTC", "EUR", "Berlin"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_of_a_shop_without_a_policy_follows_its_settings_but_in_hours_that_were_read_in_utc(language):
    reasons = [{"feature": name, "value": 900, "contribution": 0.2} for name in ("price_minor",)]
    body = BODY | {"reasons": reasons, "evidence": {"opened_hour": 8}}

    _, text = render_email(read_fields(body), ShopSettings(language, time_zone="Europe/Berlin", currency="EUR"))

    assert all(shown in text for shown in ("2023-08-24 10:00 Europe/Berlin", "08:00 UTC", "9.00 EUR"))


def test_mail_of_an_alert_of_an_older_release_follows_the_settings():
    older = {name: value for name, value in BODY.items() if name not in ("time_zone", "currency")}

    _, text = render_email(read_fields(older), ShopSettings(time_zone="Europe/Berlin"))

    assert "Alert since: 2023-08-24 10:00 Europe/Berlin" in text


def test_zone_that_this_machine_does_not_know_leaves_times_in_the_zone_of_the_settings():
    body = BODY | {"time_zone": "Mars/Base"}

    _, text = render_email(read_fields(body), ShopSettings(time_zone="Europe/Berlin"))

    assert "Alert since: 2023-08-24 10:00 Europe/Berlin" in text


def test_mail_in_chinese_has_a_chinese_subject_below_a_hundred_characters():
    subject, text = render_email(alert(shop_id="店铺" * 60), ShopSettings("zh", display_name="小店"))

    assert subject == "【紧急】顾客等待回复过久（已加重）- 小店"
    assert "顾客等待回复过久" in text
    assert "店铺：小店" in text
    assert "- 顾客已等待：2 小时 15 分钟" in text
    assert "- 该客服近 30 天的不满意率：31.0 %（提高风险：几率 × 1.50）" in text


@pytest.mark.parametrize("name", ["小店" * 60, "Tea\nBcc: x" * 20])
def test_subject_stays_one_line_below_a_hundred_characters_whatever_a_shop_is_called(name):
    subject, _ = render_email(alert(), ShopSettings("zh", display_name=name))

    assert subject.isprintable()
    assert len(subject) == 99


@pytest.mark.parametrize(
    ("language", "headed", "lines"),
    [
        (
            "en",
            "[critical] Customer waits too long for an answer (ongoing) - shop-1",
            ("State: ongoing", "Times seen again since the last message: 3", "What to do"),
        ),
        (
            "zh",
            "【紧急】顾客等待回复过久（仍在持续）- shop-1",
            ("状态：仍在持续", "自上次通知以来再次出现次数：3", "建议措施"),
        ),
    ],
)
def test_mail_that_is_said_again_says_that_it_goes_on_and_how_often_it_was_seen(language, headed, lines):
    subject, text = render_email(alert(state=REPEATED), ShopSettings(language))

    assert subject == headed
    assert all(line in text for line in lines)


def test_mail_about_the_end_of_an_alert_asks_for_nothing():
    _, text = render_email(alert(state="resolved"), ShopSettings())

    assert "State: ended" in text
    assert "What to do" not in text


def test_mail_about_an_unscored_alert_names_no_model():
    _, text = render_email(alert(score=None, reasons=[], model_version=None), ShopSettings())

    assert "Model" not in text
    assert "weighs" not in text


@pytest.mark.parametrize(
    ("language", "title", "judged"),
    [
        ("en", "Provisional until the calendar of the year is published", "rate of slow replies of the agent in the"),
        ("zh", "该年度放假安排公布前为暂定数据", "该客服近 7 天的慢回复率"),
    ],
)
def test_mail_names_each_figure_that_is_provisional_and_no_other(language, title, judged):
    slow = {"feature": "agent_slow_rate_7d", "value": 0.4, "contribution": 0.2}
    body = BODY | {"reasons": [*BODY["reasons"], slow], "provisional": True}

    _, marked = render_email(read_fields(body), ShopSettings(language))
    _, settled = render_email(read_fields(body | {"provisional": False}), ShopSettings(language))
    _, over = render_email(read_fields(body | {"state": "resolved"}), ShopSettings(language))

    named = marked.partition(title)[2].partition("\n\n")[0]
    assert named.count("\n- ") == 1
    assert judged in named
    assert title not in settled
    assert title not in over  # shows no reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_marks_the_figures_that_the_alert_names_and_that_it_shows(language):
    evidence = {"waited_share": 0.5, "answer_due_at": 1_798_700_000_000, "agent_half_spent_replies_7d": 0}
    figures = ["answer_due_at", "agent_half_spent_replies_7d"]
    marked = alert(evidence=evidence, reasons=[], provisional=True, provisional_figures=figures)

    _, text = render_email(marked, ShopSettings(language))

    named = text.partition(messages.MAIL["provisional"].said(language))[2].partition("\n\n")[0]
    assert named.strip() == f"- {name_in_words('answer_due_at', language)}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_leaves_out_evidence_that_is_not_there(language):
    _, text = render_email(alert(), ShopSettings(language))

    assert name_in_words("waiting_ms", language) in text
    assert name_in_words("last_reply_ms", language) not in text


@pytest.mark.parametrize(("language", "line"), [("en", "Why it ended: rule withdrawn"), ("zh", "结束原因：规则已撤回")])
def test_mail_says_what_ended_an_alert(language, line):
    _, text = render_email(alert(state="resolved", ended_by="rule_withdrawn"), ShopSettings(language=language))
    _, usual = render_email(alert(state="resolved"), ShopSettings(language=language))

    assert line in text.splitlines()
    assert line.partition(":")[0].partition("：")[0] not in usual


def test_mail_has_the_texts_of_the_rule_that_the_alert_carries():
    own = alert(kind="own", title={"en": "Own", "zh": "自定"}, advice={"en": "", "zh": ""})

    subject, text = render_email(own, ShopSettings(language="zh"))

    assert (subject.startswith("【紧急】自定（已加重）"), text.splitlines()[0]) == (True, "自定")
    assert "建议措施" not in text
