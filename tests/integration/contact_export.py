"""Files of finished contacts, as a service desk exports them."""

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

from spark_jobs.sources.mapping_file import load_mapping

HEADER = [*load_mapping("contacts").resources[0].fields, "Customer_City", "label_source"]
ROW = {
    "Unique id": "c-1",
    "channel_name": "Inbound",
    "category": "Returns",
    "Sub-category": "Reverse pickup",
    "Order_id": "o-1",
    "Issue_reported at": "01/08/2023 11:13",
    "issue_responded": "01/08/2023 11:47",
    "Survey_response_Date": "02-Aug-23",
    "Product_category": "Mobile",
    "Item_price": "99.95",
    "Agent_name": "Ann Example",
    "Supervisor": "Sue Example",
    "Manager": "Max Example",
    "Tenure Bucket": ">90",
    "Agent Shift": "Morning",
    "CSAT Score": "2",
    "label_source": "exact",
}


def write_export(path: Path, *changes: Mapping[str, str], header: Sequence[str] = HEADER) -> Path:
    """A file with one row for each of the changes."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([{**ROW, **change}.get(name, "") for name in header] for change in changes)
    return path
