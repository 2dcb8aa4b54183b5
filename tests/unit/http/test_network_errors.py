"""Each exception of the libraries below becomes one of ours."""

import importlib
import inspect
import os
import socket
import ssl

import anyio
import httpcore
import pytest

from nugen_pulumi.errors import RejectedError, UnavailableError
from nugen_pulumi.http.network_errors import Route, is_network_error, network_error
from nugen_pulumi.http.proxies import Proxy
from nugen_pulumi.settings import Settings

SETTINGS = Settings("k", "https://api.test", "nugen:baseUrl")
PROXY = Route(Proxy("http://proxy.test:1", "HTTPS_PROXY", (b"user", b"secret")), "the store")
DIRECT = Route()
WHERE = "https://api.test (from nugen:baseUrl)"


def exceptions_of(*names):
    """Return the exceptions that the modules called *names* make public."""
    values = [value for name in names for value in vars(importlib.import_module(name)).values()]
    kinds = {
        value
        for value in values
        if inspect.isclass(value) and issubclass(value, Exception) and value.__name__[0] != "_"
    }
    return sorted(kinds - {Exception}, key=lambda kind: kind.__name__)


KINDS = exceptions_of("httpcore", "h11", "anyio", "ssl", "socket")
assert len(KINDS) > 30


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_exception_of_the_libraries_is_foreseen(kind):
    """So that a new one cannot reach the operator as a traceback."""
    exc = kind.__new__(kind)

    assert is_network_error(exc)
    assert isinstance(network_error(exc, SETTINGS, DIRECT), (UnavailableError, RejectedError))


def test_a_mistake_of_ours_is_none():
    assert not is_network_error(ZeroDivisionError())


def test_a_group_is_what_is_in_it_and_was_never_sent():
    """Anyio gathers what it met at each address of a name."""
    group = ExceptionGroup("several", [OSError("first"), ExceptionGroup("more", [anyio.EndOfStream()])])
    error = network_error(group, SETTINGS, DIRECT)

    assert is_network_error(group)
    assert not is_network_error(ExceptionGroup("x", [OSError(), ZeroDivisionError()]))
    assert (f"cannot connect (first) to {WHERE}", False) == (str(error), error.sent)


@pytest.mark.parametrize("kind", [ssl.SSLError, httpcore.ReadError, ConnectionResetError])
def test_what_broke_after_the_handshake_may_have_been_carried_out(kind):
    error = network_error(kind("bad record"), SETTINGS, DIRECT)

    assert str(error) == f"connection lost (bad record) to {WHERE}"
    assert error.sent


def before_the_handshake(cause):
    connect = httpcore.ConnectError("failed")
    connect.__cause__ = cause
    return connect


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (10, "has expired: renew it on the server, or correct the clock of this machine"),
        (0x800B0101, "has expired: renew it on the server, or correct the clock of this machine"),
        (62, "belongs to another host: check the base URL"),
        (64, "belongs to another host: check the base URL"),
        (-67602, "belongs to another host: check the base URL"),
        (20, "is not trusted by the store: add a private CA there, or set SSL_CERT_FILE to its file"),
    ],
)
def test_each_error_with_a_certificate_has_its_own_advice(code, advice):
    cause = ssl.SSLCertVerificationError(1, "verify failed")
    cause.verify_code = code
    error = network_error(before_the_handshake(cause), SETTINGS, PROXY)

    assert RejectedError is type(error)
    assert f"The certificate of {WHERE} {advice} (verify failed)." == str(error)


@pytest.mark.parametrize("reason", ["WRONG_VERSION_NUMBER", "HTTP_REQUEST"])
def test_what_looks_like_plain_http_is_called_so_only_before_the_handshake(reason):
    """A damaged record looks so, too: only what fails before the handshake is complete was never sent."""
    cause = ssl.SSLError(1, f"[SSL: {reason}]")
    cause.reason = reason
    connect = httpcore.ConnectError("x")
    connect.__context__ = cause
    never_sent, damaged = network_error(connect, SETTINGS, DIRECT), network_error(cause, SETTINGS, DIRECT)

    assert f"{WHERE} speaks plain http on this port, not https: check it" == str(never_sent)
    assert str(damaged).startswith("connection lost (")
    assert (False, True) == (never_sent.sent, damaged.sent)


