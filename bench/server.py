"""
The status endpoint and the DELETE, as light as Python can serve them: not to be the bottleneck of a measurement.

`python bench/server.py SECONDS [RATE BURST REFUSAL [LATENCY [FROM FOR [RETRY_AFTER]]]]`: each model is undeployed
SECONDS after its DELETE, or after it was first heard of; its first poll, which may be before a DELETE, is PENDING. RATE
requests a second are admitted, with a burst of BURST, the others refused with the status REFUSAL; 0: no limit. Each
answer takes LATENCY seconds. FROM seconds after the first request, everything is refused FOR seconds, with a
RETRY_AFTER if it is not 0; if it is -1, nobody listens for so long. Prints its port.
`GET /stats` answers with admitted polls, admitted DELETEs and the detection lags in seconds, then with the refusals,
the longest time without an admitted poll of one model, the seconds from the first admitted request to the last, the
number of models whose DELETE was carried out more than once, and the share of the limit that was used until the last
undeployment was finished: what is left then are single models whose next poll is not due; and at last the requests
during the outage, which count nowhere else. `GET /reset` does so and forgets them all.
"""

import asyncio
import bisect
import json
import sys
import time
from typing import ClassVar

SECONDS = float(sys.argv[1])
DEFAULTS = ["0", "1", "429", "0", "0", "0", "0"]
RATE, BURST, REFUSAL, LATENCY, FROM, FOR, RETRY_AFTER = map(float, sys.argv[2:] + DEFAULTS[len(sys.argv) - 2 :])


class Api(asyncio.Protocol):
    """One connection."""

    began: ClassVar[dict[bytes, float]] = {}
    lags: ClassVar[dict[bytes, float]] = {}
    counts: ClassVar = {b"GET": 0, b"DELETE": 0}
    polled: ClassVar[dict[bytes, float]] = {}
    deleted: ClassVar[dict[bytes, int]] = {}
    admitted: ClassVar[list[float]] = []
    tokens: ClassVar = [BURST, 0.0]
    open: ClassVar[set[asyncio.Transport]] = set()
    refused = 0
    in_outage = 0
    first_at: ClassVar[list[float]] = []
    longest = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Remember where to answer."""
        self.transport = transport
        self.open.add(transport)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the connection."""
        self.open.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Answer one request; clients here never pipeline, and their requests fit one segment."""
        method, path, _ = data.split(b" ", 2)
        if path in (b"/reset", b"/stats"):
            twice = sum(count > 1 for count in self.deleted.values())
            took = self.admitted[-1] - self.admitted[0] if self.admitted else 0.0
            more = [Api.refused, Api.longest, took, twice, self.used(), Api.in_outage]
            self.answer(json.dumps([*self.counts.values(), list(self.lags.values()), *more]).encode())
            if path == b"/reset":
                Api.began, Api.lags, Api.counts, Api.polled = {}, {}, {b"GET": 0, b"DELETE": 0}, {}
                Api.first_at, Api.in_outage = [], 0
                Api.deleted, Api.admitted, Api.refused, Api.longest = {}, [], 0, 0.0
            return
        now = time.monotonic()
        if not self.first_at:
            self.first_at.append(now)
        if RETRY_AFTER >= 0 and FROM <= now - self.first_at[0] < FROM + FOR:
            Api.in_outage += 1
            after = b"\r\nretry-after: %d" % RETRY_AFTER if RETRY_AFTER else b""
            self.answer(b'{"detail":"Unavailable"}', b"503 Unavailable" + after)
            return
        if RATE and not self.admits(now):
            Api.refused += 1
            self.answer(b'{"detail":"Too many requests"}', b"%d Refused" % REFUSAL)
            return
        self.admitted.append(now)
        self.counts[method] += 1
        model = path.split(b"/")[5]
        if method == b"GET":
            Api.longest = max(Api.longest, now - self.polled.get(model, now))
            self.polled[model] = now
        first = model not in self.began
        if first or (method == b"DELETE" and model not in self.deleted):
            self.began[model] = now
        if method == b"DELETE":
            self.deleted[model] = self.deleted.get(model, 0) + 1
            self.answer(b'"%s"' % model)
            return
        over = -1.0 if first else now - self.began[model] - SECONDS
        if over >= 0:
            self.lags.setdefault(model, over)
        word = b"COMPLETED" if over >= 0 else b"PENDING"
        self.answer(
            b'{"model_id":"%s","status":"%s","result":{"message":"Model successfully undeployed"},'
            b'"start_time":"2024-02-24T10:00:00Z","end_time":null}' % (model, word)
        )

    def used(self) -> float:
        """Return the share of the limit that was used while there was something to poll."""
        if not (RATE and len(self.admitted) > 1):
            return 0.0
        end = min(max(self.began.values()) + SECONDS, self.admitted[-1])
        return (bisect.bisect(self.admitted, end) - BURST) / (RATE * (end - self.admitted[0]))

    def admits(self, now: float) -> bool:
        """Take a token, if there is one."""
        tokens, before = self.tokens
        tokens = min(BURST, tokens + (now - before) * RATE)
        Api.tokens = [tokens - (tokens >= 1), now]
        return tokens >= 1

    def answer(self, body: bytes, status: bytes = b"200 OK") -> None:
        """Send *body*, in its time."""
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
        if LATENCY:
            asyncio.get_running_loop().call_later(LATENCY, self.transport.write, head + body)
        else:
            self.transport.write(head + body)


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Api, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    if RETRY_AFTER < 0:
        # Nobody asks before the program runs, which takes a second: near enough to the first request.
        await asyncio.sleep(FROM)
        server.close()
        for transport in list(Api.open):
            transport.abort()
        await asyncio.sleep(FOR)
        server = await loop.create_server(Api, "127.0.0.1", port)
    await server.serve_forever()


asyncio.run(main())
