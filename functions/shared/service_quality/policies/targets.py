"""Targets and the rating scale of a policy document."""

from service_quality.instants import SECOND
from service_quality.policies import document_values as values
from service_quality.policies.document_values import Problems, joined
from service_quality.policies.policy import BEST_RATING, CONDITIONS, JUDGED_BY, WORST_RATING, RatingScale, Target

_KEYS = ("when", "first_response", "next_reply", "judged_by")
_FARTHEST = 1_000_000
_RATING = f"a whole number from {WORST_RATING} to {BEST_RATING}"


def read_targets(problems: Problems, value: object, *, longest: int) -> tuple[Target, ...]:
    """The targets in their order; one behind a target without conditions would never count and is a problem."""
    targets = tuple(
        _read_target(problems, f"targets[{number}]", one, longest=longest)
        for number, one in enumerate(problems.list_at("targets", value))
    )
    for number, target in enumerate(targets[:-1]):
        if not target.when:
            problems.add(
                f"targets[{number}].when", "no condition before further targets", "it at the last target alone"
            )
    return targets


def _read_target(problems: Problems, path: str, value: object, *, longest: int) -> Target:
    given = problems.object_at(path, value, known=_KEYS)

    def duration(key: str) -> int | None:
        read, expected = values.duration(SECOND, longest), values.durations(SECOND, longest)
        return (
            problems.read(f"{path}.{key}", given[key], by=read, expected=expected, fallback=0) if key in given else None
        )

    first_response, next_reply = duration("first_response"), duration("next_reply")
    if isinstance(value, dict) and first_response is None and next_reply is None:
        problems.add(path, "neither first_response nor next_reply", "at least one")
    named = given.get("judged_by", JUDGED_BY[0])
    judged_by = problems.read_word(f"{path}.judged_by", named, words=JUDGED_BY, fallback=JUDGED_BY[0])
    return Target(
        first_response, next_reply, judged_by, _read_conditions(problems, f"{path}.when", given.get("when", {}))
    )


def _read_conditions(problems: Problems, path: str, value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    given = problems.object_at(path, value, known=CONDITIONS)
    expected = "an array of one or more different texts"
    return tuple(
        (name, problems.read(joined(path, name), given[name], by=values.texts, expected=expected, fallback=()))
        for name in CONDITIONS
        if name in given
    )


def read_rating_scale(problems: Problems, value: object) -> RatingScale | None:
    """The scale of a document's `rating_scale`; None for an empty one."""
    given = problems.object_at("rating_scale", value, known=("worst", "best", "names"))
    if not given:
        return None
    worst, best = _end(problems, given.get("worst"), "worst"), _end(problems, given.get("best"), "best")
    if ("worst" in given) != ("best" in given):
        problems.add("rating_scale", "one of worst and best", "both or neither")
    elif worst is not None and worst == best:
        problems.add("rating_scale.best", "the same number as worst", "another number")
    return RatingScale(worst, best, _read_names(problems, given.get("names", {})))


def _end(problems: Problems, value: object, key: str) -> int | None:
    expected = f"a whole number from {-_FARTHEST:,} to {_FARTHEST:,}"
    read = values.integer(-_FARTHEST, _FARTHEST)
    return (
        None
        if value is None
        else problems.read(f"rating_scale.{key}", value, by=read, expected=expected, fallback=None)
    )


def _read_names(problems: Problems, value: object) -> tuple[tuple[str, int], ...]:
    path = "rating_scale.names"
    if not isinstance(value, dict):
        problems.add(path, values.shown(value), "a JSON object of names and ratings")
        return ()
    names: dict[str, int] = {}
    for written, rating in value.items():
        at = joined(path, written)
        name = problems.read(at, written, by=values.text, expected="a name", fallback="").casefold()
        read = values.integer(WORST_RATING, BEST_RATING)
        number = problems.read(at, rating, by=read, expected=_RATING, fallback=WORST_RATING)
        if name in names:
            problems.add(at, "a name twice, but for upper and lower case", "each name once")
        names[name] = number
    return tuple(names.items())
