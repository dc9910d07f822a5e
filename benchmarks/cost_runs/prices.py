"""List prices of AWS in us-east-1, without free tiers, and assumptions for values that could not be measured."""

from dataclasses import dataclass

AS_OF = "July 2025"  # when these pages were last read; check them before you budget


@dataclass(frozen=True)
class Price:
    """Dollars for one counted unit, and the page of the price."""

    dollars: float
    counted: str
    page: str

    @property
    def text(self) -> str:
        """The price as text.

        >>> Price(0.625e-6, "write request unit", "a page").text
        '$0.625 per million of: write request unit'
        """
        if self.dollars < 0.001:
            return f"${self.dollars * 1e6:g} per million of: {self.counted}"
        return f"${self.dollars:g} per {self.counted}"


WRITE = Price(0.625e-6, "write request unit", "Amazon DynamoDB pricing, on-demand capacity")
READ = Price(0.125e-6, "read request unit", "Amazon DynamoDB pricing, on-demand capacity")
TABLE_GB_MONTH = Price(0.25 + 0.20, "GB-month, with point-in-time recovery", "Amazon DynamoDB pricing")
LAMBDA_REQUEST = Price(0.20e-6, "request", "AWS Lambda pricing, x86")
LAMBDA_GB_SECOND = Price(16.6667e-6, "GB-second", "AWS Lambda pricing, x86")
SHARD_HOUR = Price(
    0.015 + 0.020, "shard-hour, kept for 7 days", "Amazon Kinesis Data Streams pricing, provisioned mode"
)
STREAM_PUT = Price(0.014e-6, "PUT payload unit of 25 KB", "Amazon Kinesis Data Streams pricing, provisioned mode")
PUBLISH = Price(0.50e-6, "publication of up to 64 KB", "Amazon SNS pricing, standard topics")
QUEUE_REQUEST = Price(0.40e-6, "request", "Amazon SQS pricing, standard queues")
S3_PUT = Price(5e-6, "PUT", "Amazon S3 pricing, S3 Standard")
S3_GB_YEAR = Price(6 * 0.023 + 6 * 0.004, "GB, half a year Standard, half a year Glacier IR", "Amazon S3 pricing")
LOG_GB = Price(0.50 + 0.03, "GB taken in and kept for a month", "Amazon CloudWatch pricing, logs")

ALL = (
    WRITE, READ, TABLE_GB_MONTH, LAMBDA_REQUEST, LAMBDA_GB_SECOND, SHARD_HOUR, STREAM_PUT, PUBLISH, QUEUE_REQUEST,
    S3_PUT, S3_GB_YEAR, LOG_GB,
)  # fmt: skip

#: Milliseconds for which a call keeps a function waiting, its own work for it included. Assumed, rather too many.
WAIT_MS = {"GetItem": 6.0, "BatchGetItem": 10.0, "TransactWriteItems": 25.0, "Publish": 25.0, "PutObject": 50.0}
#: Milliseconds for which a timer keeps its functions: looked at and sent; its row read, its record put, and half a
#: second for which its message comes early on average.
TIMER_SEND_MS, TIMER_RING_MS = 15.0, 530.0
#: Bytes that an invocation writes into its log: our two entries, measured, and the runtime's three lines, assumed.
LOG_BYTES = 1_700
#: Bytes that DynamoDB counts for every stored item beside its names and values.
STORED_OVERHEAD_BYTES = 100
