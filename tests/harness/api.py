"""The API as a function from request to answer, for tests that need no socket."""

import asyncio

import httpx

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.settings import Settings
from nugen_pulumi.waiting.event_loop import Loop

SETTINGS = Settings(api_key="key-for-tests", base_url="https://api.test", base_url_source="nugen:baseUrl")


def body(status="PENDING", **fields):
    """Return a documented 200."""
    return httpx.Response(200, json={"model_id": "m", "status": status, **fields})


class ScriptedApi(httpx.AsyncBaseTransport):
    """
    Answers each request with the next element of a script, and the last one for ever.

    An element is a status word, an HTTP status, a response, an exception to raise, a pair of seconds and one of these
    (the answer then takes so long), or a function that is given the request and returns one of all these. `requests`
    holds (time, method, path).
    """

    def __init__(self, *script):
        self.script = list(script)
        self.requests = []

    async def handle_async_request(self, request):
        clock = asyncio.get_running_loop().time
        self.requests.append((clock(), request.method, request.url.raw_path.decode()))
        answer = self.script[min(len(self.requests), len(self.script)) - 1]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, tuple):
            seconds, answer = answer
            await asyncio.sleep(seconds)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            answer = body(answer)
        if isinstance(answer, int):
            answer = httpx.Response(answer)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=Body(answer.content))

    @property
    def times(self):
        return [time for time, _, _ in self.requests]

    @property
    def methods(self):
        return [method for _, method, _ in self.requests]


class Body(httpx.AsyncByteStream):
    """A body that can be sent more than once."""

    def __init__(self, content):
        self._content = content

    async def __aiter__(self):
        yield self._content


class Told:
    """Remembers what a person is told; ``said`` holds lines and warnings."""

    def __init__(self, timeout=None, urn="urn:pulumi:dev::test::nugen:index:DeployedModel::m"):
        self.urn = urn
        self.timeout = timeout
        self.said = []
        self.debugged = []

    def report(self, line):
        self.said.append(line)

    warn = report

    def debug(self, line):
        self.debugged.append(line)


def client_for(api, settings=SETTINGS):
    """Return a client that speaks to *api*."""
    return NugenClient(settings, transport=api)


def run(main):
    """Run the coroutine function *main* over real sockets, in the kind of loop that waits run in."""
    loop = Loop()
    try:
        return loop.run_until_complete(main())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
