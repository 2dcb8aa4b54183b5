"""Each fault that is an answer is seen by a client as what it claims to be."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from nugen_pulumi.emulator import Delivery, catalogue, faults
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
    "empty": (200, {"content-length": "0"}, ""),
    "html": (200, {"content-type": "text/html"}, "<!DOCTYPE html>"),
    "shape": (200, {"content-type": "application/json"}, '["m-1", "COMPLETED"]'),
}

# Those with a test of their own.
APART = {"binary", "bomb", "flapping", "gzip", "huge", "mislabelled"}


def raw(api):
    """Return the headers and the body as they come over the wire."""
    with api.stream("GET", STATUS) as response:
        return response.headers, b"".join(response.iter_raw())


def test_all_are_seen():
    """There is a test for each fault that can be named; the connection's own faults are tested with it."""
    whole = {n for n, fault in FAULTS.items() if n == "flapping" or fault().spoil(RIGHT).delivery is Delivery.WHOLE}

    assert whole == {*ANSWERED, *APART}


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"flapping"}))
def test_name(name):
    """A fault that is told to people has the name it is listed under, and nothing of its inside."""
    assert f"Fault(name={name!r}, carried_out=False)" == repr(FAULTS[name]())


@pytest.mark.parametrize("name", ANSWERED)
def test_answered(emulator, api, name):
    """Some faults are answers, of which the next one knows nothing any more."""
    emulator.script("m-1", FAULTS[name](), "COMPLETED")
    response = api.get(STATUS)

    status, headers, says = ANSWERED[name]
    assert status == response.status_code
    assert headers == {header: response.headers.get(header) for header in headers}
    assert says in response.text
    assert bool(says) == bool(response.text)
    assert "COMPLETED" == api.get(STATUS).json()["status"]


def test_date(emulator, api):
    """A date to come back at is one of HTTP's, and not too early."""
    emulator.script("m-1", faults.too_many_until(30))
    earliest = datetime.now(UTC) + timedelta(seconds=30)
    said = api.get(STATUS).headers["retry-after"]

    assert said.endswith(" GMT")
    assert earliest <= parsedate_to_datetime(said) <= datetime.now(UTC) + timedelta(seconds=31)


def test_binary(emulator, api):
    """Bytes that are no text pass as they are."""
    emulator.script("m-1", faults.binary())

    assert bytes(range(256)) == api.get(STATUS).content


def test_gzip(emulator, api):
    """A right answer is well compressed, though nobody asked for that."""
    api.headers["Accept-Encoding"] = "identity"
    emulator.script("m-1", faults.gzipped())
    headers, body = raw(api)

    assert "gzip" == headers["content-encoding"]
    assert RIGHT.content == gzip.decompress(body)


def test_huge(emulator, api):
    """An answer of more than 1 MiB would be right for who read it all."""
    emulator.script("m-1", faults.huge())
    headers, body = raw(api)

    assert MIB < len(body) == int(headers["content-length"])
    assert RIGHT.body == json.loads(body)


def test_bomb(emulator, api):
    """So would an answer that is small until it is unpacked."""
    emulator.script("m-1", faults.bomb())
    headers, body = raw(api)

    assert "gzip" == headers["content-encoding"]
    assert MIB / 100 > len(body)
    assert MIB < len(gzip.decompress(body))
    assert RIGHT.body == json.loads(gzip.decompress(body))


def test_mislabelled(emulator, api):
    """A client that believes what an answer claims of its encoding cannot read it."""
    emulator.script("m-1", faults.mislabelled())

    with pytest.raises(httpx.DecodingError, match="incorrect header check"):
        api.get(STATUS)


def test_encoding(emulator, api):
    """An answer may claim any encoding, of which nobody knows how to read it."""
    emulator.script("m-1", faults.mislabelled("snappy"))
    headers, body = raw(api)

    assert ("snappy", RIGHT.content) == (headers["content-encoding"], body)