# Numbers that every system has a text for.
ONE, OTHER = (OSError(number, "Connect call failed ('127.0.0.1', 9)") for number in (13, 32))


@pytest.mark.parametrize(
    ("met", "said"),
    [
        (ONE, os.strerror(13)),
        (ExceptionGroup("multiple", [ONE, ONE]), os.strerror(13)),
        (ExceptionGroup("multiple", [ONE, OTHER]), f"{os.strerror(13)}; {os.strerror(32)}"),
    ],
)
def test_what_the_system_says_is_found_below_what_the_libraries_say(met, said):
    """Asyncio writes an address into the place of the system's own words; a name may have several addresses."""
    lost = OSError("All connection attempts failed")
    lost.__cause__ = met

    assert f"cannot connect ({said}) to {WHERE}" == str(network_error(before_the_handshake(lost), SETTINGS, DIRECT))


@pytest.mark.parametrize(
    ("exc", "says"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ssl.SSLError(1, "[SSL: BAD_RECORD_MAC] bad record mac (_ssl.c:2580)"), "bad record mac"),
        (httpcore.ReadError("[Errno 104] Connection reset by peer"), "Connection reset by peer"),
        (httpcore.ReadError(""), "ReadError"),
    ],
)
def test_what_only_a_librarys_maker_needs_is_left_out(exc, says):
    assert f"connection lost ({says}) to {WHERE}" == str(network_error(exc, SETTINGS, DIRECT))


def at_proxy(cause):
    """As a connection raises what goes wrong before the API is spoken to."""
    error = httpcore.ProxyError(str(cause))
    error.__cause__ = cause
    return error


def test_a_proxy_that_is_down_is_named_without_its_password():
    error = network_error(at_proxy(httpcore.ConnectError("refused")), SETTINGS, PROXY)

    assert "cannot connect (refused) through the proxy http://proxy.test:1 (from HTTPS_PROXY)" == str(error)
    assert not error.sent


def test_what_is_wrong_with_the_tls_of_a_proxy_is_not_said_of_the_api():
    untrusted, plain = ssl.SSLCertVerificationError(1, "verify failed"), ssl.SSLError(1, "no")
    untrusted.verify_code, plain.reason = 62, "WRONG_VERSION_NUMBER"
    where = "the proxy http://proxy.test:1 (from HTTPS_PROXY)"

    assert f"The certificate of {where} belongs to another host: check HTTPS_PROXY (verify failed)." == str(
        network_error(at_proxy(before_the_handshake(untrusted)), SETTINGS, PROXY)
    )
    assert f"{where} speaks plain http on this port, not https: check it" == str(
        network_error(at_proxy(before_the_handshake(plain)), SETTINGS, PROXY)
    )


@pytest.mark.parametrize(
    ("auth", "says"),
    [((b"user", b"secret"), "does not accept its user and password"), (None, "wants a user and a password")],
)
def test_a_proxy_that_wants_another_password_is_asked_once_because_that_can_lock_an_account(auth, says):
    route = Route(Proxy("http://proxy.test:1", "HTTPS_PROXY", auth))
    error = network_error(httpcore.ProxyError("407 Proxy Authentication Required"), SETTINGS, route)

    assert RejectedError is type(error)
    assert str(error) == (
        f"The proxy http://proxy.test:1 (from HTTPS_PROXY) {says} (407 Proxy Authentication Required):"
        " correct HTTPS_PROXY."
    )


def test_on_windows_the_system_says_what_a_number_of_its_sockets_means(monkeypatch):
    monkeypatch.setattr(socket, "errorTab", {10061: "Connection refused."}, raising=False)
    error = network_error(before_the_handshake(OSError(10061, "Connect call failed")), SETTINGS, DIRECT)

    assert f"cannot connect (Connection refused) to {WHERE}" == str(error)


def test_a_proxy_is_not_named_where_the_connection_through_it_broke():
    error = network_error(socket.gaierror("x"), SETTINGS, PROXY)

    assert (f"connection lost (x) to {WHERE}", True) == (str(error), error.sent)
