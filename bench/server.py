"""
The status endpoint and the DELETE, as light as Python can serve them: not to be the bottleneck of a measurement.

`python bench/server.py SECONDS`: each model is undeployed SECONDS after it was first heard of. Prints its port.
`GET /stats` answers with looks, DELETEs and the detection lags in seconds; `GET /reset` does so and forgets them all.
"""

import asyncio
import json
import sys
import time
from typing import ClassVar

SECONDS = float(sys.argv[1])


class Api(asyncio.Protocol):
    """One connection."""

    began: ClassVar[dict[bytes, float]] = {}
    lags: ClassVar[dict[bytes, float]] = {}
    counts: ClassVar = {b"GET": 0, b"DELETE": 0}

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Remember where to answer."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer one request; clients here never pipeline, and their requests fit one segment."""
        method, path, _ = data.split(b" ", 2)
        if path in (b"/reset", b"/stats"):
            self.answer(json.dumps([*self.counts.values(), list(self.lags.values())]).encode())
            if path == b"/reset":
                Api.began, Api.lags, Api.counts = {}, {}, {b"GET": 0, b"DELETE": 0}
            return
        self.counts[method] += 1
        model = path.split(b"/")[5]
        now = time.monotonic()
        began = self.began.setdefault(model, now)
        if method == b"DELETE":
            self.answer(b'"%s"' % model)
            return
        over = now - began - SECONDS
        if over >= 0:
            self.lags.setdefault(model, over)
        word = b"COMPLETED" if over >= 0 else b"PENDING"
        self.answer(
            b'{"model_id":"%s","status":"%s","result":{"message":"Model successfully undeployed"},'
            b'"start_time":"2024-02-24T10:00:00Z","end_time":null}' % (model, word)
        )

    def answer(self, body: bytes) -> None:
        """Send a 200."""
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Api, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
