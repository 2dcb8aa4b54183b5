"""Proxies as curl takes them."""

import pytest

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.http.proxies import find_proxy


def find(monkeypatch, host="api.test", port=443, **environ):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return find_proxy(host, port)


@pytest.mark.parametrize(
    ("value", "url", "auth"),
    [
        ("proxy.test:3128", "http://proxy.test:3128", None),
        ("http://proxy.test", "http://proxy.test:80", None),
        ("HTTPS://proxy.test/", "https://proxy.test:443", None),
        ("http://[::1]:8080", "http://[::1]:8080", None),
        ("user:pw@proxy.test:1", "http://proxy.test:1", (b"user", b"pw")),
        ("http://user:p%40w@proxy.test:1", "http://proxy.test:1", (b"user", b"p@w")),
        ("http://user:p#/@?w@proxy.test:1/x?y", "http://proxy.test:1", (b"user", b"p#/@?w")),
        ("http://user:p%C3%9F@proxy.test:1", "http://proxy.test:1", (b"user", "pß".encode())),
        ("http://user:pß@proxy.test:1", "http://proxy.test:1", (b"user", "pß".encode())),
    ],
)
def test_a_proxy_is_read_with_and_without_a_scheme(monkeypatch, value, url, auth):
    proxy = find(monkeypatch, HTTPS_PROXY=value)

    assert (url, "HTTPS_PROXY", auth) == (proxy.url, proxy.source, proxy.auth)


def test_https_proxy_wins_over_all_proxy(monkeypatch):
    assert "ALL_PROXY" == find(monkeypatch, ALL_PROXY="a:1").source
    assert "HTTPS_PROXY" == find(monkeypatch, HTTPS_PROXY="b:1").source


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("socks5://user:secret@proxy.test", "names a type of proxy that this package does not support"),
        ("ftp://user:secret@proxy.test", "names a type of proxy that this package does not support"),
        ("http://user:secret@proxy.test:80a", "is not a valid proxy address"),
        ("user:secret@", "is not a valid proxy address"),
        ("http://user:secret@a b", "is not a valid proxy address"),
        ("http://user:secret@proxy.test:70000", "is not a valid proxy address"),
    ],
)
def test_what_is_no_proxy_is_named_without_its_password(monkeypatch, value, what):
    with pytest.raises(SettingsError) as caught:
        find(monkeypatch, HTTPS_PROXY=value)
    assert f"HTTPS_PROXY {what}: use something like HTTPS_PROXY=http://proxy.example:3128." == str(caught.value)
    assert "secret" not in repr(caught.value.__cause__)


def test_a_password_is_in_no_repr(monkeypatch):
    assert "secret" not in repr(find(monkeypatch, HTTPS_PROXY="user:secret@proxy.test:1"))


@pytest.mark.parametrize(
    ("no_proxy", "host", "excluded"),
    [
        ("*", "api.test", True),
        ("other.test, api.test", "api.test", True),
        (".test", "api.test", True),
        ("*.test", "api.test", True),
        ("test", "api.test", True),
        ("pi.test", "api.test", False),
        ("api.test:443", "API.test", True),
        ("api.test:444", "api.test", False),
        ("api.test:444, api.test:443", "api.test", True),
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.9/8", "127.0.0.1", True),
        ("127.0.0.1:443", "127.0.0.1", True),
        ("[::1]:443", "::1", True),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("", "api.test", False),
    ],
)
def test_no_proxy_excludes_hosts_with_and_without_a_port(monkeypatch, no_proxy, host, excluded):
    assert excluded == (find(monkeypatch, host, HTTPS_PROXY="proxy.test:1", NO_PROXY=no_proxy) is None)
