"""The releases that long tests deploy can be imported: a changed core would break them unseen."""

import os
import subprocess
import sys

import pytest

from cli.paths import ROOT
from tests.integration.releases import CHANGED, DEFECTS, LARGER, write_core

RELEASES = {**{name: dict([defect]) for name, defect in DEFECTS.items()}, "larger": LARGER, "changed": CHANGED}
_FOLD = """
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.conversations.conversation import EMPTY
from service_quality.features.feature_set import FEATURES

folded = FoldedConversation(EMPTY, FEATURES.plan.kept)
for number, kind in enumerate(("customer_message", "agent_message")):
    event = InteractionEvent(
        event_id=kind, shop_id="s", kind=kind, occurred_at=number, received_at=number, conversation_id="c",
        agent_id="ann",
    )
    step = step_conversation(folded, event, received_clock=number)
    folded = step.after
print(len(shipped_rules()), sorted({fact.name for fact in step.facts}))
"""


@pytest.mark.parametrize("name", RELEASES)
def test_release_folds_a_reply(name, tmp_path):
    write_core(RELEASES[name], tmp_path)
    paths = os.pathsep.join([str(tmp_path / "python"), str(ROOT)])

    done = subprocess.run(
        [sys.executable, "-c", _FOLD],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "timed_replies" in done.stdout
