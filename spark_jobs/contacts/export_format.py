"""The contact export: one row per finished contact, its columns by their names in the file."""

#: Our name of each column that is read, and the file's. Further columns of a file are ignored.
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

#: The columns that become identifiers of an event, each with the event's field; and the required ones.
IDENTIFIERS = {
    "contact_id": "conversation_id",
    "channel": "channel",
    "category": "category",
    "subcategory": "subcategory",
    "order_id": "order_id",
    "product": "product",
    "agent_id": "agent_id",
    "supervisor_id": "supervisor_id",
    "manager_id": "manager_id",
    "agent_tenure": "agent_tenure",
    "agent_shift": "agent_shift",
}
NEEDED = ("contact_id", "reported")

#: Times are local, without a zone; an answer at 00:00 has lost its time of day.
TIME_PATTERNS = ("d/M/yyyy H:mm[:ss]",)
DAY_PATTERNS = ("d-MMM-yy", "d-MMM-yyyy", "d/M/yyyy")

#: The reasons for refusing a whole file.
MISSING_COLUMNS = "missing_columns"
REPEATED_COLUMNS = "repeated_columns"

#: The reason of a readable row that is rejected: another row of its contact came first.
DUPLICATE_ID = "duplicate_id"
