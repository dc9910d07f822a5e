"""Bad releases, models and rules, deployed to the embedded AWS and taken back as people deploy them."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from cli.paths import ROOT
from infra.local.cloud import Cloud
from tests.stand_ins.tiny_model import tiny_model

CORE = ROOT / "functions" / "shared" / "service_quality"

#: Appended to a module of the core, each makes a bad release of it.
DEFECTS = {
    "fold": (
        "facts/conversation_fold.py",
        """
_sound_step = step_conversation


def step_conversation(before, event, **clocks):
    if event.event_id.startswith("cursed"):
        raise ZeroDivisionError
    return _sound_step(before, event, **clocks)
""",
    ),
    "rule": (
        "alerts/shipped_rules.py",
        """
from service_quality.alerts.conditions import Missing
from service_quality.events.kinds import SERVICE
from service_quality.instants import HOUR


class _Broken(Missing):
    def holds(self, values):
        raise ZeroDivisionError


_sound_rules = shipped_rules


def shipped_rules():
    broken = Rule(
        name="broken",
        version=1,
        subject="conversation",
        kinds=SERVICE,
        tiers=(("warning", _Broken("closed")),),
        resolved_when=_Broken("closed"),
        cooldown_ms=HOUR,
        evidence=(),
    )
    return (broken, *_sound_rules())
""",
    ),
}


#: Appended to modules of the core, together they make a release that serves more than the one before: a new window,
#: a new fact, an entity that no feature has read, features of them, and a rule.
LARGER = {
    "histories/windows.py": """

WINDOWS["2h"] = Window("2h", 2 * HOUR, 5 * MINUTE)
""",
    "facts/conversation_facts.py": """

CONTACT_FACTS = (*CONTACT_FACTS, "second_replies")
FACTS = (*FACTS, "second_replies")
_known_reply_facts = _reply_facts


def _reply_facts(reply):
    yield from _known_reply_facts(reply)
    yield reply.agent_id, reply.at, "second_replies", int(reply.waited_ms is None or reply.waited_ms >= 1000)
""",
    "features/feature_set.py": """

LARGER = (
    Total("agent", "second_replies", "1d"),
    Total("agent", "replies", "2h"),
    Rate("tenure", "slow", "2h", prior_weight=5, parent=0.3),
    Total("shop", "contacts", "90d"),
)
FEATURES = FeatureSet(FEATURES.features + LARGER)
""",
    "alerts/shipped_rules.py": """
from service_quality.events.kinds import SERVICE
from service_quality.instants import HOUR

_rules_before = shipped_rules


@cache
def shipped_rules():
    speaks = Rule(
        name="speaks",
        version=1,
        subject="conversation",
        kinds=SERVICE,
        tiers=(("info", AtLeast("agent_messages", 1)),),
        resolved_when=AtLeast("closed", 1),
        cooldown_ms=HOUR,
        evidence=("agent_messages",),
    )
    return (*_rules_before(), speaks)
""",
}

#: The name of the rule that LARGER adds.
ADDED_RULE = "speaks"


#: Appended to modules of the core, they make a release whose fold counts every reply of an agent twice.
CHANGED = {
    "facts/conversation_fold.py": """

CODE_VERSION = 900
FOLD_VERSION = str(CODE_VERSION)
""",
    "facts/conversation_facts.py": """

_sound_reply_facts = _reply_facts


def _reply_facts(reply):
    for agent_id, at, name, value in _sound_reply_facts(reply):
        yield agent_id, at, name, 2 * value if name == "replies" else value
""",
}


class Releases:
    """The code that a function runs, `score_interactions` unless said otherwise; every change restarts it."""

    def __init__(self, cloud: Cloud, outputs: dict[str, str], function: str = "ScoreInteractionsFunctionName") -> None:
        self._cloud = cloud
        self._outputs = outputs
        self._function = outputs[function]
        configuration = cloud.functions.get_function_configuration(FunctionName=self._function)
        self._good_layers = [layer["Arn"] for layer in configuration["Layers"]]

    def deploy_bad(self, defect: str) -> None:
        """A release whose core has a defect: a layer over the one that was deployed."""
        module, code = DEFECTS[defect]
        content = zipped_core({module: code})
        layer = self._cloud.functions.publish_layer_version(LayerName=f"bad-{defect}", Content={"ZipFile": content})
        self._run([*self._good_layers, layer["LayerVersionArn"]])

    def deploy(self, name: str, appended: dict[str, str]) -> None:
        """A release with code appended to modules of the core, over the one that was deployed."""
        content = zipped_core(appended)
        layer = self._cloud.functions.publish_layer_version(LayerName=name, Content={"ZipFile": content})
        self._run([*self._good_layers, layer["LayerVersionArn"]])

    def take_back(self) -> None:
        """The release that was deployed first."""
        self._run(self._good_layers)

    def promote(self, version: str, *, bias: float) -> None:
        """A model that got past every gate; the function is restarted, so that it need not wait a minute."""
        key = f"models/{version}/model.onnx"
        self._cloud.s3.put_object(Bucket=self._outputs["ModelsBucketName"], Key=key, Body=tiny_model(bias=bias))
        pointer = {"pk": "pointer", "sk": "champion", "version": version}
        item = {name: {"S": value} for name, value in pointer.items()}
        self._cloud.dynamodb.put_item(TableName=self._outputs["ModelsTableName"], Item=item)
        self.take_back()

    def _run(self, layers: list[str]) -> None:
        self._cloud.functions.update_function_configuration(FunctionName=self._function, Layers=layers)
        waiter = self._cloud.functions.get_waiter("function_updated_v2")
        waiter.wait(FunctionName=self._function, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


class ReleaseJobs:
    """Commands of a release with code appended to modules of the core."""

    def __init__(self, appended: dict[str, str], folder: Path, environment: Mapping[str, str]) -> None:
        write_core(appended, folder / "core")
        paths = [folder / "core" / "python", ROOT, ROOT / "functions" / "shared"]
        self._environment = {**environment, "PYTHONPATH": os.pathsep.join(map(str, paths))}

    def run(self, *argv: str | Path, given: bytes = b"") -> None:
        done = subprocess.run(
            [sys.executable, "-m", *argv],
            cwd=ROOT,
            env=self._environment,
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:]


def zipped_core(appended: dict[str, str]) -> bytes:
    """The core as a layer, with code appended to some of its modules."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as layer:
        for path in sorted([*CORE.rglob("*.py"), *CORE.rglob("*.json")]):
            name = path.relative_to(CORE).as_posix()
            layer.writestr(str(Path("python/service_quality") / name), path.read_text("utf-8") + appended.get(name, ""))
    return packed.getvalue()


def write_core(appended: dict[str, str], folder: Path) -> None:
    """The core in a folder, with code appended to some of its modules, for jobs of that release."""
    with zipfile.ZipFile(io.BytesIO(zipped_core(appended))) as layer:
        layer.extractall(folder)
