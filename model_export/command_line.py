"""The command line: python -m model_export COMMAND."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from cli.atomic_write import write_json
from cli.endings import one_line
from cli.version import add_version
from model_export.aws import dynamodb_client, s3_client
from model_export.errors import ModelExportError
from model_export.exported import read_exported
from model_export.judgement import read_judgement
from model_export.parity import Parity
from model_export.promotion import Promotion, history, promote_version, rollback
from model_export.registry import Registry, publish_model
from service_quality.tasks.declared_tasks import DISSATISFACTION, TASKS

EXIT_CODES = """exit codes:
  0  done
  1  anything else, such as AWS that does not answer
  2  wrong arguments
  3  an artefact or export with wrong content
  4  a file, version, bucket or table that does not exist
  5  the model is refused; the message gives the figures
  6  another writer was first: other content, or another promotion

AWS is found as usual (AWS_PROFILE, AWS_REGION, …); AWS_ENDPOINT_URL points it elsewhere."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its summary on stdout, an error as one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        summary, document = options.run(options)
        if options.json:
            write_json(options.json, document)
    except ModelExportError as error:
        print(f"model_export {options.command}: {one_line(error)}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"model_export {options.command}: {one_line(error)}", file=sys.stderr)
        return 1
    print(summary)
    return 0


Outcome = tuple[str, object]


def _export(options: argparse.Namespace) -> Outcome:
    from model_export.export import export_model  # noqa: PLC0415 scikit-learn takes seconds; the registry needs none

    exported = export_model(options.artefact, options.output)
    summary = f"exported {exported.version} to {options.output}: {_found(exported.parity)}"
    paths = {name: str(path) for name, path in exported.paths().items()}
    return summary, {"version": exported.version, "parity": exported.parity.fields(), "paths": paths}


def _verify(options: argparse.Namespace) -> Outcome:
    from model_export.export import verify_export  # noqa: PLC0415

    parity = verify_export(options.artefact, options.model)
    return f"verified {options.model}: {_found(parity)}", {"parity": parity.fields()}


def _found(parity: Parity) -> str:
    return (
        f"{parity.rows:,} rows and {parity.edge_rows} edge rows, "
        f"largest difference {parity.max_abs_diff:.2g}, {parity.flipped} decisions flipped"
    )


def _publish(options: argparse.Namespace) -> Outcome:
    exported = read_exported(options.model)
    written = publish_model(exported, s3_client(), _required(options.bucket, "--bucket", "MODELS_BUCKET"))
    state = "published" if written else "already published"
    return f"{state}: {exported.version}", {"version": exported.version, "written": written}


def _promote(options: argparse.Namespace) -> Outcome:
    judgement = read_judgement(options.judgement) if options.judgement else None
    why = options.why or (f"not worse: {judgement.found}" if judgement else "")
    registry = _registry(options)
    return _promoted(promote_version(options.version, registry, who=options.who, why=why, judgement=judgement))


def _rollback(options: argparse.Namespace) -> Outcome:
    registry = _registry(options)
    return _promoted(rollback(registry, who=options.who, why=options.why, version=options.version or ""))


def _history(options: argparse.Namespace) -> Outcome:
    log = history(_registry(options))
    lines = [f"{entry.revision:>4}  {entry.at}  {entry.version}  {entry.who}: {entry.why}" for entry in log]
    return "\n".join(lines) or "nothing was promoted yet", [_fields(entry) for entry in log]


def _promoted(promotion: Promotion) -> Outcome:
    before = f" after {promotion.previous}" if promotion.previous else ""
    summary = (
        f"champion {promotion.version}{before}, revision {promotion.revision}, by {promotion.who}: {promotion.why}"
    )
    return summary, _fields(promotion)


def _fields(promotion: Promotion) -> Mapping[str, object]:
    return {**asdict(promotion), "metrics": json.loads(promotion.metrics)}


def _registry(options: argparse.Namespace) -> Registry:
    return Registry(
        s3=s3_client(),
        bucket=_required(options.bucket, "--bucket", "MODELS_BUCKET"),
        dynamodb=dynamodb_client(),
        table=_required(options.table, "--table", "MODELS_TABLE"),
        task=TASKS[options.task],
    )


def _required(value: str | None, option: str, variable: str) -> str:
    if not value:
        raise _ArgumentError(f"found neither {option} nor {variable} in the environment, expected one of them")
    return value


class _ArgumentError(ModelExportError):
    exit_code = 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model_export",
        description="Turns a trained model into one that functions can serve, and says which one they serve.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    export = _command(commands, "export", "convert the artefact of a training, verify it on every engine, describe it")
    export.add_argument("--artefact", type=Path, required=True, metavar="DIR", help="folder that train_model wrote")
    export.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the exported model")
    export.set_defaults(run=_export)

    verify = _command(commands, "verify", "run every engine again over an export as it is now")
    verify.add_argument("--artefact", type=Path, required=True, metavar="DIR", help="folder that train_model wrote")
    verify.add_argument("--model", type=Path, required=True, metavar="DIR", help="folder that export wrote")
    verify.set_defaults(run=_verify)

    publish = _command(commands, "publish", "put an exported model into the bucket, where it never changes")
    publish.add_argument("--model", type=Path, required=True, metavar="DIR", help="folder that export wrote")
    _add_bucket(publish)
    publish.set_defaults(run=_publish)

    promote = _command(commands, "promote", "make a published version the champion; functions follow within a minute")
    promote.add_argument("--version", required=True, help="the version, as publish named it")
    judgement_help = "what judge_candidate wrote: refuse a version that it finds worse than the champion"
    promote.add_argument("--judgement", type=Path, metavar="FILE", help=judgement_help)
    _add_registry(promote)
    promote.add_argument("--who", required=True, help="who decides, for the log")
    promote.add_argument("--why", help="the reason, for the log (default with a judgement: its figures)")
    promote.set_defaults(run=_promote)

    back = _command(commands, "rollback", "return to an earlier champion")
    back.add_argument("--version", help="an earlier champion (default: the one behind the present one)")
    _add_decision(back)
    back.set_defaults(run=_rollback)

    log = _command(commands, "history", "list every promotion, newest first")
    _add_registry(log)
    log.set_defaults(run=_history)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.add_argument("--json", type=Path, metavar="FILE", help="write what came out as JSON, too")
    return command


def _add_decision(command: argparse.ArgumentParser) -> None:
    _add_registry(command)
    command.add_argument("--who", required=True, help="who decides, for the log")
    command.add_argument("--why", required=True, help="the reason, for the log")


def _add_registry(command: argparse.ArgumentParser) -> None:
    _add_bucket(command)
    task_help = "the task whose champion it is (%(default)s)"
    command.add_argument("--task", choices=TASKS, default=DISSATISFACTION.name, help=task_help)
    command.add_argument(
        "--table", default=os.environ.get("MODELS_TABLE"), help="table of the registry (default: $MODELS_TABLE)"
    )


def _add_bucket(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--bucket", default=os.environ.get("MODELS_BUCKET"), help="bucket of the models (default: $MODELS_BUCKET)"
    )
