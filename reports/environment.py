"""The templates of all pages, with the filters that write figures in words."""

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports import figures
from reports.learning_summary import explain_learning
from service_quality.message import Message

#: The tags of the languages in HTML.
LANGUAGE_TAGS = {"en": "en", "zh": "zh-CN"}


@cache
def environment() -> Environment:
    """The environment of the templates; what a template asks for and nobody gave is an error."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "counted": figures.count_in_words,
        "metric": figures.metric_in_words,
        "auc": figures.auc_in_words,
        "number": figures.number_in_words,
        "share": figures.share_in_words,
        "tiny": figures.tiny_in_words,
        "signed": figures.signed_in_words,
        "duration": figures.seconds_in_words,
        "source": figures.source_in_words,
        "explained": explain_learning,
    }
    return made


def said(table: Mapping[str, Message], language: str) -> dict[str, str]:
    """The messages of a table in a language."""
    return {name: one.said(language) for name, one in table.items()}
