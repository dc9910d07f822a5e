"""The page of policies and the schema say what the code says."""

import json

from cli.paths import ROOT
from service_quality.policies.platform_standards import load_standards
from service_quality.policies.policy import DEFAULT_POLICY
from service_quality.policies.policy_document import KEYS
from service_quality.policies.policy_form import policy_to_dict

SCHEMA = json.loads((ROOT / "docs" / "policy.schema.json").read_text("utf-8"))


def test_page_explains_every_key_with_its_default_and_every_preset():
    page = (ROOT / "docs" / "policies.md").read_text("utf-8")
    rows = {
        cells[1].strip(" `"): cells[3].strip(" `")
        for cells in (line.split("|") for line in page.splitlines())
        if len(cells) == 5
    }
    form = policy_to_dict(DEFAULT_POLICY)

    assert [key for key in rows if key not in ("key", "---")] == [*KEYS]
    shown = {key: rows[key] for key in ("zone", "make_up_days_as", "ends_after", "owner", "answer_tolerance")}
    assert shown == {key: form[key] for key in shown}
    assert (rows["on_time_within"], rows["slow_beyond"]) == (form["on_time_within"], form["slow_beyond"])
    assert rows["dissatisfied_at_most"] == str(form["dissatisfied_at_most"])
    assert all(f"| `{name}` |" in page for name in load_standards())


def test_schema_has_the_defaults():
    defaults = {key: said["default"] for key, said in SCHEMA["properties"].items() if said.get("default") is not None}
    form = policy_to_dict(DEFAULT_POLICY)

    assert len(defaults) >= 8
    assert defaults == {key: form[key] for key in defaults}
