"""Whatever an alert row holds, it becomes a message that the topic takes, or is rejected with a reason."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from service_quality.errors import UnreadableRowError
from service_quality.message import LANGUAGES
from tests.stand_ins.alert_rows import BODY, publication, require_sendable

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "alert.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(["\ud800", "\x00", "\n", "�", "x" * 5_000, "语" * 5_000]))
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.sampled_from([10**400, -(10**400), 1e308, float("nan"), 7, 23.5])
)
NAMES = st.one_of(
    TEXTS, st.sampled_from(["opened_hour", "opened_weekday", "waiting_ms", "price_minor", "answered", "score"])
)
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)
REASONS = st.fixed_dictionaries({"feature": NAMES, "value": VALUES, "contribution": NUMBERS})
BODIES = st.fixed_dictionaries(
    {"kind": st.one_of(NAMES, st.sampled_from(["high_risk", "waiting_too_long"]))},
    optional={
        **{name: VALUES for name in BODY if name != "kind"},
        "state": st.one_of(VALUES, st.sampled_from(["opened", "resolved"])),
        "subject": st.one_of(VALUES, st.fixed_dictionaries({"kind": st.just("conversation"), "id": NAMES})),
        "evidence": st.dictionaries(NAMES, NUMBERS, max_size=30),
        "reasons": st.one_of(VALUES, st.lists(REASONS, max_size=8)),
        "score": NUMBERS,
    },
)


@settings(max_examples=300)
@given(body=BODIES, language=st.sampled_from(LANGUAGES), ids=st.sampled_from(["hashed", "plain"]))
def test_whatever_a_row_holds_it_is_sent_within_bounds_or_rejected(body, language, ids):
    try:
        made = publication(body, language=language, ids=ids)
    except UnreadableRowError:
        return

    VALIDATOR.validate(json.loads(made.body))
    require_sendable(made)
