"""The control record of a finding: what a job found out about a subject that no event of its own tells.

It is folded with the subject's own item, at its position on the log; it moves no clock and changes no history.
"""

import re
from collections.abc import Mapping
from math import isfinite

from service_quality.by_fields import ByFields, value_class
from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.fields import read_id, read_instant, require_not_ahead
from service_quality.events.shown_values import shown
from service_quality.instants import format_instant

#: Of each sort in one finding: names of values, and reasons of a score.
MOST_VALUES, MOST_REASONS = 40, 10

Number = float | int | None
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}", re.ASCII)


@value_class(frozen=True, kw_only=True)
class FindingReported(ByFields):
    """What `finding` says about a subject as of an instant of the shop's clock, and until when it holds.

    `subject_kind` is the kind of entity, `subject_id` the rest of its history's key. `values` are by name, those of
    features among them. A finding that a model gave says its `score`, the version of the model, and the reasons:
    feature, value and contribution to the log-odds. Of two findings of one name about one subject the later `as_of`
    counts, and of one instant the first.
    """

    shop_id: str
    finding: str
    subject_kind: str
    subject_id: str
    as_of: int
    valid_until: int
    values: Mapping[str, Number]
    score: float | None = None
    model_version: str | None = None
    reasons: tuple[tuple[str, Number, float], ...] = ()

    kind = kinds.FINDING_REPORTED

    @property
    def occurred_at(self) -> int:
        """The instant that it was found for."""
        return self.as_of

    @property
    def event_id(self) -> str:
        """A name that the finding of a repeated run has, too."""
        return f"{self.finding}/{self.subject_kind}/{self.subject_id}/{format_instant(self.as_of)}"

    def form(self) -> dict[str, object]:
        """Its own fields in the JSON form."""
        form: dict[str, object] = {
            "finding": self.finding,
            "subject_kind": self.subject_kind,
            "subject_id": self.subject_id,
            "as_of": format_instant(self.as_of),
            "valid_until": format_instant(self.valid_until),
            "values": dict(self.values),
        }
        if self.score is not None:
            form |= {"score": self.score, "model_version": self.model_version}
            form["reasons"] = [list(reason) for reason in self.reasons]
        return form


def parse_finding(raw: Mapping[str, object], arrived_at: int) -> FindingReported:
    """The finding in a JSON form; RejectedEventError says what is wrong in it."""
    as_of, valid_until = read_instant(raw, "as_of"), read_instant(raw, "valid_until")
    require_not_ahead("as_of", as_of, arrived_at)
    if valid_until <= as_of:
        raise RejectedEventError(
            "out_of_range", field="valid_until", found="an end at or before as_of", expected="one after it"
        )
    score = _number("score", raw.get("score"))
    if score is not None and not 0 <= score <= 1:
        raise RejectedEventError("out_of_range", field="score", found=shown(score), expected="a number from 0 to 1")
    return FindingReported(
        shop_id=read_id(raw, "shop_id"),
        finding=_name("finding", raw.get("finding")),
        subject_kind=_name("subject_kind", raw.get("subject_kind")),
        subject_id=read_id(raw, "subject_id"),
        as_of=as_of,
        valid_until=valid_until,
        values=_values(raw.get("values")),
        score=None if score is None else float(score),
        model_version=None if score is None else read_id(raw, "model_version"),
        reasons=() if score is None else _reasons(raw.get("reasons")),
    )


def _values(given: object) -> dict[str, Number]:
    if not isinstance(given, dict) or len(given) > MOST_VALUES:
        found = shown(given) if not isinstance(given, dict) else f"{len(given)} values"
        raise RejectedEventError(
            "out_of_range", field="values", found=found, expected=f"an object of at most {MOST_VALUES} numbers by name"
        )
    return {_name("values", name): _number("values", one) for name, one in given.items()}


def _reasons(given: object) -> tuple[tuple[str, Number, float], ...]:
    if not isinstance(given, list) or len(given) > MOST_REASONS:
        raise _wrong_reasons(given)
    return tuple(map(_reason, given))


def _reason(given: object) -> tuple[str, Number, float]:
    if not isinstance(given, list) or len(given) != 3:  # its three parts
        raise _wrong_reasons(given)
    contribution = _number("reasons", given[2])
    if contribution is None:
        raise _wrong_reasons(given)
    return _name("reasons", given[0]), _number("reasons", given[1]), float(contribution)


def _wrong_reasons(given: object) -> RejectedEventError:
    expected = f"a list of at most {MOST_REASONS} triples of feature, value and contribution"
    return RejectedEventError("out_of_range", field="reasons", found=shown(given), expected=expected)


def _name(field: str, given: object) -> str:
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        expected = "a name of at most 80 small letters, digits and underscores"
        raise RejectedEventError("out_of_range", field=field, found=shown(given), expected=expected)
    return given


def _number(field: str, given: object) -> Number:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not isfinite(given) or abs(given) > 1e15:
        raise RejectedEventError("out_of_range", field=field, found=shown(given), expected="a finite number or null")
    return given
