"""Identifiers and names: one spelling of each, at every inlet and in every import.

A value is put into NFC, each run of blanks becomes one space, and blanks and invisible characters at its ends go. The
sets of characters are written down here and are those of no Unicode database, so every Python has the same. Case is
kept, since source systems tell ids apart by it; only names of staff are compared without it (`fold_case`).
"""

import re
from unicodedata import normalize

#: The most characters of an identifier in its one spelling.
ID_LENGTH = 128

#: Between the parts of a key: a control character, so no id holds it.
SEPARATOR = "\x1f"

#: The "expected" of a rejected identifier.
EXPECTED_ID = f"1 to {ID_LENGTH} characters, no control character among them"

#: The shop of rejected records that name no shop.
NO_SHOP = "_invalid"

#: Names that name nobody, in lower case.
NOBODY = frozenset(
    {
        "-", "--", "—", "–", "?", "n/a", "n.a.", "#n/a", "null", "none", "nil", "(none)", "(null)", "undefined",
        "unknown", "unassigned", "(unassigned)", "not assigned", "nobody", "no agent", "no one",
        "无", "暂无", "空", "未分配", "未指定", "未知", "不详",
    }
)  # fmt: skip

_MOST_WRITTEN = 8 * ID_LENGTH  # of a value before its blanks are brought together
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_BLANKS = re.compile("[\t-\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
#: Soft hyphen, zero-width space, marks and overrides of direction, word joiner, byte-order mark: copied along at the
#: ends of a value. Within one they stay, as do the joiners of Persian, Indic and emoji.
_AT_ENDS = " \u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
#: Control characters, line and paragraph separators, overrides of direction (an id must read as it is), lone
#: surrogates, noncharacters.
_REFUSED = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ud800-\udfff{_NONCHARACTERS}]")


def one_spelling(value: str) -> str | None:
    """The one spelling of an identifier or a name; "" for a blank one, None for one that cannot be used.

    >>> (
    ...     one_spelling(" Ann\u00a0 Example\u3000"),
    ...     one_spelling("e\u0301"),
    ...     one_spelling("a\x1fb"),
    ...     one_spelling("x" * 129),
    ... )
    ('Ann Example', 'é', None, None)
    """
    if len(value) <= ID_LENGTH and _PLAIN.fullmatch(value):
        return value
    if len(value) > _MOST_WRITTEN:
        return None
    spelt = _BLANKS.sub(" ", normalize("NFC", value)).strip(_AT_ENDS)
    return spelt if len(spelt) <= ID_LENGTH and _REFUSED.search(spelt) is None else None


def fold_case(name: str) -> str | None:
    """The name in lower case, for comparison; None for one that is too long so.

    >>> fold_case("Cy"), fold_case("Ann EXAMPLE")
    ('cy', 'ann example')
    """
    folded = normalize("NFC", name.casefold())
    return folded if len(folded) <= ID_LENGTH else None


def names_nobody(name: str) -> bool:
    """Whether a name in its one spelling is a stand-in for no name.

    >>> names_nobody("N/A"), names_nobody("No Agent"), names_nobody("未分配"), names_nobody("Noa")
    (True, True, True, False)
    """
    return name.casefold() in NOBODY


def is_shop_id(value: object) -> bool:
    """Whether a value can name a shop: an id, and not the name under which records of no shop are kept.

    >>> is_shop_id("shop-1"), is_shop_id("_invalid")
    (True, False)
    """
    return is_id(value) and value != NO_SHOP


def is_id(value: object) -> bool:
    """Whether a value is an identifier in its one spelling.

    >>> is_id("shop-1"), is_id(""), is_id("a\x1fb"), is_id("shop-1 "), is_id(7)
    (True, False, False, False, False)
    """
    return isinstance(value, str) and value != "" and one_spelling(value) == value
