"""A request in the debug log."""

import pytest

from nugen_pulumi.http.request import SentRequest


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (SentRequest("GET", "/", 0.0123, 200), "GET 200 in 12 ms"),
        (SentRequest("GET", "/", 1.5, 503, "4f1c"), "GET 503 in 1500 ms (request 4f1c)"),
        (SentRequest("DELETE", "/", 30.0), "DELETE without a response in 30000 ms"),
    ],
)
def test_a_request_that_was_sent_is_one_phrase(sent, line):
    assert line == str(sent)
