"""The resource ``Provider``: a Nugen account that is not the stack's."""

from __future__ import annotations

import pulumi


class Provider(pulumi.ProviderResource):
    """
    A Nugen account, for resources that do not use the stack's settings.

    Pass it as ``opts.provider``, or let resources inherit it from a component. It runs in its own process and does not
    read the stack config. Settings that you do not pass come from the environment.

    Args:
        resource_name: The name of the provider in the stack.
        api_key: The API key, always a secret in state. Default: ``NUGEN_API_KEY``.
        base_url: The API's base URL. Default: ``NUGEN_BASE_URL``, else ``https://api.nugen.in``.
        request_timeout_seconds: Seconds for one HTTP request in all. Default 30.
        max_concurrent_requests: Limit of concurrent HTTP requests. Default 128.
        opts: The usual options of a Pulumi resource.

    Example:
        ``pulumi.ResourceOptions(provider=Provider("eu", api_key=config.require_secret("euKey")))``
    """

    def __init__(
        self,
        resource_name: str,
        *,
        api_key: pulumi.Input[str] | None = None,
        base_url: pulumi.Input[str] | None = None,
        request_timeout_seconds: pulumi.Input[float] | None = None,
        max_concurrent_requests: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # The host hands a provider's properties over as its config; config values are texts.
        props: dict[str, pulumi.Input[str] | None] = {
            "nugen:apiKey": None if api_key is None else pulumi.Output.secret(api_key),
            "nugen:baseUrl": base_url,
            "nugen:requestTimeoutSeconds": _text(request_timeout_seconds),
            "nugen:maxConcurrentRequests": _text(max_concurrent_requests),
            # For messages about these settings.
            "nugen:provider": resource_name,
        }
        super().__init__(
            "pulumi-python", resource_name, {name: value for name, value in props.items() if value is not None}, opts
        )


def _text(value: pulumi.Input[float] | None) -> pulumi.Input[str] | None:
    return None if value is None else pulumi.Output.from_input(value).apply(str)
