"""What a shop's alerts look like: language, ids, name, time zone, currency."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from service_quality.alerts.wording_messages import NO_CURRENCY
from service_quality.instants import SECOND
from service_quality.message import LANGUAGES

_LONGEST_NAME = 200
_UTC = "UTC"

#: The meaning of each setting, and after a colon its values.
SETTINGS = {
    "language": f"of the mails: {' or '.join(LANGUAGES)}",
    "ids": "whether alerts show ids as they are, or salted hashes of them: hashed or plain",
    "display_name": f"the shop's name in mails: at most {_LONGEST_NAME} printable characters",
    "time_zone": "of the times in mails where no policy says: a name such as Asia/Shanghai",
    "currency": "of amounts where neither event nor policy says: three capital letters, a code of ISO 4217 such as CNY "
    "(no list is looked up)",
}

#: Digits behind the point, by ISO 4217; other currencies have two.
DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """A shop's settings of its alerts. `ids` is "hashed", or "plain" where alerts may show ids.

    `hours_zone` is the zone of hours among an alert's values, which its alert alone can say.
    """

    language: str = "en"
    ids: str = "hashed"
    display_name: str | None = None
    time_zone: str = _UTC
    currency: str = ""
    hours_zone: str = _UTC

    def in_language(self, language: str) -> "ShopSettings":
        """The same settings in another language."""
        return replace(self, language=language)

    def of_alert(self, time_zone: str | None, currency: str | None) -> "ShopSettings":
        """The same with the zone and the currency of an alert, where it names them: those of the shop's policy."""
        return replace(
            self,
            time_zone=time_zone if time_zone and _find_zone(time_zone) else self.time_zone,
            currency=currency or self.currency,
            hours_zone=time_zone or _UTC,
        )


def shop_settings(stored: Mapping[str, str | None]) -> ShopSettings:
    """Settings as stored; a missing or unknown one is the default, so ids stay hashed unless "plain" is stored."""
    language, name = stored.get("language") or "", stored.get("display_name")
    zone, currency = stored.get("time_zone") or _UTC, stored.get("currency") or ""
    return ShopSettings(
        language=language if language in LANGUAGES else ShopSettings().language,
        ids="plain" if stored.get("ids") == "plain" else "hashed",
        display_name=printable(name[:_LONGEST_NAME]) if name else None,
        time_zone=zone if _find_zone(zone) else _UTC,
        currency=currency if _is_currency(currency) else "",
    )


def printable(text: str) -> str:
    """Text with a space for each character that cannot be printed: a line break would begin a header of a mail.

    >>> printable("Tea\\nBcc: x")
    'Tea Bcc: x'
    """
    return "".join(one if one.isprintable() else " " for one in text)


def money_in_words(minor: float, currency: str, language: str) -> str:
    """An amount with the digits and the code of its currency; an unknown currency is said to be unknown.

    >>> money_in_words(129_900, "INR", "en"), money_in_words(129_900, "JPY", "en")
    ('1,299.00 INR', '129,900 JPY')
    >>> money_in_words(129_900, "", "en")
    '1,299.00 (currency not set)'
    """
    digits = DIGITS.get(currency, 2)
    shown = f"{minor / 10**digits:,.{digits}f}"
    return f"{shown} {currency}" if currency else NO_CURRENCY.said(language).format(shown)


def instant_in_words(instant: int, zone: str = _UTC) -> str:
    """An instant to the minute, in a zone, which is named, with its offset in an hour that the clock repeats.

    >>> instant_in_words(1_692_872_130_000), instant_in_words(1_692_872_130_000, "Asia/Shanghai")
    ('2023-08-24 10:15 UTC', '2023-08-24 18:15 Asia/Shanghai')
    >>> instant_in_words(1_792_891_800_000, "Europe/Berlin")
    '2026-10-25 02:30 Europe/Berlin (UTC+0100)'
    """
    local = local_time(instant, zone)
    is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%Y-%m-%d %H:%M} {zone}{f' (UTC{local:%z})' if is_repeated else ''}"


def local_time(instant: int, zone: str) -> datetime:
    """An instant in a zone; UTC where this machine does not know it."""
    return datetime.fromtimestamp(instant / SECOND, _find_zone(zone) or UTC)


def _find_zone(name: str) -> tzinfo | None:
    """The zone of a name; None for an unknown one."""
    try:
        return UTC if name == _UTC else ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such name, a name that is a path, or a folder of names
        return None


def _is_currency(code: str) -> bool:
    return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()
