"""Identifiers of shops, events and persons."""

ID_LENGTH = 128

#: Between the parts of a key: ids are printable, so no id holds it.
SEPARATOR = "\x1f"

#: The "expected" of a rejected identifier.
EXPECTED_ID = f"1 to {ID_LENGTH} printable characters"

#: The shop of rejected records that name no shop.
NO_SHOP = "_invalid"


def is_shop_id(value: object) -> bool:
    """Whether a value can name a shop: an id, and not the name under which records of no shop are kept.

    >>> is_shop_id("shop-1"), is_shop_id("_invalid")
    (True, False)
    """
    return is_id(value) and value != NO_SHOP


def is_id(value: object) -> bool:
    """Whether a value is an identifier: printable, and not too long.

    >>> is_id("shop-1"), is_id(""), is_id("a\x1fb"), is_id(7)
    (True, False, False, False)
    """
    return isinstance(value, str) and 1 <= len(value) <= ID_LENGTH and value.isprintable()
