"""One turn of the loop: fold the archive, train on what was served and since rated, judge, promote or refuse."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from infra.local.errors import LocalRunError, StepFailedError
from infra.local.line_steps import archive_of, one_after_another
from infra.local.module_runs import SparkProcess, last_words, run_module, try_module

PROMOTED, REFUSED = "promoted", "refused"
#: The exit code of `model_export` for a model that it refuses, and of `learn` for a refused candidate.
REFUSED_CODE = 5
JUDGE_DAYS, WARM_UP_DAYS = 2, 4


@dataclass(frozen=True)
class Outcome:
    """The verdict on a candidate, why, and the figures of both models; none where the export refused it."""

    verdict: str
    why: str
    version: str = ""
    judgement: Mapping[str, Any] | None = None

    def fields(self) -> dict[str, Any]:
        """The form that is stored."""
        return {"verdict": self.verdict, "why": self.why, "version": self.version, "judgement": self.judgement}


@dataclass(frozen=True)
class Turn:
    """Where one turn reads and writes, and how it judges: on the last `judge_days` days that were served.

    With `with_past` it trains on the lake's imported events as well, from before each shop's log begins; the files
    `policies` judge them. The first `warm_up_days` of a shop without a past train nothing. The last day is that of the
    arrival `received_until`, or of the archive's latest.
    """

    folder: Path
    lake: Path
    outputs: Mapping[str, str]
    environment: Mapping[str, str]
    judge_days: int = JUDGE_DAYS
    with_past: bool = False
    warm_up_days: int = WARM_UP_DAYS
    policies: Mapping[str, Path] = field(default_factory=dict)
    received_until: str | None = None

    def fold(self, spark: SparkProcess) -> None:
        """Bring the archive into the lake's log."""
        spark.run("fold", self._job("fold_archive", archive_of(self.outputs)))

    def learn(self, spark: SparkProcess) -> Outcome:
        """Train on the folded log, export, judge, promote or refuse; the outcome is stored, too."""
        outcome = self._decide(spark)
        self._file("outcome").write_text(json.dumps(outcome.fields(), indent=2, ensure_ascii=False) + "\n", "utf-8")
        return outcome

    def _decide(self, spark: SparkProcess) -> Outcome:
        self._train(spark)
        model, bucket = self.folder / "model", ("--bucket", self.outputs["ModelsBucketName"])
        table = ("--table", self.outputs["ModelsTableName"])
        argv: list[str | Path] = [
            "export",
            "--artefact",
            self.folder / "artefact",
            "--output",
            model,
            "--json",
            self._file("export"),
        ]
        refusal = self._refusal("export", argv)
        if refusal:
            return Outcome(REFUSED, refusal)
        run_module("publish", ["model_export", "publish", "--model", model, *bucket], self.environment)
        version = str(self._read("export")["version"])
        spark.run("judge", self._job("judge_candidate", "--candidate", version, *bucket, *table))
        judgement = ("--judgement", self._file("judge_candidate"), "--json", self._file("promote"))
        refusal = self._refusal(
            "promote", ["promote", "--version", version, *judgement, *bucket, *table, "--who", "learn"]
        )
        found = self._read("judge_candidate")
        if refusal:
            return Outcome(REFUSED, refusal, version, found)
        return Outcome(PROMOTED, str(self._read("promote")["why"]), version, found)

    def _train(self, spark: SparkProcess) -> None:
        received_until = self.received_until or self._read("fold_archive")["received_until"]
        if received_until is None:
            raise LocalRunError("found an archive without events, expected events that were served and rated")
        sources = ("events", "log") if self.with_past else ("log",)
        as_of = judged_from(received_until, self.judge_days)
        chosen = ("--as-of", as_of, "--warm-up-days", str(self.warm_up_days), "--source", *sources)
        training_set = self._job("build_training_set", *chosen, *policy_arguments(self.policies))
        training = self._job("train_model", "--output", self.folder / "artefact")
        spark.run("training set, training", one_after_another([training_set, training]))

    def _refusal(self, title: str, argv: Sequence[str | Path]) -> str:
        """Why a command of model_export refuses the model; empty where it does not. StepFailedError for a failure."""
        status, said = try_module(title, ["model_export", *argv], self.environment)
        if status in (0, REFUSED_CODE):
            return last_words(said) if status else ""
        raise StepFailedError(f"{title} failed with exit code {status}: {last_words(said)}")

    def _job(self, name: str, *argv: str | Path) -> list[str | Path]:
        return [name, *argv, "--lake", self.lake, "--json", self._file(name)]

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _read(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._file(name).read_text("utf-8"))
        return found


def policy_arguments(policies: Mapping[str, str | Path]) -> list[str | Path]:
    """The argv that names each shop's policy to a job, by its file or its revision.

    >>> policy_arguments({"a": "first", "b": "second"})
    ['--policy', 'a', 'first', '--policy', 'b', 'second']
    """
    return [word for shop_id, policy in policies.items() for word in ("--policy", shop_id, policy)]


def judged_from(received_until: str, days: int) -> str:
    """The day from which on is judged: the last of `days` days is that of the latest arrival.

    >>> judged_from("2026-02-03T17:20:00.000Z", 2)
    '2026-02-02'
    """
    return (datetime.fromisoformat(received_until).date() - timedelta(days=days - 1)).isoformat()
