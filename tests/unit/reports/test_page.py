"""The report page: complete in both languages, honest about failures, safe with any text of an alert."""

import ast
import re
from html.parser import HTMLParser
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

import reports
from cli.paths import ROOT
from model_export import judgement
from reports import render_page
from reports.labels import LABELS, STEPS
from reports.learning_labels import LEARNING_LABELS, MOST_DIFFERENCE
from reports.page import NO_SETTINGS
from reports.plots import WIDE, plot_calibration, plot_hours
from reports.proofs import read_proofs
from reports.telling import choose_telling
from service_quality.alerts.alert import Alert
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.message import LANGUAGES
from tests.unit.reports import made_up_run as made_up

VOID = {"meta", "br"}
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&{{ 7 * 7 }}"


class Outline(HTMLParser):
    """The page as a browser sees it: elements with their attributes, text, and whether every opened one is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if "style" not in self.open:
            self.texts.append(text)


def outline(page):
    seen = Outline()
    seen.feed(page)
    seen.close()
    assert not seen.open
    return seen


def render(report=None, evaluation=None, alerts=None, lang="en", shops=NO_SETTINGS):
    found = made_up.alerts() if alerts is None else alerts
    return render_page(report or made_up.report(), evaluation or made_up.evaluation(), found, shops=shops, lang=lang)


def text_of(page):
    return re.sub(r"\s+", " ", " ".join(outline(page).texts))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_holds_both_languages_and_shows_one_first(lang):
    page = render(lang=lang)

    seen = outline(page)
    panes = [one for tag, one in seen.elements if "pane" in (one.get("class") or "").split()]
    assert {pane["id"]: pane["lang"] for pane in panes} == {"en": "en", "zh": "zh-CN"}
    assert [pane["id"] for pane in panes if "first" in pane["class"].split()] == [lang]
    assert {one["href"] for tag, one in seen.elements if tag == "a"} == {"#en", "#zh"}
    assert LABELS["telling"].en in page
    assert LABELS["telling"].zh in page


def test_page_loads_nothing_and_runs_nothing():
    page = render()

    tags = {tag for tag, _ in outline(page).elements}
    assert not tags & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"https?:|url\(|@import|\son\w+=", page)


def test_what_went_in_and_came_out_is_on_the_page():
    text = text_of(render())

    for expected in ("74,918", "5,241", "12,840", "9,214", "contacts.csv.gz", "2023-08-24", "0.709", "0.664", "17.5 %"):
        assert expected in text
    assert "3.1 × 10⁻⁸" in text
    assert "at most 10⁻⁶ is allowed" in text


def test_synthetic_data_is_labelled_at_every_heading():
    synthetic = render(made_up.report(synthetic=True))
    real = render()

    assert synthetic.count('class="tag"') == synthetic.count("<h2")
    assert LABELS["synthetic_note"].en in text_of(synthetic)
    assert LABELS["synthetic_note"].zh in text_of(synthetic)
    assert "· synthetic</title>" in synthetic
    assert 'class="tag"' not in real


def test_real_data_is_not_called_synthetic():
    text = text_of(render())

    assert LABELS["synthetic"].en not in text
    assert LABELS["synthetic"].zh not in text


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, set()),
        (
            {"consistency": {"compared": 9, "mismatched": 1, "missing": 0, "extra": 0, "chain": "whole"}},
            {"consistency"},
        ),
        (
            {"consistency": {"compared": 9, "mismatched": 0, "missing": 0, "extra": 0, "chain": "broken"}},
            {"consistency"},
        ),
        (
            {"consistency": {"compared": 0, "mismatched": 0, "missing": 0, "extra": 0, "chain": "whole"}},
            {"consistency"},
        ),
        ({"parity_max_abs_diff": 2e-6}, {"parity"}),
        ({"parity_max_abs_diff": float("nan")}, {"parity"}),
        ({"alerts": {"published": 3, "received": 3, "received_http": 2, "by_kind": {}}}, {"delivery"}),
        ({"alerts": {"published": 0, "received": 0, "received_http": 0, "by_kind": {}}}, {"delivery"}),
        ({"live": made_up.live(right=1)}, {"live"}),
        ({"live": made_up.live(others=1)}, {"live"}),
    ],
)
def test_proof_that_fails_is_shown_as_failed(changes, failed):
    report = made_up.report(**changes)

    page = render(report)

    assert {proof.name for proof in read_proofs(report) if not proof.held} == failed
    assert page.count('class="card proof bad"') == 2 * len(failed)
    assert (LABELS["all_held"].en in page) is not bool(failed)


def test_live_minute_shows_each_message_beside_its_due_instant():
    text = text_of(render())

    assert "notice new 15.0 1.5 s" in text
    assert "the latest 1.5 s after it was due" in text
    assert text.count(LABELS["no_message"].en) == text.count(LABELS["no_message"].zh) == 1


def test_message_that_did_not_come_live_is_counted_as_missing():
    found = made_up.live(right=1)
    found["conversations"][0]["messages"].pop()

    text = text_of(render(made_up.report(live=found)))

    assert LABELS["messages_missing"].en.format(1) in text
    assert LABELS["messages_missing"].zh.format(1) in text


def test_run_without_alerts_and_ratings_says_so():
    report = made_up.report(
        model={"kind": "logistic_regression", "rows": 0},
        model_at_opening={"kind": "logistic_regression", **dict.fromkeys(made_up.METRICS), "rows": 4},
        model_at_stage={"kind": "logistic_regression", "rows": 0},
        alerts={"published": 0, "received": 0, "received_http": 0, "by_kind": {}},
    )

    text = text_of(render(report, made_up.unjudged(), []))

    assert text.count(LABELS["no_alerts"].en) == 2
    assert text.count(LABELS["no_curve"].zh) == 3
    assert "None" not in text
    assert "nan" not in text


def test_ratings_of_one_outcome_have_a_calibration_but_no_ranking():
    satisfied = {"roc": [], "calibration": [[0.1, 0.0, 20]], "base_rate": 0.0}

    text = text_of(render(evaluation={"answer": satisfied, "opening": made_up.CURVES}))

    assert LABELS["no_curve"].en not in text
    assert "20 conversations: predicted 10.0 %, really 0.0 %" in text


def test_hostile_strings_are_text():
    alert = made_up.alert("a", shop_id=HOSTILE, subject={"kind": "conversation", "id": HOSTILE})
    report = made_up.report(source=HOSTILE, model_version=HOSTILE, seconds={HOSTILE: 1.0})

    page = render(report, alerts=[alert])

    seen = outline(page)
    assert "<img" not in page
    assert not {"script", "img"} & {tag for tag, _ in seen.elements}
    assert sum(HOSTILE in text for text in seen.texts) == 2 * 5


def test_alert_is_shown_with_its_messages_and_reasons():
    text = text_of(render(alerts=[made_up.alerts()[0]]))

    for language in LANGUAGES:
        assert shipped_rules()[0].title.said(language) in text
        assert shipped_rules()[0].advice.said(language) in text
    assert "the customer has been waiting for 2 h 15 min" in text
    assert "dissatisfaction rate of the agent in the last 30 days 31.0 %" in text
    assert "该客服近 30 天的不满意率 31.0 %" in text
    assert "+0.41" in text
    assert "−0.10" in text


def test_bars_of_reasons_have_one_scale_and_two_directions():
    page = render(alerts=[made_up.alerts()[0]])

    assert '<rect class="up" x="50.00%" width="50.00%"' in page
    assert '<rect class="down" x="37.65%" width="12.35%"' in page


def test_unscored_alert_is_shown_without_reasons():
    page = render(alerts=[made_up.alert("a", score=None, reasons=[], model_version=None)])

    assert LABELS["not_scored"].en in page
    assert '<rect class="up"' not in page


def about(name: str, **changes: Any) -> Alert:
    """An alert about a conversation of its own."""
    return made_up.alert(name, subject={"kind": "conversation", "id": name}, **changes)


def test_telling_alerts_are_of_different_kinds_then_the_gravest():
    waiting = {"kind": "waiting_too_long", "evidence": {}}
    found = [
        about("a", severity="critical", score=0.8),
        about("b", severity="critical", score=0.9),
        about("c", score=0.2, **waiting),
        about("d", score=0.1, severity="critical", **waiting),
    ]

    chosen = {tuple(one.alert_id for one in choose_telling(order)) for order in permutations(found)}

    assert chosen == {("b", "d", "a")}


def test_telling_alerts_call_for_something_and_have_reasons():
    found = [
        about("resolved", state="resolved", severity="critical"),
        about("unscored", score=None, reasons=[], severity="critical"),
        about("mild", score=0.1),
    ]

    assert [one.alert_id for one in choose_telling(found)] == ["mild", "resolved", "unscored"]


def test_one_subject_is_shown_once():
    found = [
        made_up.alert("a"),
        made_up.alert("b", message_id="b-01692864000000-0002", state="worsened", severity="critical"),
    ]

    assert [one.number for one in choose_telling(found)] == ["01692864000000-0002"]
    assert choose_telling([]) == []


def test_hours_stack_every_alert():
    found = [*made_up.alerts(), made_up.alert("z", occurred_at="2023-08-24T23:59:59.999Z")]

    hours = plot_hours(found, {})

    assert [(block.kind, block.hour, block.count) for block in hours.blocks] == [
        ("waiting_too_long", 10, 2),
        ("high_risk", 10, 1),
        ("high_risk", 23, 1),
    ]
    assert [tick.value for tick in hours.ticks] == [0, 1, 2, 3]
    assert hours.blocks[1].y == WIDE.top
    assert hours.blocks[0].y + hours.blocks[0].height == pytest.approx(WIDE.y(0))


def test_hours_are_those_of_the_shop():
    (block,) = plot_hours([made_up.alert("a")], {"shop-1": "Asia/Shanghai"}).blocks

    assert block.hour == 18


def test_page_shows_times_and_amounts_as_the_shop_reads_them():
    reasons = [{"feature": "price_minor", "value": 129_900, "contribution": 0.4}]
    shops = {"shop-1": ShopSettings(display_name="Tea & Co", time_zone="Asia/Shanghai", currency="JPY")}

    text = text_of(render(alerts=[made_up.alert("a", reasons=reasons)], shops=shops))

    assert "2023-08-24 18:15 Asia/Shanghai" in text
    assert "129,900 JPY" in text
    assert "Tea & Co" in text


def test_page_says_how_often_alerts_were_right():
    text = text_of(render())

    assert "How often an alert was right" in text
    assert "56.0 %" in text
    assert "by chance it would be 17.5 %" in text


def test_calibrated_bins_lie_on_the_diagonal():
    plot = plot_calibration([[0.1, 0.1, 50], [0.4, 0.4, 50]], base_rate=0.25, top=0.5)

    first, second = plot.bins
    assert second.x - first.x == pytest.approx(first.y - second.y)
    assert first.high < first.y < first.low
    assert [tick.value for tick in plot.ticks] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_every_rule_has_a_colour_in_light_dark_and_print():
    style = (Path(reports.__file__).parent / "templates" / "style.css").read_text("utf-8")

    for rule in shipped_rules():
        assert style.count(f"--{rule.name}:") == 3


def test_every_step_of_the_demo_has_a_label():
    trees = [ast.parse((ROOT / "infra" / "local" / name).read_text("utf-8")) for name in ("demo.py", "demo_run.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]

    steps = {ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func).endswith(".step")}

    assert steps
    assert steps <= set(STEPS)


@pytest.mark.parametrize("verdict", ["promoted", "refused"])
def test_outcome_of_learning_shows_both_models_and_why(verdict):
    page = render(report=made_up.report(learning=made_up.learning(verdict)))

    text = text_of(page)
    for language in LANGUAGES:
        assert LEARNING_LABELS[verdict].said(language) in text
    assert "0.392 0.391" in text
    assert "80 rounds since 2026-02-03, 15 of them dissatisfied" in text
    assert "log loss of the candidate minus the champion's: −0.0009; at most +0.001 is allowed" in text
    assert "候选模型与现役模型的对数损失之差：−0.0009；允许值不超过 +0.001" in text


@pytest.mark.parametrize(("verdict", "times"), [("promoted", 1), ("refused", 2)])
def test_english_reason_is_shown_in_chinese_only_where_figures_do_not_say_it(verdict, times):
    page = render(report=made_up.report(learning=made_up.learning(verdict)))

    assert text_of(page).count(made_up.learning(verdict)["why"]) == times


def test_most_difference_is_that_of_the_judgement():
    assert MOST_DIFFERENCE == judgement.TOLERANCE


def test_candidate_that_the_export_refused_has_no_figures():
    page = render(report=made_up.report(learning=made_up.learning("refused", judgement=None)))

    assert LEARNING_LABELS["not_judged"].en in text_of(page)


def test_unknown_language_is_refused():
    with pytest.raises(ValueError, match="found language 'fr', expected one of en, zh"):
        render(lang="fr")
