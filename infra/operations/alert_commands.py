"""Commands about alerts: settings of a shop, open alerts, a preview of the mail, and who is subscribed."""

import argparse
from collections.abc import Callable
from pathlib import Path

from cli.atomic_write import write_json
from infra.operations.deployment import Clients, Names, describe_stack, find_names
from infra.operations.open_alerts import read_alert_file, read_open_alerts
from infra.operations.shop_settings import read_settings, setting, write_settings
from infra.operations.stack_names import export_line, variables_of
from infra.operations.subscribers import read_subscribers
from service_quality.alerts.alert_messages import AlertBody
from service_quality.alerts.shop_settings import SETTINGS, ShopSettings, shop_settings
from service_quality.alerts.wording import render_email
from service_quality.alerts.wording_messages import LANGUAGES

_OPTIONS = {
    "--language": "language",
    "--ids": "ids",
    "--display-name": "display_name",
    "--time-zone": "time_zone",
    "--currency": "currency",
}


def add_alert_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to those of the command line."""
    settings = _command(commands, "settings", "show or change what a shop's alerts look like", _settings)
    settings.add_argument("--shop", required=True, help="id of the shop")
    for option, name in _OPTIONS.items():
        says = f"{SETTINGS[name]}; '' for the default"
        settings.add_argument(option, type=_setting(name), metavar="VALUE", help=says)
    alerts = _command(commands, "alerts", "list the open alerts, the gravest first", _alerts)
    alerts.add_argument("--shop", help="one shop (default: all)")
    mail = _command(commands, "mail", "show the mails of open alerts, in both languages; nothing is sent", _mail)
    mail.add_argument("--shop", help="one shop (default: all)")
    mail.add_argument("--file", type=Path, metavar="FILE.jsonl", help="alerts of a file, not the open ones")
    mail.add_argument("--most", type=int, default=3, metavar="N", help="at most so many alerts (%(default)s)")
    _command(commands, "subscribers", "list who is subscribed to alerts, and who can get none and why", _subscribers)
    names = commands.add_parser("names", help="print the stack's resources as variables for the shell")
    names.description = (
        'For a shell: eval "$(python -m infra.operations names --stack STACK)" sets MODELS_BUCKET and so on.'
    )
    names.add_argument("--stack", required=True, help="stack whose outputs name everything")
    names.set_defaults(run=_print_names)


def _print_names(options: argparse.Namespace) -> int:
    outputs, _ = describe_stack(options.stack)
    print(export_line({"STACK": options.stack} | variables_of(outputs)))
    return 0


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("--stack", help="stack whose outputs name everything")
    command.add_argument("--alerts-table", help="name of the table of alerts (default: from --stack)")
    command.add_argument("--alert-topic", help="ARN of the topic of alerts (default: from --stack)")
    command.add_argument("--json", type=Path, metavar="FILE", help="write what came out as JSON, too")
    command.set_defaults(run=run)
    return command


def _setting(name: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        try:
            return setting(name, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def _names(options: argparse.Namespace, needed: str) -> Names:
    return find_names(vars(options), needed=(needed,))


def _settings(options: argparse.Namespace) -> int:
    table, dynamodb = _names(options, "alerts_table").alerts_table, Clients().dynamodb
    given = {name: getattr(options, name) for name in SETTINGS if getattr(options, name) is not None}
    if given:
        write_settings(dynamodb, table, options.shop, given)
    stored = read_settings(dynamodb, table, options.shop)
    _write(options, stored)
    for name in SETTINGS:
        default = getattr(ShopSettings(), name) or "none"
        print(f"{name:13s} {stored.get(name) or f'{default} (default)'}")
    if given:
        print("alerts follow within a minute")
    return 0


def _alerts(options: argparse.Namespace) -> int:
    found = read_open_alerts(Clients().dynamodb, _names(options, "alerts_table").alerts_table, options.shop)
    _write(options, found)
    for one in found:
        score = "" if one["score"] is None else f"  risk {one['score']:.0%}"
        about = f"{one['subject']['kind']} {one['subject']['id']}"
        print(f"{one['severity']:9s} {one['kind']:22s} since {one['opened_at']}  {one['shop_id']}  {about}{score}")
    print(f"{len(found)} open")
    return 0


def _mail(options: argparse.Namespace) -> int:
    if options.file:
        found = [(alert, ShopSettings()) for alert in read_alert_file(options.file)]
    else:
        table, dynamodb = _names(options, "alerts_table").alerts_table, Clients().dynamodb
        found = [
            (alert, shop_settings(read_settings(dynamodb, table, alert["shop_id"])))
            for alert in read_open_alerts(dynamodb, table, options.shop)
        ]
    shown = [_both(alert, settings) for alert, settings in found[: options.most]]
    _write(options, shown)
    for mails in shown:
        for language, mail in mails.items():
            print(f"──── {language} ────\nSubject: {mail['subject']}\n\n{mail['text']}")
    print(f"{len(shown)} of {len(found)} alerts shown")
    return 0


def _both(alert: AlertBody, settings: ShopSettings) -> dict[str, dict[str, str]]:
    mails = {language: render_email(alert, settings.in_language(language)) for language in LANGUAGES}
    return {language: {"subject": subject, "text": text} for language, (subject, text) in mails.items()}


def _subscribers(options: argparse.Namespace) -> int:
    clients = Clients()
    found = read_subscribers(clients.sns, clients.sqs, _names(options, "alert_topic").alert_topic)
    _write(options, [one._asdict() for one in found])
    for one in found:
        chosen = f"  only {one.filter_policy}" if one.filter_policy else ""
        print(f"{one.protocol:6s} {one.endpoint}  {one.state}{chosen}")
    print(f"{len(found)} subscribed")
    return 0


def _write(options: argparse.Namespace, document: object) -> None:
    if options.json:
        write_json(options.json, document)
