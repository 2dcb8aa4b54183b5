import asyncio
import gzip
import json
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.errors import UnavailableError
from nugen_pulumi.http.response import LARGEST_BODY, Response, read_body

HTML = "<!DOCTYPE html><html><head><title>{}</title></head><body>much more</body></html>"


def read(body, encoding="", pieces=7):
    async def chunks():
        for start in range(0, len(body), max(1, len(body) // pieces)):
            yield body[start : start + max(1, len(body) // pieces)]

    return asyncio.run(read_body(chunks(), encoding))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"detail":"Model not found"}', "Model not found"),
        ('{"detail":{"message":"no"}}', "no"),
        ('{"detail":[{"loc":["path","model_id"],"msg":"field required","type":"x"}]}', "path.model_id: field required"),
        ('{"detail":[{"msg":"a"},{"msg":"b"}]}', "a; b"),
        ('{"detail":["a",{"msg":"b"},{},{"msg":"d"},"e","f"]}', "a; b; d; e"),
        ('{"detail":[{"loc":"path","msg":"field required"}]}', "field required"),
        ('{"message":"no"}', "no"),
        ('{"error":{"message":"no"}}', "no"),
        ('{"detail":null,"error":"no"}', "no"),
        ('{"other":1}', ""),
        ("[]", ""),
        ("7", ""),
        ('"text"', "text"),
        ("plain  text\n", "plain text"),
        ("", ""),
        (HTML.format("502 Bad\n Gateway &amp; more"), "502 Bad Gateway & more"),
        ("<html><body>no title</body></html>", "an HTML page"),
        ("<html>" + "<title>" * 100_000, "an HTML page"),
        ("<!doctype html><title>Sign in</title>", "Sign in"),
        ("<!DOCTYPE HTML>", "an HTML page"),
        (" " * 191 + "<!doctype", "an HTML page"),
        (" " * 192 + "<!doctype", "<!doctype"),
        (" " * 1995 + "<html", "an HTML page"),
        (" " * 1996 + "<html", "<html"),
        ('{"detail":"\\u001b[31mred\\u001b[0m"}', "red"),
        ('{"detail":"' + "x" * 500 + '"}', "x" * 299 + "…"),
        ("[" * 100_000, "[" * 299 + "…"),
        ("\ufffd\ufffd", "\ufffd\ufffd"),
        ('\ufeff{"detail":"Model not found"}', "Model not found"),
        ('{"detail":"Model not found","since":' + "1" * 5000 + "}", "Model not found"),
        ('{"detail":"cut off \\ud83d"}', "cut off \ufffd"),
        ('{"detail":"two\nlines"}', "two lines"),
        ('{"detail":' * 7 + '"no"' + "}" * 7, "no"),
        ('{"detail":' * 8 + '"no"' + "}" * 8, ""),
        ("[" * 7 + '"no"' + "]" * 7, "no"),
        ("[" * 8 + '"no"' + "]" * 8, ""),
        ('{"detail":' * 300 + '"no"' + "}" * 300, ""),
        ('{"detail":[{"loc":["a",1,[[["b"]]],{"c":2}],"msg":"no"}]}', "a.1: no"),
    ],
)
def test_what_a_body_says_is_one_printable_line(body, detail):
    assert detail == Response(500, body.encode()).detail


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000, "[1] x"])
def test_what_is_no_json_or_nested_too_deep_for_python_is_unreadable(text):
    with pytest.raises(ValueError, match=r"line 1|Expecting|Extra data|nested too deep"):
        Response(200, text.encode()).json()


def test_json_of_as_many_levels_as_anybody_would_use_is_read():
    assert "[" * 200 + "]" * 200 == str(Response(200, b"[" * 200 + b"]" * 200).json())


