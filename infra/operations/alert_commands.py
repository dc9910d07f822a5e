"""Commands about alerts: settings of a shop, alerts as they were sent, and a preview of the mail."""

import argparse
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.arguments import positive
from cli.atomic_write import write_json
from infra.operations.alert_files import read_alert_file
from infra.operations.argument_types import instant_argument, setting_argument, shop_argument
from infra.operations.deployment import Clients, Names, find_names
from infra.operations.errors import NotThereError
from infra.operations.open_alerts import FoundAlert, last_message, read_alert_of, read_alerts
from infra.operations.seen_shops import has_state
from infra.operations.shop_settings import read_settings, write_settings
from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import alert_fields
from service_quality.alerts.alert_state import SILENT
from service_quality.alerts.shop_settings import SETTINGS, ShopSettings, shop_settings
from service_quality.alerts.wording import render_email
from service_quality.message import LANGUAGES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OPTIONS = {
    "--language": "language",
    "--ids": "ids",
    "--display-name": "display_name",
    "--time-zone": "time_zone",
    "--currency": "currency",
}
_UNSEEN = "no event of this shop was seen yet (count --shop lists what was rejected)"
#: Settings that a shop's policy precedes where it says another value.
_PRECEDED = ("time_zone", "currency")
_ALERTS = "list alerts as they are now, the gravest and then the newest first, with the ids that were sent"

Mails = dict[str, dict[str, str]]


def add_alert_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to those of the command line."""
    settings = _command(commands, "settings", "show or change what a shop's alerts look like", _settings)
    settings.add_argument("--shop", required=True, type=shop_argument, help="id of the shop")
    for option, name in _OPTIONS.items():
        says = f"{SETTINGS[name]}; '' for the default"
        settings.add_argument(option, type=setting_argument(name), metavar="VALUE", help=says)
    alerts = _command(commands, "alerts", _ALERTS, _alerts)
    alerts.add_argument("--shop", type=shop_argument, help="one shop (default: all)")
    alerts.add_argument("--kind", help="alerts of this kind alone: the name of a rule, such as answer_due")
    alerts.add_argument("--since", type=instant_argument, metavar="TIME", help="opened at or after this day or instant")
    alerts.add_argument(
        "--alert",
        metavar="ID",
        help="the alert of this alert id or message id, as it was received; with --shop also one that is over",
    )
    alerts.add_argument(
        "--resolved", action="store_true", help="also alerts that are over; this reads the whole table of alerts"
    )
    mail = _command(commands, "mail", "show the mails of open alerts, in both languages; nothing is sent", _mail)
    source = mail.add_mutually_exclusive_group()
    source.add_argument("--shop", type=shop_argument, help="one shop (default: all)")
    source.add_argument("--file", type=Path, metavar="FILE.jsonl", help="alerts of a file, not the open ones")
    mail.add_argument("--most", type=positive, default=3, metavar="N", help="at most so many alerts (%(default)s)")
    for command in (alerts, mail):
        command.add_argument(
            "--id-salt-secret", help="ARN of the secret with the salt of the ids (default: from --stack)"
        )
    for command in (settings, alerts):
        command.add_argument("--state-table", help="name of the table of states (default: from --stack)")


def _command(
    commands: "argparse._SubParsersAction[Any]", name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("--stack", help="stack whose outputs name everything")
    command.add_argument("--alerts-table", help="name of the table of alerts (default: from --stack)")
    command.add_argument("--json", type=Path, metavar="FILE", help="write what came out as JSON, too")
    command.set_defaults(run=run)
    return command


def _settings(options: argparse.Namespace) -> int:
    names, dynamodb = find_names(vars(options), needed=("alerts_table",)), Clients().dynamodb
    is_unseen = _is_unseen(dynamodb, names, options.shop)
    given = {name: getattr(options, name) for name in SETTINGS if getattr(options, name) is not None}
    if given:
        write_settings(dynamodb, names.alerts_table, options.shop, given)
    stored = read_settings(dynamodb, names.alerts_table, options.shop)
    _write(options, stored)
    for name in SETTINGS:
        default = getattr(ShopSettings(), name) or "none"
        unless = ["where the shop's policy says no other one"] if name in _PRECEDED else []
        notes = ", ".join([*([] if stored.get(name) else ["default"]), *unless])
        print(f"{name:13s} {stored.get(name) or default}{f' ({notes})' if notes else ''}")
    if given:
        print("alerts follow within a minute")
    if is_unseen:
        print(_UNSEEN)
    return 0


def _is_unseen(dynamodb: "DynamoDBClient", names: Names, shop_id: str | None) -> bool:
    """Whether a shop was named of which nothing was folded; False where the table of states is not known."""
    return bool(shop_id and names.state_table) and not has_state(dynamodb, names.state_table, shop_id or "")


def _alerts(options: argparse.Namespace) -> int:
    names, dynamodb = find_names(vars(options), needed=("alerts_table", "id_salt_secret")), Clients().dynamodb
    found = _named(options, dynamodb, names) if options.alert else _listed(options, dynamodb, names)
    shown = [_as_sent(one, settings, salt) for one, settings, salt in _with_settings(found, dynamodb, names)]
    _write(options, shown)
    for one in shown:
        print(_line(one))
    print(f"{sum(one['is_open'] for one in shown)} open")
    if not shown and _is_unseen(dynamodb, names, options.shop):
        print(_UNSEEN)
    return 0


def _listed(options: argparse.Namespace, dynamodb: "DynamoDBClient", names: Names) -> list[FoundAlert]:
    listed = read_alerts(dynamodb, names.alerts_table, options.shop, with_resolved=options.resolved)
    return [one for one in listed if _is_wanted(one.plain, options.kind, options.since)]


def _is_wanted(alert: Alert, kind: str | None, since: int | None) -> bool:
    return kind in (None, alert.kind) and (since is None or (alert.opened_at or 0) >= since)


def _named(options: argparse.Namespace, dynamodb: "DynamoDBClient", names: Names) -> list[FoundAlert]:
    """The alert of an id that was received; NotThereError without one."""
    alert_id = options.alert.partition("-")[0]
    if options.shop:
        found = read_alert_of(dynamodb, names.alerts_table, options.shop, alert_id)
        if found:
            return found
        raise NotThereError(f"found no alert of this id in shop {options.shop}, expected one")
    listed = _listed(options, dynamodb, names)
    found = [one for one in listed if one.plain.alert_id == alert_id]
    if found:
        return found
    hint = "" if options.resolved else "; --shop or --resolved looks at those that are over, too"
    raise NotThereError(f"found no alert of this id among {len(listed)}, expected one{hint}")


def _with_settings(
    found: list[FoundAlert], dynamodb: "DynamoDBClient", names: Names
) -> list[tuple[FoundAlert, ShopSettings, bytes]]:
    """Alerts with what makes their messages: their shop's settings, and the salt, which is read for any alert."""

    @cache
    def settings_of(shop_id: str) -> ShopSettings:
        return shop_settings(read_settings(dynamodb, names.alerts_table, shop_id))

    salt = Clients().read_secret(names.id_salt_secret) if found else b""
    return [(one, settings_of(one.row.shop_id), salt) for one in found]


