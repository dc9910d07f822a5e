"""The rules of a shop's own: those in force, and those withdrawn whose alerts may still be open."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from service_quality.alerts.conditions import AnyOf
from service_quality.alerts.rules import Rule
from service_quality.alerts.stored_rules import read_rules, store_rules
from service_quality.commit.stored_json import pack, unpack
from service_quality.features.declarations import FeatureSet
from service_quality.message import Message

#: Of withdrawn rules the latest are held: an alert that no event of its subject ends is deleted with its item.
MOST_WITHDRAWN = 30
_NOTHING = AnyOf(())


class OwnRules(NamedTuple):
    """A revision: its document as it was brought, its rules, and those of earlier revisions that it no longer has.

    A rule is the same one under the same name with the same kind of subject.
    """

    revision: str
    document: str
    rules: tuple[Rule, ...]
    withdrawn: tuple[Rule, ...] = ()

    def after(self, before: "OwnRules | None") -> "OwnRules":
        """This revision behind another one."""
        if before is None:
            return self
        kept = {_identity(rule) for rule in self.rules}
        gone = {_identity(rule): rule for rule in (*before.withdrawn, *before.rules) if _identity(rule) not in kept}
        return self._replace(withdrawn=tuple(map(_withdrawn, gone.values()))[-MOST_WITHDRAWN:])

    def has(self, name: str, subject: str) -> bool:
        """Whether a rule of this name is in force about this kind of subject."""
        return any(_identity(rule) == (name, subject) for rule in self.rules)

    def declared(self, name: str, subject: str, shipped: Sequence[Rule]) -> Rule | None:
        """The withdrawn rule of a name: the shop's own, else the release's."""
        return next((one for one in (*self.withdrawn, *shipped) if _identity(one) == (name, subject)), None)


def encode_rules(own: OwnRules) -> bytes:
    """The stored form of a shop's own rules."""
    return pack([own.revision, own.document, store_rules(own.rules), store_rules(own.withdrawn)])


def decode_rules(data: bytes, features: FeatureSet) -> OwnRules:
    """The rules that `encode_rules` wrote."""
    revision, document, rules, withdrawn = unpack(data)
    return OwnRules(revision, document, read_rules(rules, features), read_rules(withdrawn, features))


def _withdrawn(rule: Rule) -> Rule:
    """What the last message of an alert needs of its rule: an item holds many of them."""
    return replace(
        rule, kinds=frozenset(), tiers=(), resolved_when=_NOTHING, owner="", known_false_alarms=Message("", "")
    )


def _identity(rule: Rule) -> tuple[str, str]:
    return rule.name, rule.subject
