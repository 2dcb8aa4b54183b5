"""What an HTTP response of the API that is no success means for the caller, and what to do about it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from nugen_pulumi.errors import (
    BadKeyError,
    ModelNotFoundError,
    NoRouteError,
    NugenError,
    OverloadedError,
    RejectedError,
    UnavailableError,
)
from nugen_pulumi.http.response import Response
from nugen_pulumi.settings import Settings
from nugen_pulumi.text import printable

# An explicit provider's settings arrive as if they were the stack's.
_OF_PROVIDER = " (in the stack config, or in the Provider of the resource)"


def error_of(response: Response, model_id: str, settings: Settings) -> NugenError:
    """
    Return the error for a response that is not a 2xx. The class depends on what the caller can do, not on the range
    of the status code: a 400 can be a server error, and a 429 an account without credits.
    """
    said = response.summary
    source = settings.base_url_source
    retry_after = response.retry_after()
    status = response.status
    if status == 503:
        return OverloadedError(said, retry_after=retry_after)
    if status == 429 and (retry_after is not None or not re.search(r"quota|credit", response.detail, re.IGNORECASE)):
        return OverloadedError(said, retry_after=retry_after)
    if status in (408, 425) or status >= 500 or is_server_error(response):
        return UnavailableError(said, retry_after=retry_after)

    kind: type[RejectedError] = RejectedError
    if status < 400:
        host = _host(response.headers.get("location", ""))
        why = (
            f"{settings.base_url} redirects to {host} ({status}). Redirects are not followed, because only"
            f" the API may receive the API key: check the base URL (from {source})"
        )
    elif status in (401, 403):
        kind = BadKeyError
        why = (
            f"the Nugen API does not accept the API key ({said}): check the one in {settings.api_key_source}"
            f"{_OF_PROVIDER if settings.api_key_source == 'nugen:apiKey' else ''}"
        )
    elif is_no_model(response):
        kind = ModelNotFoundError
        why = (
            f"the Nugen API knows no such model, or it belongs to another account ({said}): correct the id, or use"
            " the API key of its account"
        )
    elif status == 404:
        kind = NoRouteError if _is_no_route(response) else kind
        why = f"{settings.base_url} has no such endpoint ({said}): check the base URL (from {source})"
    elif status == 422:
        why = f"the Nugen API does not accept this model id ({said})"
    elif status == 429:
        why = f"the Nugen account is out of credits ({said})"
    else:
        why = f"the Nugen API rejects the request ({said})"
    return kind(f"Model {model_id}: {why}.")


def page_instead(response: Response, source: str) -> str:
    """Return the message for an HTML page where the API's JSON should be; *source* is where the base URL is from."""
    return f"an HTML page ({response.excerpt}) instead of the API's response: check the base URL (from {source})"


def is_no_model(response: Response) -> bool:
    """Whether a response is what the API itself says of a model that it does not know."""
    return response.status == 404 and response.detail.rstrip(".").lower() == "model not found"


def _is_no_route(response: Response) -> bool:
    """Whether a 404 is what the API itself says of a route that it does not have."""
    try:
        return bool(response.json() == {"detail": "Not Found"})
    except ValueError:
        return False


def _host(location: str) -> str:
    try:
        return printable(urlsplit(location).hostname or "another path", 100)
    except ValueError:
        return "an invalid URL"


def is_server_error(response: Response) -> bool:
    """Whether a 400 is a server error: the API once returned 400 ``Internal server error ``."""
    return response.status == 400 and response.detail.lower().startswith("internal server error")
