"""Settings of a shop's alerts, amounts in their currency, times in the shop's zone."""

from dataclasses import replace

import pytest

from service_quality.alerts.shop_settings import ShopSettings, instant_in_words, money_in_words, shop_settings
from service_quality.alerts.wording import render_email
from tests.unit.core.test_wording import alert


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", "129,900 JPY"), ("KWD", "129.900 KWD"), ("INR", "1,299.00 INR")]
)
def test_amount_has_the_digits_and_the_code_of_its_currency(currency, shown):
    assert money_in_words(129_900, currency, "en") == shown


def test_amount_of_an_unknown_currency_says_so_in_both_languages():
    assert money_in_words(129_900, "", "en") == "1,299.00 (currency not set)"
    assert money_in_words(129_900, "", "zh") == "1,299.00（未设置币种）"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "/etc/localtime"])
def test_unknown_zone_is_utc_and_named(zone):
    assert shop_settings({"time_zone": zone}).time_zone == "UTC"
    assert instant_in_words(1_692_872_130_000).endswith(" UTC")


@pytest.mark.parametrize("currency", ["cny", "￥", "CNYX", "12A"])
def test_text_that_is_no_currency_is_left_out(currency):
    assert shop_settings({"currency": currency}).currency == ""


def test_mail_shows_times_and_amounts_as_the_shop_reads_them():
    reasons = [{"feature": "price_minor", "value": 129_900, "contribution": 0.2}]
    shop = ShopSettings("zh", display_name="Tea & Co", time_zone="Asia/Shanghai", currency="JPY")

    shown = alert(opened_at="2023-08-24T20:15:00.000Z", reasons=reasons)
    subject, text = render_email(shown, shop)

    assert "2023-08-25 04:15 Asia/Shanghai" in text
    assert "129,900 JPY" in text
    assert subject.endswith("- Tea & Co")


@pytest.mark.parametrize("stored", ["Tea\nBcc: x", "Tea\r\nBcc: x", "Tea\u2028Bcc: x", "Tea\x00x", "Tea\ud800"])
def test_name_that_would_break_a_mail_is_made_safe(stored):
    shop = shop_settings({"display_name": stored})

    assert shop.display_name is not None
    assert shop.display_name.isprintable()


@pytest.mark.parametrize(
    ("name", "shop_id", "severity"),
    [("Tea\nBcc: x", "shop-1", "critical"), (None, "shop\r\nBcc: x", "critical"), (None, "茶", "bad\x00\n")],
)
def test_subject_of_a_mail_is_printable_whatever_is_stored(name, shop_id, severity):
    hostile = replace(alert(), shop_id=shop_id, severity=severity)

    subject, _ = render_email(hostile, ShopSettings(display_name=name))

    assert subject.isprintable()
    assert len(subject) < 100
