import sys

import pytest

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.settings import MissingKeyError, Settings

KEY = {"nugen:apiKey": "key-from-config"}


def find(config=None, environ=None):
    return Settings.find({**KEY, **(config or {})}.get, environ or {})


def refusal(config):
    with pytest.raises(SettingsError) as caught:
        find(config)
    return str(caught.value)


def test_defaults():
    assert Settings("key-from-config", "https://api.nugen.in", "the default", 30.0, 128, "nugen:apiKey") == find()


def test_config_wins_over_the_environment_setting_by_setting():
    environ = {
        "NUGEN_API_KEY": "key-from-env",
        "NUGEN_BASE_URL": "https://env.test",
        "NUGEN_MAX_CONCURRENT_REQUESTS": "3",
    }
    settings = find({"nugen:baseUrl": "https://config.test", "nugen:requestTimeoutSeconds": "2.5"}, environ)

    assert Settings("key-from-config", "https://config.test", "nugen:baseUrl", 2.5, 3) == settings


def test_the_environment_is_used_where_config_says_nothing():
    settings = Settings.find(
        {"nugen:baseUrl": "  "}.get, {"NUGEN_API_KEY": " key-from-env\n", "NUGEN_BASE_URL": "https://e.test"}
    )

    assert ("key-from-env", "https://e.test", "NUGEN_BASE_URL") == (
        settings.api_key,
        settings.base_url,
        settings.base_url_source,
    )


@pytest.mark.parametrize("environ", [{}, {"NUGEN_API_KEY": ""}, {"NUGEN_API_KEY": " \n"}])
def test_a_missing_key_is_one_sentence_that_names_both_ways(environ):
    with pytest.raises(MissingKeyError) as caught:
        Settings.find({}.get, environ)
    assert (
        "There is no Nugen API key: run `pulumi config set --secret nugen:apiKey`, or set NUGEN_API_KEY."
        " An explicit provider does not read the stack config: give it the key."
    ) == str(caught.value)


def test_settings_of_an_explicit_provider_are_called_its_own():
    """To set them in the stack config would not help."""
    with pytest.raises(MissingKeyError) as caught:
        Settings.find({"nugen:provider": "eu"}.get, {})
    assert "The Provider eu has no API key: give it one, or set NUGEN_API_KEY." == str(caught.value)

    found = Settings.find({"nugen:provider": "eu", "nugen:apiKey": "k"}.get, {"NUGEN_BASE_URL": "https://eu.test"})
    assert ("apiKey of the Provider eu", "NUGEN_BASE_URL") == (found.api_key_source, found.base_url_source)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", "nul\x00", "tab\t."])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key):
    said = refusal({"nugen:apiKey": key})

    assert "nugen:apiKey" in said
    assert key not in said


def test_the_key_is_in_no_repr():
    assert "key-from-config" not in f"{find()!r} {find()!s}"


@pytest.mark.parametrize(
    ("given", "base_url"),
    [
        ("https://api.nugen.in", "https://api.nugen.in"),
        ("https://api.nugen.in/", "https://api.nugen.in"),
        ("https://api.nugen.in/api/v3", "https://api.nugen.in"),
        ("https://api.nugen.in/api/v3/", "https://api.nugen.in"),
        (" https://api.nugen.in ", "https://api.nugen.in"),
        ("https://gateway.test/nugen/api/v3", "https://gateway.test/nugen"),
        ("https://gateway.test/nugen//api/v3", "https://gateway.test/nugen"),
        ("https://gateway.test:8443/nugen/", "https://gateway.test:8443/nugen"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("http://127.1.2.3:8787", "http://127.1.2.3:8787"),
        ("http://localhost:8787/api/v3", "http://localhost:8787"),
        ("http://LOCALHOST.:8787", "http://LOCALHOST:8787"),
        ("https://api.nugen.in./api/v3", "https://api.nugen.in"),
        ("http://[::1]:8787", "http://[::1]:8787"),
    ],
)
def test_the_base_url_is_taken_as_people_write_it(given, base_url):
    assert base_url == find({"nugen:baseUrl": given}).base_url


@pytest.mark.parametrize(
    "given",
    [
        "api.nugen.in",
        "ftp://api.nugen.in",
        "https://",
        "https:///api",
        "https://api.nugen.in:port",
        "https://api.nugen.in:99999",
        "https://[zz]/",
        "https://api nugen",
        "https://api.nugen.in/?a=b",
        "https://api.nugen.in/#x",
        "https://user:secret@api.nugen.in",
        "https://api.nugen.in\\x",
    ],
)
def test_what_is_no_base_url_is_refused_in_a_sentence_that_names_it(given):
    said = refusal({"nugen:baseUrl": given})

    assert said.startswith("nugen:baseUrl ")
    assert "https://api.nugen.in." in said
    assert "secret" not in said


@pytest.mark.parametrize("host", ["api.nugen.in", "10.0.0.1", "localhost.evil.test", "127.0.0.1.evil.test", "[::2]"])
def test_plain_http_is_for_loopback_only(host):
    assert (
        f"nugen:baseUrl is plain http to {host.strip('[]')}, which sends the API key unencrypted: use https."
    ) == refusal({"nugen:baseUrl": f"http://{host}"})


@pytest.mark.parametrize(("value", "seconds"), [("0.1", 0.1), (" 1 ", 1.0), ("86400", 86400.0)])
def test_a_request_timeout_is_any_time(value, seconds):
    assert seconds == find({"nugen:requestTimeoutSeconds": value}).request_timeout


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "soon"])
def test_a_request_timeout_that_is_no_time_is_refused(value):
    assert "nugen:requestTimeoutSeconds must be a number of seconds greater than 0, such as 30." == refusal(
        {"nugen:requestTimeoutSeconds": value}
    )


@pytest.mark.parametrize(("value", "requests"), [("1", 1), ("1000", 1000), ("8.0", 8)])
def test_one_to_a_thousand_requests_may_be_under_way(monkeypatch, value, requests):
    monkeypatch.setattr(sys, "platform", "linux")

    assert requests == find({"nugen:maxConcurrentRequests": value}).max_concurrent_requests


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "inf", "many", "1001"])
def test_a_bad_number_of_requests_is_refused(monkeypatch, value):
    monkeypatch.setattr(sys, "platform", "linux")

    assert "nugen:maxConcurrentRequests must be a whole number from 1 to 1000, such as 128." == refusal(
        {"nugen:maxConcurrentRequests": value}
    )


def test_on_windows_five_hundred_may_be_under_way(monkeypatch):
    """An event loop that is given the 513th socket there ends."""
    monkeypatch.setattr(sys, "platform", "win32")

    assert 500 == find({"nugen:maxConcurrentRequests": "500"}).max_concurrent_requests
    assert "from 1 to 500" in refusal({"nugen:maxConcurrentRequests": "501"})