@pytest.mark.parametrize(
    ("status", "body", "summary"),
    [
        (503, "", "503 Service Unavailable"),
        (503, "Service unavailable", "503 Service Unavailable"),
        (530, "", "530"),
        (530, "origin is gone", "530: origin is gone"),
        (404, '{"detail":"Model not found"}', "404: Model not found"),
        (502, HTML.format("502 Bad Gateway"), "502 Bad Gateway"),
    ],
)
def test_a_summary_is_the_code_and_what_is_said_about_it(status, body, summary):
    assert summary == Response(status, body.encode()).summary


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"x-request-id": "4f1c"}, "4f1c"),
        ({"request-id": "4f1c"}, "4f1c"),
        ({"x-correlation-id": "4f1c"}, "4f1c"),
        ({"cf-ray": "4f1c"}, "4f1c"),
        ({"cf-ray": "of the proxy", "x-request-id": "of the API"}, "of the API"),
        ({"x-request-id": "x" * 81}, "x" * 79 + "…"),
        ({"server": "nginx"}, ""),
    ],
)
def test_a_request_is_called_what_the_api_calls_it_or_the_proxy(headers, request_id):
    assert request_id == Response(500, headers=headers).request_id


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 1970 00:00:40 GMT", 30.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:40 -0000", 30.0),
        ("Thu, 01 Jan 1970 02:00:40 +0200", 30.0),
        ("86400", 60.0),
        ("Thu, 01 Jan 1970 00:09:00 GMT", 60.0),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("", None),
        ("9" * 40, None),
        ("Thu, 99 Jan 1970 00:00:01 GMT", None),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_retry_after_comes_in_two_forms(monkeypatch, zone, header, seconds):
    """A date is compared with the server's own time, wherever this machine is."""
    monkeypatch.setenv("TZ", zone)
    if hasattr(time, "tzset"):  # not on Windows
        time.tzset()
    headers = {"retry-after": header, "date": "Thu, 01 Jan 1970 00:00:10 GMT"}

    assert seconds == Response(503, headers=headers).retry_after()


@pytest.fixture(autouse=True)
def _same_zone():
    yield
    if hasattr(time, "tzset"):
        time.tzset()


def test_without_the_servers_time_a_date_is_compared_with_the_present():
    assert Response(503, headers={"retry-after": "Thu, 01 Jan 1970 00:00:01 GMT"}).retry_after() == 0.0


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(b"") + gzip.compress(body[9:])),
    ],
)
@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_bodies_arrive_whole_compressed_or_not_in_one_member_or_more(encoding, pack, pieces):
    body = json.dumps({"status": "COMPLETED", "noise": "x" * 5000}).encode()

    assert body == read(pack(body), encoding, pieces)


@pytest.mark.parametrize(("size", "fits"), [(1024 * 1024, True), (1024 * 1024 + 1, False)])
@pytest.mark.parametrize(("encoding", "pack"), [("", bytes), ("gzip", gzip.compress)])
def test_a_body_of_more_than_a_mebibyte_is_unreadable(size, fits, encoding, pack):
    body = b"x" * size
    if fits:
        assert body == read(pack(body), encoding)
    else:
        with pytest.raises(UnavailableError, match="more than 1 MiB"):
            read(pack(body), encoding)


def held_in_vain(*chunks):
    """Return how many bytes were held at once while a body that is too large was read."""

    async def given():
        for chunk in chunks:
            yield chunk

    tracemalloc.start()
    try:
        with pytest.raises(UnavailableError, match="more than 1 MiB"):
            asyncio.run(read_body(given(), "gzip"))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_of_a_bomb_no_more_is_held_than_a_body_can_have():
    """Twice, as unpacked and as gathered; and no more if there was much before the chunk that holds it."""
    packer = zlib.compressobj(wbits=31)
    before = packer.compress(b"\0" * (LARGEST_BODY // 2)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = packer.compress(b"\0" * 20 * LARGEST_BODY) + packer.flush()

    assert held_in_vain(before + bomb) < 2.5 * LARGEST_BODY
    assert held_in_vain(before, bomb) < 2.5 * LARGEST_BODY


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "\x1b[31m"])
def test_an_encoding_that_this_package_does_not_read_is_unreadable(encoding):
    with pytest.raises(UnavailableError, match="that this package does not read"):
        read(b"x", encoding)


def test_a_body_that_is_not_compressed_as_it_says_is_unreadable():
    with pytest.raises(UnavailableError, match="not gzip although its headers say so"):
        read(b"plain", "gzip")


@given(st.binary(max_size=300), st.integers(200, 599), st.text(max_size=40))
def test_no_answer_is_too_strange_to_be_summed_up(body, status, retry_after):
    response = Response(status, body, {"retry-after": retry_after})

    assert response.summary.isprintable()
    assert response.retry_after() is None or response.retry_after() >= 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16 instead of UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "UTF-16 instead of UTF-8"),
        ('{"a": 1}'.encode("utf-16-be"), "UTF-16 instead of UTF-8"),
        ('\ufeff{"a": 1}'.encode("utf-16-be"), "UTF-16 instead of UTF-8"),
        ('{"a": "\u00e9"}'.encode("latin-1"), "10 bytes that are not UTF-8"),
        (b"<html><title>Sign in</title>", "Sign in"),
        (b"\x01\x02", "no printable characters"),
        (b"x" * 100, "x" * 79 + "\u2026"),
    ],
)
def test_a_body_that_is_no_json_is_described_truthfully(body, said):
    assert said == Response(200, body).excerpt