def _as_sent(found: FoundAlert, settings: ShopSettings, salt: bytes) -> dict[str, Any]:
    """The alert's fields as its messages carry them, and beside them the ids behind its hashes."""
    ids = {"subject_id": found.plain.subject.id, "event_id": found.plain.event_id}
    return alert_fields(found.shown(settings, salt)) | {"plain_ids": ids, "is_open": found.is_open}


def _line(one: dict[str, Any]) -> str:
    """One alert: what it is about, and the ids by which its receivers know it."""
    score = "" if one["score"] is None else f"  risk {one['score']:.0%}"
    repeats = f"  seen {one['repeats']} times since the last message" if one["repeats"] else ""
    about = f"{one['subject']['kind']} {one['plain_ids']['subject_id']}"
    what = f"{one['severity']:9s} {one['kind']:22s} {one['state']:9s} since {one['opened_at']}  {one['shop_id']}"
    return f"{what}  {about}{score}{repeats}  sent as alert {one['alert_id']} about {one['subject']['id']}"


def _mail(options: argparse.Namespace) -> int:
    count, shown = _mails_of_file(options) if options.file else _open_mails(options)
    _write(options, shown)
    for mails in shown:
        for language, mail in mails.items():
            print(f"──── {language} ────\nSubject: {mail['subject']}\n\n{mail['text']}")
    print(f"{len(shown)} of {count} alerts shown")
    return 0


def _mails_of_file(options: argparse.Namespace) -> tuple[int, list[Mails]]:
    alerts = read_alert_file(options.file)
    return len(alerts), [_in_languages(ShopSettings(), partial(render_email, one)) for one in alerts[: options.most]]


def _open_mails(options: argparse.Namespace) -> tuple[int, list[Mails]]:
    """Mails of alerts of which a message was sent: a silent one has none."""
    names, dynamodb = find_names(vars(options), needed=("alerts_table", "id_salt_secret")), Clients().dynamodb
    found = [one for one in read_alerts(dynamodb, names.alerts_table, options.shop) if one.plain.state != SILENT]

    def mail_of(one: FoundAlert, salt: bytes, settings: ShopSettings) -> tuple[str, str]:
        sent = last_message(dynamodb, names.alerts_table, one, settings, salt=salt)
        return sent.subject, sent.text

    return len(found), [
        _in_languages(settings, partial(mail_of, one, salt))
        for one, settings, salt in _with_settings(found[: options.most], dynamodb, names)
    ]


def _in_languages(settings: ShopSettings, mail_of: Callable[[ShopSettings], tuple[str, str]]) -> Mails:
    mails = {language: mail_of(settings.in_language(language)) for language in LANGUAGES}
    return {language: {"subject": subject, "text": text} for language, (subject, text) in mails.items()}


def _write(options: argparse.Namespace, document: object) -> None:
    if options.json:
        write_json(options.json, document)
