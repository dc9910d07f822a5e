"""Commands about the policies of shops: a document is checked, put on a shop's log, and shown as it judges."""

import argparse
import json
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from cli.atomic_write import write_json
from infra.operations.argument_types import shop_argument
from infra.operations.deployment import Clients, find_names
from infra.operations.errors import ArgumentsError, StillInTroubleError
from infra.operations.policy_files import calendar_lines, policy_line, read_policy_file
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
from infra.operations.shop_policies import ShopPolicies, read_policies
from service_quality.adapters.state_table import StateReader
from service_quality.commit.shop_item import ShopItem
from service_quality.events.control_records import SettingsChanged
from service_quality.instants import day_at
from service_quality.policies.policy import Policy

_SET = """put a policy on a shop's log, from where on it judges what begins"""
_SHOW = """show a shop's policies, and the one in force as a whole"""
_CHECK = """say whether a file is a policy, with every mistake in it; nothing is called"""
_SET_NOTE = """The file is checked first: a policy with mistakes is put nowhere, and each mistake is printed. Then the
record is signed and put on the event stream, and the command waits until the shop's log has come to it. Run again, it
says that the policy is there already. `follows` in the file must be the shop's present revision."""


def add_policy_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to those of the command line."""
    policy = commands.add_parser("policy", help="check, set and show the policies of shops")
    policy.description = "What a shop declares of time, targets and scales (docs/policies.md)."
    within = policy.add_subparsers(dest="policy_command", required=True, metavar="COMMAND")
    put = add_command(within, "set", _SET, _set)
    put.description = f"{sentence(_SET)} {_SET_NOTE}"
    show = add_command(within, "show", _SHOW, _show)
    check = add_command(within, "check", _CHECK, _check)
    for command in (put, show):
        command.add_argument("--stack", help="stack whose outputs name everything")
        command.add_argument("--shop", required=True, type=shop_argument, help="id of the shop")
        command.add_argument("--state-table", help="name of the table of states (default: from --stack)")
    for command in (put, check):
        add_file_argument(command, "FILE.json", "the policy")
    add_set_arguments(put)
    show.add_argument("--json", type=Path, metavar="FILE", help="write what came out as JSON, too")


def _check(options: argparse.Namespace) -> int:
    found = read_policy_file(options.file)
    if found.policy is None:
        return refuse("policy", options.file, found.mistakes)
    print(f"{options.file}: valid: {policy_line(found.policy)}")
    print_lines(calendar_lines(found.policy, _today()))
    warn("policy", _matched_by_nothing(found.policy))
    return 0


def _set(options: argparse.Namespace) -> int:
    found = read_policy_file(options.file)
    if found.policy is None:
        return refuse("policy", options.file, found.mistakes)
    names, clients = find_names(vars(options), needed=NEEDED_TO_SET), Clients()
    state = StateReader(clients.dynamodb, names.state_table)
    before = state.read_shop(options.shop)
    held = read_policies(state, options.shop, before or ShopItem())
    if _is_there(held, found.policy):
        print(f"{options.shop}: {policy_line(found.policy)}: is the present policy already")
        return 0
    warn("policy", [] if before else ["no event of this shop was seen yet: the policy will be its first record"])
    warn("policy", (*_follows_another(held, found.policy), *_matched_by_nothing(found.policy)))
    record = SettingsChanged(shop_id=options.shop, document=found.document)
    after = put_settings(record, names, clients, state, patience=options.patience)
    _require_taken(after, read_policies(state, options.shop, after), found.policy)
    print(f"{options.shop}: {policy_line(found.policy)}: judges what begins behind it on the log")
    print_lines(calendar_lines(found.policy, _today()))
    return 0


def _show(options: argparse.Namespace) -> int:
    names, clients = find_names(vars(options), needed=("state_table",)), Clients()
    state = StateReader(clients.dynamodb, names.state_table)
    shop = read_known_shop(state, options.shop)
    held, now = read_policies(state, options.shop, shop), read_clock()
    shown = held.document(now)
    if options.json:
        write_json(options.json, shown)
    print(f"{options.shop}: present revision {held.present or 'none'}, in force {shown['in_force']}")
    print_lines(policy_line(one) for one in held.policies)
    if shown["policy"] is not None:
        print(json.dumps(shown["policy"], ensure_ascii=False, indent=2))
    print_lines(calendar_lines(held.in_force(now), _today()))
    return 0


def _is_there(held: ShopPolicies, policy: Policy) -> bool:
    """Whether the policy is the shop's present one; ArgumentsError for another policy under a name that it has."""
    if policy.revision not in {one.revision for one in held.policies}:
        return False
    if held.policies[-1] == policy:
        return True
    raise ArgumentsError(
        f"found another policy under the name {policy.revision} among the shop's {len(held.policies)} revisions, "
        "expected a new name: a revision never changes"
    )


def _follows_another(held: ShopPolicies, policy: Policy) -> Iterable[str]:
    if policy.follows != held.present:
        yield (
            f"found a policy that follows {policy.follows or 'no revision'}, expected one that follows "
            f"{held.present or 'no revision'}, the shop's present one: the log takes it only if that changes first"
        )


def _matched_by_nothing(policy: Policy) -> Iterable[str]:
    if policy.targets and all(target.when for target in policy.targets):
        yield (
            "found conditions on every target, expected a last one without `when`: contacts that match no other are "
            "judged by `on_time_within`, in reminders too"
        )


def _require_taken(shop: ShopItem, held: ShopPolicies, policy: Policy) -> None:
    """StillInTroubleError where the log is past the record and the shop does not have its policy."""
    if policy in held.policies:
        return
    if shop.parked is not None:
        raise StillInTroubleError("found the shop parked, expected it at work: put-back brings the policy, too")
    raise StillInTroubleError(
        f"found no such revision {policy.revision} behind its record, expected it: the log rejected it, and "
        "list --shop says why"
    )


def _today() -> date:
    return day_at(read_clock())


def read_clock() -> int:
    """Epoch milliseconds of the wall clock."""
    return time.time_ns() // 1_000_000
