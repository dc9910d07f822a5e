"""A made-up export of orders in the form of UCI Online Retail: customers who buy at their own pace until they leave."""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

FIRST = datetime(2010, 12, 1, 9)
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")


def write_orders(path: Path, *, customers: int, days: int, seed: int = 1) -> None:
    """Write invoices of one to three lines each; some customers never come back, and some goods do."""
    random = Random(seed)
    rows: list[dict[str, object]] = []
    for number in range(customers):
        pace = random.uniform(4, 25)
        left = random.choice((random.uniform(60, days), 10 * days))
        day = random.uniform(0, 60)
        while day < min(days, left):
            rows += _invoice(random, FIRST + timedelta(days=day), 12_000 + number)
            day += random.expovariate(1 / pace)
    rows.sort(key=lambda row: str(row["InvoiceDate"]))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _invoice(random: Random, at: datetime, customer: int) -> list[dict[str, object]]:
    cancels = random.random() < 0.05
    invoice = f"{'C' if cancels else ''}{random.randrange(536_000, 999_999)}"
    return [
        {
            "InvoiceNo": invoice,
            "StockCode": f"{random.randrange(20_000, 20_200)}",
            "Description": "A MADE-UP ARTICLE",
            "Quantity": random.randrange(1, 12) * (-1 if cancels else 1),
            "InvoiceDate": at.strftime("%Y-%m-%d %H:%M:%S"),
            "UnitPrice": f"{random.randrange(50, 900) / 100:.2f}",
            "CustomerID": customer,
            "Country": "United Kingdom",
        }
        for _ in range(random.randrange(1, 4))
    ]
