"""Direct callers to an answer: the scores and reasons that events would get now; nothing is stored or changed."""

import os
import time

from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.state_table import StateReader
from service_quality.adapters.telemetry import Telemetry
from service_quality.adapters.wiring import make_registry
from service_quality.by_fields import value_class
from service_quality.commit.preview import Previewer, describe_previews
from service_quality.conversations.conversation import RETENTION
from service_quality.events.carriers import open_carrier
from service_quality.events.intake import take_in
from service_quality.features.feature_set import FEATURES
from service_quality.settings import read_settings


@value_class(frozen=True, slots=True)
class Settings:
    """The variables that the stack sets for this function."""

    state_table: str
    models_table: str
    models_bucket: str


settings = read_settings(Settings, os.environ)
telemetry = Telemetry("preview_score")
dynamodb = make_client("dynamodb")
state = StateReader(dynamodb, settings.state_table)
registry = make_registry(
    dynamodb, make_client("s3"), telemetry, table=settings.models_table, bucket=settings.models_bucket
)
state.check()
registry.champion()


@telemetry.metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, object]:
    """The answer of an inlet to these events, and beside it the preview of each one that it would accept."""
    intake = take_in(open_carrier(event), now=read_clock(), retention=RETENTION)
    previews = Previewer(state, registry.champion(), FEATURES).preview_all(intake.accepted)
    telemetry.count({"PreviewedEvents": len(previews)})
    telemetry.logger.info("events_previewed", extra={"PreviewedEvents": len(previews)})
    return describe_previews(intake, previews, FEATURES)


def read_clock() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000
