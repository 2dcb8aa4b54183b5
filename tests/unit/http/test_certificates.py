"""Which certificates are trusted, by what the environment names and by what the system has."""

import re
import ssl
import sys

import pytest
import trustme
import truststore

from nugen_pulumi.errors import SettingsError
from nugen_pulumi.http import certificates as module
from nugen_pulumi.http.certificates import certificates


@pytest.mark.parametrize("value", ["/nowhere.pem", __file__])
def test_a_certificate_file_that_cannot_be_used_is_named_with_its_path(monkeypatch, value):
    monkeypatch.setenv("SSL_CERT_FILE", value)

    with pytest.raises(SettingsError, match=re.escape(f"SSL_CERT_FILE={value} contains no readable certificates")):
        certificates()


@pytest.fixture
def _unnamed(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


SYSTEM = "the certificate store of the system"


def test_what_the_environment_names_is_trusted_first(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_DIR", "/certificates")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert "SSL_CERT_DIR=/certificates" == certificates()[1]

    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert f"SSL_CERT_FILE={tmp_path / 'ca.pem'}" == certificates()[1]


@pytest.mark.usefixtures("_unnamed")
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="its store is no file")
def test_certifis_list_is_for_systems_that_have_none_and_for_no_other(monkeypatch, tmp_path):
    nothing = ssl.DefaultVerifyPaths(None, None, "", "", "", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr(module, "_BUNDLES", (str(tmp_path / "bundle.pem"),))
    context, store = certificates()

    assert "certifi's certificates (the system has none)" == store
    assert len(context.get_ca_certs()) > 50

    trustme.CA().cert_pem.write_to_path(tmp_path / "bundle.pem")
    assert SYSTEM == certificates()[1]

    (tmp_path / "bundle.pem").write_text("nothing")
    with pytest.raises(SettingsError, match=r"^The certificate store of the system contains no readable cert"):
        certificates()


@pytest.mark.usefixtures("_unnamed")
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_windows_and_macos_are_asked_themselves(monkeypatch, platform):
    monkeypatch.setattr("sys.platform", platform)
    context, store = certificates()

    assert (truststore.SSLContext, SYSTEM) == (type(context), store)
