"""What an import says at its end: why it was refused, or what it took, in words."""

from collections.abc import Mapping
from typing import NamedTuple

from spark_jobs.lake.known_events import Change
from spark_jobs.sources.addresses import file_name, plain_address
from spark_jobs.sources.cleaning import Cleaning, said_doubt
from spark_jobs.sources.headers import Header
from spark_jobs.sources.mapping import Source


class Repeats(NamedTuple):
    """Events of one id within the files: those that say the same, and those that say something else."""

    same: int
    other: int


def explain_refusal(met: Cleaning, headers: Mapping[str, Header], source: Source) -> str:
    """Why the files cannot be imported; "" where they can."""
    for file, column, count in met.other_order:
        if count:
            return (
                f"{file_name(file)}: found {count} times in {column} that read in the other order of day and month "
                "alone, and none that reads in the declared one alone; expected the mapping's order: say the right one"
                " in its `format`"
            )
    rows = {plain_address(file): count for file, count in (met.rows + met.joined).items()}
    if not rows:
        return "found no row below the columns' names, expected at least one"
    if not any(source.resource(headers[file].resource).events for file in rows):
        return f"found rows that are only joined to others, in {', '.join(map(file_name, rows))}; expected those others"
    for file, (rejected, most) in sorted(met.most_rejected.items()):
        total = rows[plain_address(file)]
        if rejected > source.rejected_at_most * total or rejected == total == sum(rows.values()):
            return (
                f"{file_name(file)}: found {rejected} of {total} rows rejected, most of them as {most}; "
                f"expected at most {source.rejected_at_most:.0%}"
            )
    unread = [file_name(file) for file in headers if file not in rows]
    if unread and not met.kinds:
        return f"found no row in {', '.join(unread)}, expected at least one"
    return ""


def missing_columns(headers: Mapping[str, Header], source: Source) -> dict[str, list[str]]:
    """The columns of the mapping that files do not have, by file."""
    lacking = {file_name(file): list(one.missing(source.resource(one.resource))) for file, one in headers.items()}
    return {file: columns for file, columns in lacking.items() if columns}


def shown_place(address: str, line: int) -> str:
    """A line of a file, as people name it."""
    return f"{file_name(address)}:{line}"


def summary_line(shop: str, source: Source, met: Cleaning, change: Change, repeats: Repeats) -> str:
    """The summary for people."""
    rejected = ", ".join(f"{count} {reason}" for reason, count in met.rejected_by_reason.items())
    parts = [
        f"{sum(met.taken.values())} of {sum(met.rows.values())} rows of {shop} taken by {source.name}, "
        f"{change.new} events new in the lake",
        f"{sum(met.rejected_by_reason.values())} rows rejected{f' ({rejected})' if rejected else ''}",
    ]
    if met.left_out:
        parts.append("left out: " + ", ".join(f"{count} {why}" for why, count in sorted(met.left_out.items())))
    if met.odd:
        parts.append("cells left out: " + ", ".join(f"{count} of {name}" for name, count in sorted(met.odd.items())))
    parts += [said_doubt(*one) for one in met.doubtful]
    if repeats.same or repeats.other:
        parts.append(f"{repeats.same} events repeat one, {repeats.other} contradict one")
    if change.differing:
        left = "left as they were (--later-export correct puts them in their place)"
        done = "corrected" if change.corrected else left
        where = (
            f" in {', '.join(change.fields)}, the first at {', '.join(shown_place(*place) for place in change.places)}"
        )
        parts.append(f"{change.differing} events differ from the lake's{where}, {done}")
    return "; ".join(parts)
