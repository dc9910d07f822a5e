"""Preview a conversation: the score that each event would get now, and why. Nothing is stored or changed."""

from typing import Any

from examples.send_conversation import add_conversation, call, given_conversation
from examples.stack import read_outputs, run, stack_argument


def main(argv: list[str]) -> None:
    """Print a line for each event and each of its reasons."""
    parser = stack_argument(__doc__)
    add_conversation(parser)
    options = parser.parse_args(argv)
    answer = preview(read_outputs(options.stack), given_conversation(options))
    for one in answer["previews"]:
        if one["score"] is None:
            print(f"{one['event_id']}: no score: known already, in no conversation, or unlike what the model learnt")
            continue
        print(f"{one['event_id']}: risk {one['score']:.1%}, model {one['model_version']}")
        for reason in one["reasons"]:
            print(f"  {reason['contribution']:+.2f}  {reason['feature']} = {reason['value']}")
    for one in answer["rejected"]:
        print(f"rejected {one.get('event_id', one['index'])}: {one['message']}")


def preview(outputs: dict[str, str], events: list[dict[str, object]]) -> dict[str, Any]:
    """The answer: `previews` in order, and what would be rejected."""
    if "PreviewScoreFunctionName" in outputs:
        return call(outputs["PreviewScoreFunctionName"], {"events": events})
    return call(outputs["IngestEventsFunctionName"], {"events": events, "preview": True})


if __name__ == "__main__":
    run(main)
