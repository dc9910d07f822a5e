"""JSON documents of training and export: a number in them is finite in any notation."""

import pytest

from model_export.documents import parse_document
from model_export.errors import ArtefactError


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "true", '"1"', "null"])
def test_number_that_is_not_finite_is_refused(written):
    data = f'{{"intercept": {written}, "means": [0.5, {written}]}}'.encode()

    with pytest.raises(ArtefactError, match=r"finite number|is no number"):
        parse_document("model.json", data).number("intercept")
    with pytest.raises(ArtefactError, match=r"means\[1\]: found .* expected a finite number|is no number"):
        parse_document("model.json", data).numbers("means")


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[" * 100_000, b'{"a": ' + b"9" * 5_000 + b"}", b"[]", b"7"])
def test_bytes_that_are_no_object_are_refused(data):
    with pytest.raises(ArtefactError, match=r"model\.json: found"):
        parse_document("model.json", data)
