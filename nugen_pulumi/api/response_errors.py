"""What an HTTP response of the API that is no success means for the caller, and what to do about it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from nugen_pulumi.errors import (
    BadKeyError,
    GatewayError,
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


def error_of(response: Response, subject: str, settings: Settings, *, answered: bool = False) -> NugenError:
    """
    Return the error for a response that is not a 2xx. The class depends on what the caller can do, not on the range
    of the status code: a 400 can be a server error, and a 429 an account without credits.

    Args:
        response: The response.
        subject: What was asked about, as the beginning of a sentence.
        settings: Where the API is.
        answered: The API has answered a request before. Then what a gateway says for it is waited out, like a 502.
    """
    said, status, retry_after = response.summary, response.status, response.retry_after()
    own = is_of_api(response)
    out_of_credits = status == 429 and own and re.search(r"quota|credit", response.detail, re.IGNORECASE)
    if status == 503 or (status == 429 and (retry_after is not None or not out_of_credits)):
        return OverloadedError(said, retry_after=retry_after)
    if status in (408, 425) or status >= 500 or is_server_error(response):
        return UnavailableError(said, retry_after=retry_after)
    if not own and answered:
        return UnavailableError(f"{said} (not the API's own response)", retry_after=retry_after)

    kind, why = _rejection(response, settings) if own else (GatewayError, _of_gateway(response, settings))
    return kind(f"{subject}: {why}.")


def _of_gateway(response: Response, settings: Settings) -> str:
    """Return what answers in the API's place, and what to do about it."""
    said, status, source = response.summary, response.status, settings.base_url_source
    if status < 400 and "location" in response.headers:
        host = _host(response.headers["location"])
        return (
            f"{settings.base_url} redirects to {host} ({status}). Redirects are not followed, because only"
            f" the API may receive the API key: check the base URL (from {source})"
        )
    if response.is_page:
        return page_instead(response, source)
    what = "has no such endpoint" if status == 404 else "answers with something else than the API"
    return f"{settings.base_url} {what} ({said}): check the base URL (from {source})"


def _rejection(response: Response, settings: Settings) -> tuple[type[RejectedError], str]:
    """Return what the API itself rejects, and what to do about it."""
    said, status = response.summary, response.status
    if status in (401, 403):
        return BadKeyError, (
            f"the Nugen API does not accept the API key ({said}): check the one in {settings.api_key_source}"
            f"{_OF_PROVIDER if settings.api_key_source == 'nugen:apiKey' else ''}"
        )
    if is_no_model(response):
        return ModelNotFoundError, (
            f"the Nugen API knows no such model, or it belongs to another account ({said}): correct the id, or use"
            " the API key of its account"
        )
    if status == 404:
        kind = NoRouteError if _json(response) == {"detail": "Not Found"} else RejectedError
        source = settings.base_url_source
        return kind, f"{settings.base_url} has no such endpoint ({said}): check the base URL (from {source})"
    whys = {422: "the Nugen API does not accept this model id", 429: "the Nugen account is out of credits"}
    return RejectedError, f"{whys.get(status, 'the Nugen API rejects the request')} ({said})"


def page_instead(response: Response, source: str) -> str:
    """Return the message for an HTML page where the API's JSON should be; *source* is where the base URL is from."""
    return f"an HTML page ({response.excerpt}) instead of the API's response: check the base URL (from {source})"


def is_no_model(response: Response) -> bool:
    """Whether a response is what the API itself says of a model that it does not know."""
    return response.status == 404 and is_of_api(response) and response.detail.rstrip(".").lower() == "model not found"


def is_of_api(response: Response) -> bool:
    """Whether a response is the API's own, which says in JSON what is the ``detail``; a page is somebody else's."""
    return isinstance(body := _json(response), dict) and "detail" in body


def _json(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _host(location: str) -> str:
    try:
        return printable(urlsplit(location).hostname or "another path", 100)
    except ValueError:
        return "an invalid URL"


def is_server_error(response: Response) -> bool:
    """Whether a 400 is a server error: the API once returned 400 ``Internal server error ``."""
    return response.status == 400 and response.detail.lower().startswith("internal server error")
