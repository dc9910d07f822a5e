"""Commands about the rules of shops: a file is checked, put on a shop's log, and shown as it is in force."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cli.atomic_write import write_json
from infra.operations.argument_types import shop_argument
from infra.operations.deployment import Clients, find_names
from infra.operations.errors import ArgumentsError, StillInTroubleError
from infra.operations.rule_files import RuleFile, read_rule_file, rule_line, rules_line
from infra.operations.settings_commands import (
    NEEDED_TO_SET,
    add_command,
    add_file_argument,
    add_set_arguments,
    print_lines,
    put_settings,
    read_known_shop,
    refuse,
    sentence,
    warn,
)
from infra.operations.shop_rules import ShopRules, read_shop_rules
from service_quality.adapters.state_table import StateReader
from service_quality.commit.shop_item import ShopItem
from service_quality.events.control_records import RULES, SettingsChanged

_SET = """put rules on a shop's log, from where on they alone are asked"""
_SHOW = """show which rules are in force in a shop, and since which position of its log"""
_CHECK = """say whether a file holds rules, with every mistake in it; nothing is called"""
_SET_NOTE = """The file is checked first: rules with mistakes are put nowhere, and each mistake is printed. Then the
record is signed and put on the event stream, and the command waits until the shop's log has come to it. Run again, it
says that the rules are in force already. `follows` in the file must be the shop's present revision."""


def add_rule_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to those of the command line."""
    rules = commands.add_parser("rules", help="check, set and show the rules of shops")
    rules.description = "When alerts are raised and when they end (docs/rules.md)."
    within = rules.add_subparsers(dest="rules_command", required=True, metavar="COMMAND")
    check = add_command(within, "check", _CHECK, _check)
    put = add_command(within, "set", _SET, _set)
    put.description = f"{sentence(_SET)} {_SET_NOTE}"
    show = add_command(within, "show", _SHOW, _show)
    for command in (put, show):
        command.add_argument("--stack", help="stack whose outputs name everything")
        command.add_argument("--shop", required=True, type=shop_argument, help="id of the shop")
        command.add_argument("--state-table", help="name of the table of states (default: from --stack)")
    for command in (check, put):
        add_file_argument(command, "FILE", "the rules, YAML or JSON")
    add_set_arguments(put)
    for command in (check, show):
        command.add_argument("--json", type=Path, metavar="FILE", help="write what came out as JSON, too")


def _check(options: argparse.Namespace) -> int:
    given = read_rule_file(options.file)
    if options.json:
        mistakes = [one._asdict() for one in given.mistakes]
        write_json(options.json, {"file": str(options.file), "valid": not mistakes, "mistakes": mistakes})
    if given.mistakes:
        return refuse("rules", options.file, given.mistakes)
    print(f"{options.file}: valid: {rules_line(given.found)}")
    print_lines(map(rule_line, given.found.rules))
    return 0


def _set(options: argparse.Namespace) -> int:
    given = read_rule_file(options.file)
    if given.mistakes:
        return refuse("rules", options.file, given.mistakes)
    names, clients = find_names(vars(options), needed=NEEDED_TO_SET), Clients()
    state = StateReader(clients.dynamodb, names.state_table)
    before = state.read_shop(options.shop)
    held = read_shop_rules(state, options.shop, before or ShopItem())
    if _is_there(held, given):
        print(f"{options.shop}: {rules_line(given.found)}: in force already")
        return 0
    warn("rules", [] if before else ["no event of this shop was seen yet: the rules will be its first record"])
    warn("rules", _follows_another(held, given))
    record = SettingsChanged(shop_id=options.shop, document=given.document, section=RULES)
    after = put_settings(record, names, clients, state, patience=options.patience)
    _require_taken(after, read_shop_rules(state, options.shop, after), given)
    print(f"{options.shop}: {rules_line(given.found)}: in force for every event behind it on the log")
    print_lines(map(rule_line, given.found.rules))
    return 0


def _show(options: argparse.Namespace) -> int:
    names, clients = find_names(vars(options), needed=("state_table",)), Clients()
    state = StateReader(clients.dynamodb, names.state_table)
    shop = read_known_shop(state, options.shop)
    held = read_shop_rules(state, options.shop, shop)
    if options.json:
        write_json(options.json, held.document())
    if held.own is None:
        print(f"{options.shop}: the shipped rules are in force")
    else:
        print(f"{options.shop}: revision {held.own.revision} is in force since position {held.position}")
    print_lines(map(rule_line, held.rules))
    if held.own is not None and held.own.withdrawn:
        print(f"withdrawn before: {', '.join(rule.name for rule in held.own.withdrawn)}")
    return 0


def _is_there(held: ShopRules, given: RuleFile) -> bool:
    """Whether the rules are in force already; ArgumentsError for others under the name of the present revision."""
    if held.own is None or held.own.revision != given.found.revision:
        return False
    if held.own.document == given.document.decode():
        return True
    raise ArgumentsError(
        f"found other rules under the name {given.found.revision}, the present revision, expected a new name: "
        "a revision never changes"
    )


def _follows_another(held: ShopRules, given: RuleFile) -> Iterable[str]:
    if given.found.follows != held.present:
        yield (
            f"found rules that follow {given.found.follows or 'no revision'}, expected some that follow "
            f"{held.present or 'no revision'}, the shop's present one: the log takes them only if that changes first"
        )


def _require_taken(shop: ShopItem, held: ShopRules, given: RuleFile) -> None:
    """StillInTroubleError where the log is past the record and the shop does not have its rules."""
    if held.own is not None and held.own.document == given.document.decode():
        return
    if shop.parked is not None:
        raise StillInTroubleError("found the shop parked, expected it at work: put-back brings the rules, too")
    raise StillInTroubleError(
        f"found no revision {given.found.revision} in force behind its record, expected it: the log rejected it, or "
        "another one came at once; list --shop says why"
    )
