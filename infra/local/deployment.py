"""The template of the project, built and deployed to an embedded AWS by the official sam."""

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from botocore.exceptions import ClientError

from cli.locks import in_turn
from cli.paths import ROOT
from cli.progress import Signs, announced, say
from infra.local.cloud import REGION, Cloud, for_embedded
from infra.local.emulator import Emulator
from infra.local.errors import DeploymentFailedError

STACK = "service-quality"
ARTIFACTS_BUCKET = "deployment-artifacts"
LOCAL_PARAMETERS = {"OnlyOverTls": "false"}  # nothing leaves 127.0.0.1
BUILT = ROOT / "build" / "local" / "sam"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
_SIGN = re.compile(r"set-up: .* s so far")
LOCKS = ("requirements/function.txt", "requirements/scoring.txt")
SOURCES = ("functions", "infra", "template.yaml", "samconfig.toml", *LOCKS)


def deploy(emulator: Emulator, parameters: Mapping[str, str] | None = None) -> dict[str, str]:
    """Build what changed, deploy it, and return the outputs of the stack by name."""
    build()
    cloud = emulator.cloud
    with announced("deploy"):
        cloud.s3.create_bucket(Bucket=ARTIFACTS_BUCKET)
        command: list[str | Path] = ["deploy", "--template-file", BUILT / "template.yaml", "--stack-name", STACK]
        command += ["--s3-bucket", ARTIFACTS_BUCKET, "--region", REGION]
        command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
        given = {**LOCAL_PARAMETERS, **(parameters or {})}
        command += ["--parameter-overrides", *(f"{name}={value}" for name, value in given.items())]
        try:
            run_sam("deploy", command, for_embedded(os.environ, emulator.endpoint))
        except DeploymentFailedError as error:
            raise DeploymentFailedError(f"{error}: {read_reason(cloud)}") from None
    return read_outputs(cloud)


def build() -> None:
    """Build the bundles for the Python that the embedded AWS runs functions under, unless they exist already."""
    stamp = BUILT.parent / "sam.stamp"
    with in_turn(BUILT.parent / "build.lock", "build"):
        wanted = fingerprint(ROOT)
        if stamp.is_file() and stamp.read_text("utf-8") == wanted and (BUILT / "template.yaml").is_file():
            say("build: nothing changed")
            return
        stamp.unlink(missing_ok=True)
        with announced("build"):
            command: list[str | Path] = [
                "build",
                "--parallel",
                "--template-file",
                ROOT / "template.yaml",
                "--build-dir",
                BUILT,
            ]
            run_sam("build", command, {**os.environ, "LAYER_PYTHON": sys.executable})
        stamp.write_text(wanted, "utf-8")


def read_outputs(cloud: Cloud) -> dict[str, str]:
    """The outputs of the deployed stack by name."""
    stack = cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def read_reason(cloud: Cloud) -> str:
    """CloudFormation's reason for the first resource that failed."""
    try:
        events = cloud.cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    except ClientError:
        return "no stack was begun"
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
    if not failed:
        return "no resource failed"
    first = min(failed, key=lambda event: event["Timestamp"])
    return f"{first.get('LogicalResourceId')}: {first.get('ResourceStatusReason')}"


def fingerprint(root: Path) -> str:
    """A hash of everything that is built, and of the Python that it is built for."""
    digest = hashlib.sha256(f"{sys.executable} {sys.version}".encode())
    for path in sorted(source_files(root)):
        digest.update(f"{path.relative_to(root)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def source_files(root: Path) -> Iterator[Path]:
    """The files that a build reads, without those of the local run itself."""
    for name in SOURCES:
        source = root / name
        for path in [source] if source.is_file() else source.rglob("*"):
            parts = path.relative_to(root).parts
            if path.is_file() and "__pycache__" not in parts and parts[:2] != ("infra", "local"):
                yield path


def run_sam(title: str, argv: Sequence[str | Path], environment: Mapping[str, str]) -> None:
    """Run sam to its end; raise DeploymentFailedError with its last words if it fails.

    It runs in a session of its own and is ended with all it started when we are interrupted.
    """
    if not SAM.exists():
        raise DeploymentFailedError("found no .venv-sam, expected it to be set up; run `make setup`")
    kept = {
        name: value for name, value in environment.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    }
    path = f"{SAM.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    process = subprocess.Popen(
        [SAM, *argv],
        cwd=ROOT,
        env=kept | {"PATH": path, "SAM_CLI_TELEMETRY": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    printed: list[str] = []
    signs = Signs(title)
    try:
        for line in process.stdout or ():
            printed.append(line.strip())
            signs.show(line.strip() or "at work")
        status = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if status:
        raise DeploymentFailedError(f"sam {title} failed: {why_failed(printed)}")


def why_failed(printed: Sequence[str]) -> str:
    """The output of sam from its error on, without signs of life; the last lines where it names no error.

    >>> why_failed(["Building", "Error: Make Failed: set-up:   packages: 3 s so far", "layer: no network"])
    'Error: Make Failed: | layer: no network'
    """
    said = [_SIGN.sub("", line).strip() for line in printed if line]
    begin = next((place for place, line in enumerate(said) if line.startswith("Error")), -5)
    return " | ".join(filter(None, said[begin:]))[:2000]
