"""The contact export: one row per finished contact, its columns by the name each has in the file."""

#: Our name of each column that is read, and the file's. Further columns of a file are left alone.
COLUMNS = {
    "contact_id": "Unique id",
    "channel": "channel_name",
    "category": "category",
    "subcategory": "Sub-category",
    "remarks": "Customer Remarks",
    "order_id": "Order_id",
    "reported": "Issue_reported at",
    "answered": "issue_responded",
    "surveyed": "Survey_response_Date",
    "product": "Product_category",
    "price": "Item_price",
    "agent_id": "Agent_name",
    "supervisor_id": "Supervisor",
    "manager_id": "Manager",
    "agent_tenure": "Tenure Bucket",
    "agent_shift": "Agent Shift",
    "rating": "CSAT Score",
}

#: What becomes an identifier of an event, and what no contact can do without.
IDENTIFIERS = (
    "contact_id", "channel", "category", "subcategory", "order_id", "product", "agent_id", "supervisor_id",
    "manager_id", "agent_tenure", "agent_shift",
)  # fmt: skip
NEEDED = ("contact_id", "reported", "answered", "agent_id")

#: Times are local, without a zone; an answer at 00:00 has lost its time of day.
TIME_PATTERNS = ("d/M/yyyy H:mm[:ss]",)
DAY_PATTERNS = ("d-MMM-yy", "d-MMM-yyyy", "d/M/yyyy")

#: Why a whole file is refused.
MISSING_COLUMNS = "missing_columns"
REPEATED_COLUMNS = "repeated_columns"

#: Why a row is rejected that could be read: another row of its contact came first.
DUPLICATE_ID = "duplicate_id"
