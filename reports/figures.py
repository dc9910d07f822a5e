"""Numbers as text for people; an unknown one is a dash."""

from collections.abc import Iterator, Mapping
from math import isfinite, sqrt
from typing import Any

from reports.labels import label

UNKNOWN = "—"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def source_in_words(report: Mapping[str, Any], language: str) -> str:
    """The source of the data: the contact file's name, or that the data are synthetic."""
    return label("synthetic_world", language) if report["synthetic"] else str(report["source"])


def count_in_words(number: int | None) -> str:
    """A count with its thousands apart.

    >>> count_in_words(1234567), count_in_words(None)
    ('1,234,567', '—')
    """
    return UNKNOWN if number is None else f"{number:,}"


def metric_in_words(number: float | None) -> str:
    """A figure of merit to three digits.

    >>> metric_in_words(0.70912)
    '0.709'
    """
    return UNKNOWN if number is None else f"{number:.3f}"


def auc_in_words(auc: float | None, rows: int | None, base_rate: float | None) -> str:
    """An area under the ROC curve with half of its 95 % interval (Hanley and McNeil, Radiology 1982).

    >>> auc_in_words(0.734, 337, 0.153), auc_in_words(None, 0, None)
    ('0.73 ± 0.08', '—')
    """
    if auc is None or not rows or base_rate is None:
        return metric_in_words(auc)
    lost = max(1.0, rows * base_rate)
    kept = max(1.0, rows - lost)
    one_lost, one_kept = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (lost - 1) * (one_lost - auc**2) + (kept - 1) * (one_kept - auc**2)
    return f"{auc:.2f} ± {1.96 * sqrt(spread / (lost * kept)):.2f}"


def number_in_words(number: float | None) -> str:
    """A small number to one digit behind the point.

    >>> number_in_words(12.34), number_in_words(None)
    ('12.3', '—')
    """
    return UNKNOWN if number is None else f"{number:,.1f}"


def share_in_words(number: float | None) -> str:
    """A share in %.

    >>> share_in_words(0.1752)
    '17.5 %'
    """
    return UNKNOWN if number is None else f"{100 * number:.1f} %"


def tiny_in_words(number: float | None) -> str:
    """A very small number as a power of ten.

    >>> tiny_in_words(3.14e-8), tiny_in_words(1e-6), tiny_in_words(0.0)
    ('3.1 × 10⁻⁸', '10⁻⁶', '0')
    """
    if number is None:
        return UNKNOWN
    if number == 0 or not isfinite(number):
        return f"{number:g}"
    factor, exponent = f"{number:.1e}".split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    return power if factor == "1.0" else f"{factor} × {power}"


def signed_in_words(number: float, digits: int = 2) -> str:
    """A number with its sign, a real minus among them.

    >>> signed_in_words(0.405), signed_in_words(-0.1)
    ('+0.41', '−0.10')
    """
    return f"{number:+.{digits}f}".replace("-", "−")


def seconds_in_words(seconds: float, language: str) -> str:
    """A duration in seconds, from a hundred on in minutes.

    >>> seconds_in_words(9.44, "en"), seconds_in_words(42.3, "zh"), seconds_in_words(200, "en")
    ('9.4 s', '42 秒', '3 min 20 s')
    """
    if seconds < 9.95:
        return label("seconds", language).format(f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 100:
        return label("seconds", language).format(whole)
    return label("minutes", language).format(whole // 60, whole % 60)


def flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The plain figures of a summary by name, those within objects as name.key; of a list how many it holds.

    >>> list(flat({"rows": 3, "by": {"reason": 2}, "shops": ["a"], "none": None}))
    [('rows', 3), ('by.reason', 2), ('shops', '1 …'), ('none', None)]
    """
    for name, value in values.items():
        path = f"{above}.{name}" if above else str(name)
        if isinstance(value, Mapping):
            yield from flat(value, path)
        elif isinstance(value, list | tuple):
            yield path, f"{len(value)} …"
        else:
            yield path, value
