"""One spelling of each id and name, the same on every Python."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_quality.events.identifiers import ID_LENGTH, NOBODY, fold_case, is_id, one_spelling


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("Returns\u00a0and refunds", "Returns and refunds"),
        ("售后\u3000退款", "售后 退款"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("👩\u200d💻 tech", "👩\u200d💻 tech"),
        ("Kunden\u00adservice", "Kunden\u00adservice"),
        ("\u3000Returns ", "Returns"),
        ("a \t\r\n\v\f \u2009\u202f\u205f\u1680b", "a b"),
        ("\u2068Ann\u2069", "Ann"),
        ("\ufeffcy\u200b ", "cy"),
        ("Zoe\u0308", "Zoë"),
        ("\U0001fae8", "\U0001fae8"),
        ("\u0378", "\u0378"),
        (" " * 500 + "x", "x"),
        (" \u200b ", ""),
        ("", ""),
    ],
)
def test_blanks_become_one_space_and_what_is_no_control_character_stays(written, spelt):
    assert one_spelling(written) == spelt


@pytest.mark.parametrize(
    "code",
    [0, 8, 0x0E, 0x1B, 0x1C, 0x1F, 0x7F, 0x80, 0x85, 0x9F, 0x2028, 0x2029, 0x202D, 0x202E, 0xD800, 0xDFFF]
    + [0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF],
    ids=hex,
)
def test_value_with_a_control_character_is_unusable(code):
    assert one_spelling(f"a{chr(code)}b") is None


def test_refused_characters_are_a_fixed_number():
    """Whatever the Unicode database of the Python says."""
    refused = [code for code in range(sys.maxunicode + 1) if one_spelling(f"a{chr(code)}b") is None]

    assert len(refused) == 32 - 5 + 33 + 4 + 2048 + 66


def test_length_counts_in_the_one_spelling():
    assert one_spelling("e\u0301" * ID_LENGTH) == "é" * ID_LENGTH
    assert one_spelling("  a  " + "b" * (ID_LENGTH - 2) + "  ") == "a " + "b" * (ID_LENGTH - 2)
    assert one_spelling("ab" * ID_LENGTH) is None
    assert one_spelling("é" * (ID_LENGTH + 1)) is None
    assert one_spelling("a" + "\u0301\u0323" * 200_000) is None


@given(st.text(max_size=40) | st.text(st.sampled_from("aB \u00a0\u200b\u3000\u0301\u2028é\ufeff-"), max_size=12))
def test_one_spelling_of_one_spelling_is_itself(written):
    spelt = one_spelling(written)

    assert spelt is None or one_spelling(spelt) == spelt
    assert is_id(written) == (spelt == written != "")
    folded = fold_case(spelt) if spelt else None
    assert folded is None or (fold_case(folded), one_spelling(folded)) == (folded, folded)


def test_names_of_nobody_are_in_their_one_spelling():
    assert all(one_spelling(name) == name.casefold() == name for name in NOBODY)
