"""Streams of aiohttp's server: a tick every 200 ms, numbered from 1 on each connection; what the client sends comes back.

/plain has the defaults; /heartbeat pings after a second in which nothing came, and gives up half a second later; /deaf leaves
pings to the handler, which ignores them.
"""

import asyncio
import sys

from aiohttp import WSMsgType, web


async def tick(stream):
    number = 0
    while True:
        number += 1
        await stream.send_str('{"type":"tick","seq":%d}' % number)
        await asyncio.sleep(0.2)


def stream(**options):
    async def handle(request):
        stream = web.WebSocketResponse(max_msg_size=1024, **options)
        await stream.prepare(request)
        ticking = asyncio.ensure_future(tick(stream))
        try:
            async for message in stream:
                if message.type == WSMsgType.TEXT:
                    await stream.send_str(message.data)
        finally:
            ticking.cancel()
        return stream

    return handle


app = web.Application()
app.router.add_get("/plain", stream())
app.router.add_get("/heartbeat", stream(heartbeat=1))
app.router.add_get("/deaf", stream(autoping=False))
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
