"""With which imports one event entered a shop, from the archive and what each import could have held."""

import pytest

from spark_jobs.logs.archive import whole_until
from spark_jobs.reader.entered_events import imports_entered_with


def on_log(log_index: int, content: str = "a") -> dict:
    return {"number": 0, "log_index": log_index, "content": content}


def offered(number: int, behind: int, content: str = "a") -> dict:
    return {"number": number, "log_index": behind, "content": content}


@pytest.mark.parametrize(
    ("entries", "entered"),
    [
        ([offered(1, 0)], [1]),
        ([offered(1, 0), offered(2, 5), offered(3, 9)], [1]),
        ([on_log(3), offered(1, 5)], []),
        ([on_log(3), offered(1, 2), offered(2, 5)], [1]),
        ([on_log(3), offered(1, 5, "b"), offered(2, 9, "b")], [1]),
        ([offered(1, 0, "a"), offered(2, 0, "b"), offered(3, 0, "a")], [1, 2, 3]),
        ([on_log(3, "b"), offered(1, 2, "a"), offered(2, 9, "a")], [1]),
        ([on_log(3, "a"), on_log(4, "b"), offered(1, 9, "b")], []),
        ([on_log(3)], []),
    ],
    ids=[
        "an import alone",
        "offered to later imports, too",
        "on the log before",
        "on the log while the import was made",
        "in another content",
        "there and back again",
        "the log says something else later",
        "twice on the log",
        "on the log alone",
    ],
)
def test_event_enters_with_the_first_import_that_finds_it_new(entries, entered):
    assert list(imports_entered_with(entries)) == entered


def test_archive_is_whole_up_to_its_first_gap():
    links = [
        {"shop_id": "a", "follows": "", "last": "1"},
        {"shop_id": "a", "follows": "1", "last": "4"},
        {"shop_id": "a", "follows": "5", "last": "6"},
        {"shop_id": "b", "follows": "2", "last": "3"},
    ]

    assert whole_until(links) == {"a": "4", "b": ""}
    assert whole_until([]) == {}
