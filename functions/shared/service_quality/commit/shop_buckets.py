"""The bucket of a shop: which objects of the archive hold its rows, and which partitions of the lake its log."""

import zlib

SHOP_BUCKETS = 16


def shop_bucket(shop_id: str) -> int:
    """The bucket of a shop, from 0 to 15, by CRC-32 (RFC 1952) of its id in UTF-8.

    >>> shop_bucket("shop-1"), shop_bucket("店铺")
    (0, 14)
    """
    return zlib.crc32(shop_id.encode()) % SHOP_BUCKETS
