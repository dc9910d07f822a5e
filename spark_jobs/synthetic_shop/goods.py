"""The articles of the shops, and the issues that customers contact them about."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Item:
    """An article on sale; a flawed one is often returned and its contacts end worse."""

    sku: str
    product: str
    name: str
    price_minor: int
    flawed: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """An issue of customers; `weight` is its frequency, `about_order` whether it concerns an order."""

    category: str
    subcategories: tuple[str, ...]
    weight: float
    hard: bool
    about_order: bool


REASONS = (
    Reason("delivery", ("late_parcel", "lost_parcel", "wrong_address"), 0.30, hard=False, about_order=True),
    Reason("refund", ("refund_status", "partial_refund"), 0.17, hard=True, about_order=True),
    Reason("quality", ("faulty_item", "missing_part", "not_as_described"), 0.16, hard=True, about_order=True),
    Reason("presale", ("size_and_fit", "stock", "promotion"), 0.20, hard=False, about_order=False),
    Reason("account", ("login", "invoice", "points"), 0.17, hard=False, about_order=False),
)

#: Products by language: product, median price in minor units, names.
PRODUCTS = {
    "en": (
        ("Home", 3_900, ("Reading lamp", "Wool blanket", "Tea kettle", "Wall clock")),
        ("Kitchen", 2_900, ("Chef's knife", "Cast-iron pan", "Storage jars", "Bread tin")),
        ("Mobile", 12_900, ("Phone case", "Wireless earphones", "Power bank", "Smart watch")),
        ("Fashion", 4_900, ("Rain jacket", "Linen shirt", "Running shoes", "Leather belt")),
        ("Appliances", 89_900, ("Washing machine", "Fridge", "Dishwasher", "Oven")),
    ),
    "zh": (
        ("家居", 15_900, ("台灯", "羊毛毯", "电热水壶", "挂钟")),
        ("厨房", 9_900, ("菜刀", "铸铁锅", "密封罐", "吐司模具")),
        ("数码", 49_900, ("手机壳", "无线耳机", "充电宝", "智能手表")),
        ("服饰", 19_900, ("冲锋衣", "亚麻衬衫", "跑步鞋", "皮带")),
        ("家电", 289_900, ("洗衣机", "冰箱", "洗碗机", "烤箱")),
    ),
}
ITEMS_OF_A_NAME = 3
FLAWED_SHARE = 0.12
DEAR_FROM = 100_000  # minor units of the shop's own currency: prices of two shops are never compared


def stock(random: Random, language: str) -> tuple[Item, ...]:
    """Everything a shop sells."""
    items: list[Item] = []
    for product, median, names in PRODUCTS[language]:
        for name in names:
            for _ in range(ITEMS_OF_A_NAME):
                price = max(100, int(median * random.lognormvariate(0, 0.5)) // 100 * 100 - 1)
                flawed = random.random() < FLAWED_SHARE
                items.append(Item(f"sku-{len(items) + 1:03d}", product, name, price, flawed))
    return tuple(items)
