"""docs/cost.md: the benchmark writes its tables, people the text around them."""

from benchmarks.cost_runs import prices
from benchmarks.measurement import Section
from cli.paths import ROOT

PAGE = ROOT / "docs" / "cost.md"
BEGIN, END = "<!-- written by `make bench ARGS=cost`: -->", "<!-- until here -->"


def write_page(section: Section) -> None:
    """Put the section's tables between the marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{render(section)}{after}", "utf-8")


def written(text: str) -> str:
    """The text between the marks, with them."""
    _, begin, rest = text.partition(BEGIN)
    middle, end, _ = rest.partition(END)
    return begin + middle + end


def render(section: Section) -> str:
    """The tables: dollars by billed unit, then the prices."""
    return "\n".join([BEGIN, "", *dollars(section), "", *price_list(), "", END])


def dollars(section: Section) -> list[str]:
    """A row for each billed unit, a column for each scenario; the last row is the sum."""
    table: dict[str, dict[str, float]] = {}
    for row in section.rows:
        scenario, _, what = row.what.partition(": ")
        table.setdefault(what, {})[scenario] = row.median
    scenarios = list(next(iter(table.values())))
    lines = [f"| dollars per million events | {' | '.join(scenarios)} |", "|---|" + "--:|" * len(scenarios)]
    lines += [f"| {what} | {_cells([found[one] for one in scenarios])} |" for what, found in table.items()]
    totals = [sum(found[one] for found in table.values()) for one in scenarios]
    return [*lines, f"| **all** | {_cells(totals)} |"]


def price_list() -> list[str]:
    """Every price with its page."""
    lines = [f"| list price, us-east-1, {prices.AS_OF} | page |", "|---|---|"]
    return lines + [f"| {price.text} | {price.page} |" for price in prices.ALL]


def _cells(values: list[float]) -> str:
    return " | ".join(f"{value:.2f}" if value >= 0.005 else "< 0.01" for value in values)
