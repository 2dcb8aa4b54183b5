"""Each fault is seen by a client as what it claims to be. What it means for a wait is in tests/http/test_faults.py."""

import gzip
import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from harness import KEY

from nugen_pulumi.emulator import catalogue, faults
from nugen_pulumi.emulator.faults import FAULTS

STATUS = "/api/v3/models/undeploy-model/m-1/status"
RIGHT = catalogue.pending().answer("m-1")
MIB = 1024 * 1024
TO = "https://elsewhere.invalid/login"

# name: status, headers, what the body says
ANSWERED = {
    "301": (301, {"location": TO}, ""),
    "302": (302, {"location": TO}, ""),
    "307": (307, {"location": TO}, ""),
    "400": (400, {}, '{"detail": "Bad request"}'),
    "400-server": (400, {}, '{"detail": "Internal server error "}'),
    "401": (401, {}, '{"detail": "Not authenticated"}'),
    "403": (403, {}, "Could not validate credentials. Reason: API key not found"),
    "404-model": (404, {}, '{"detail": "Model not found"}'),
    "404-route": (404, {}, '{"detail": "Not Found"}'),
    "408": (408, {}, "Request Timeout"),
    "422": (422, {}, '{"detail": [{"loc": ["path", "model_id"], "msg": "field required"'),
    "425": (425, {}, "Too Early"),
    "429": (429, {"retry-after": None}, "Too Many Requests"),
    "429-date": (429, {}, "Too Many Requests"),
    "429-quota": (429, {"retry-after": None}, "Quota limit reached. Please add credits to your account"),
    "429-seconds": (429, {"retry-after": "1"}, "Too Many Requests"),
    "500": (500, {}, '{"detail": "Internal server error"}'),
    "502": (502, {"content-type": "text/html"}, "<title>502 Bad Gateway</title>"),
    "503": (503, {}, '{"detail": "Service Unavailable"}'),
    "504": (504, {"content-type": "text/html"}, "<title>504 Gateway Time-out</title>"),
    "522": (522, {}, '{"detail": "Error"}'),
    "530": (530, {"content-type": "text/plain; charset=UTF-8"}, "error code: 1033"),
    "ansi": (500, {}, r'{"detail": "\u001b[2J\u001b[31mred'),
    "binary": (200, {}, bytes(range(256)).decode(errors="replace")),
    "empty": (200, {"content-length": "0"}, ""),
    "html": (200, {"content-type": "text/html"}, "<!DOCTYPE html>"),
    "shape": (200, {"content-type": "application/json"}, '["m-1", "COMPLETED"]'),
}

# name: the error, and what it says
BROKEN = {
    "damaged": (httpx.RemoteProtocolError, "illegal request line"),
    "drip": (httpx.ReadTimeout, "timed out"),
    "drop": (httpx.RemoteProtocolError, "disconnected without sending a response"),
    "garbage": (httpx.RemoteProtocolError, "illegal status line"),
    "half": (httpx.RemoteProtocolError, r"complete message body \(received 56 bytes, expected 112\)"),
    "hang": (httpx.ReadTimeout, "timed out"),
    "mislabelled": (httpx.DecodingError, "incorrect header check"),
    "reset": (httpx.ReadError, "reset by peer"),
}

# Those with a test of their own.
APART = {"bomb", "flapping", "gzip", "huge", "twice"}


def raw(api):
    """Return the headers and the body as they come over the wire."""
    with api.stream("GET", STATUS) as response:
        return response.headers, b"".join(response.iter_raw())


def test_there_is_a_test_for_each_fault():
    assert {*FAULTS} == {*ANSWERED, *BROKEN, *APART}


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"flapping"}))
def test_a_fault_has_the_name_it_is_listed_under_and_tells_nothing_of_its_inside(name):
    assert f"Fault(name={name!r}, carried_out=False)" == repr(FAULTS[name]())


@pytest.mark.parametrize("name", ANSWERED)
def test_a_fault_may_be_an_answer_of_which_the_next_one_knows_nothing(emulator, api, name):
    emulator.script("m-1", FAULTS[name](), "COMPLETED")
    response = api.get(STATUS)
    status, headers, says = ANSWERED[name]

    assert status == response.status_code
    assert headers == {header: response.headers.get(header) for header in headers}
    assert says in response.text
    assert bool(says) == bool(response.text)
    assert "COMPLETED" == api.get(STATUS).json()["status"]


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_may_end_a_request_badly_and_only_that(emulator, api, caplog, name):
    """And uvicorn does not take it for a mistake."""
    emulator.script("m-1", FAULTS[name](), "COMPLETED")
    error, says = BROKEN[name]
    with pytest.raises(error, match=says):
        api.get(STATUS, timeout=httpx.Timeout(30, read=0.1 if error is httpx.ReadTimeout else 30))

    assert "COMPLETED" == api.get(STATUS).json()["status"]
    assert [] == caplog.records


def test_a_date_to_come_back_at_is_one_of_http_and_not_too_early(emulator, api):
    emulator.script("m-1", faults.too_many_until(30))
    earliest = datetime.now(UTC) + timedelta(seconds=30)
    said = api.get(STATUS).headers["retry-after"]

    assert said.endswith(" GMT")
    assert earliest <= parsedate_to_datetime(said) <= datetime.now(UTC) + timedelta(seconds=31)


def test_a_right_answer_is_well_compressed_though_nobody_asked_for_that(emulator, api):
    api.headers["Accept-Encoding"] = "identity"
    emulator.script("m-1", faults.gzipped())
    headers, body = raw(api)

    assert "gzip" == headers["content-encoding"]
    assert RIGHT.content == gzip.decompress(body)


def test_an_answer_of_more_than_a_mebibyte_would_be_right_for_who_read_it_all(emulator, api):
    emulator.script("m-1", faults.huge())
    headers, body = raw(api)

    assert MIB < len(body) == int(headers["content-length"])
    assert RIGHT.body == json.loads(body)


def test_so_would_an_answer_that_is_small_until_it_is_unpacked(emulator, api):
    emulator.script("m-1", faults.bomb())
    headers, body = raw(api)

    assert "gzip" == headers["content-encoding"]
    assert MIB / 100 > len(body)
    assert MIB < len(gzip.decompress(body))
    assert RIGHT.body == json.loads(gzip.decompress(body))


def test_a_second_copy_is_there_before_the_next_request(emulator):
    """And would be taken for its answer."""
    emulator.script("m-1", faults.twice())
    with socket.create_connection(("127.0.0.1", int(emulator.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(f"GET {STATUS} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        received = b""
        while received.count(b"PENDING") < 2:
            received += connection.recv(4096)

    assert 2 == received.count(b"HTTP/1.1 200")


def test_a_hang_ends_with_the_connection(emulator, api):
    emulator.script("m-1", faults.hang(0.05))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        api.get(STATUS)


def test_of_an_answer_that_drips_the_headers_come_at_once_and_the_body_byte_by_byte(emulator, api):
    emulator.script("m-1", faults.drip(0.05), faults.drip(0.0), "COMPLETED")
    with api.stream("GET", STATUS) as response:
        first = next(response.iter_raw())
    whole = api.get(STATUS)

    assert (200, str(len(RIGHT.content))) == (response.status_code, response.headers["content-length"])
    assert RIGHT.content.startswith(first)
    assert len(RIGHT.content) > len(first)
    assert (RIGHT.body, "close") == (whole.json(), whole.headers["connection"]), "for whoever is patient"
    assert "COMPLETED" == api.get(STATUS).json()["status"]
