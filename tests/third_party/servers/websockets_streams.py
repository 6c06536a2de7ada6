"""Streams of the websockets library: a tick every 200 ms, numbered from 1 on each connection; what the client sends comes back.

/pinged has the library's own keepalive, shortened to pings every second that must be answered within a second; /unpinged has
none. A message has at most 1024 bytes.
"""

import asyncio
import sys

import websockets


def keepalive(connection, request):
    interval = 1 if request.path == "/pinged" else None
    connection.ping_interval, connection.ping_timeout = interval, interval


async def tick(connection):
    number = 0
    while True:
        number += 1
        await connection.send('{"type":"tick","seq":%d}' % number)
        await asyncio.sleep(0.2)


async def stream(connection):
    ticking = asyncio.ensure_future(tick(connection))
    try:
        async for message in connection:
            await connection.send(message)
    finally:
        ticking.cancel()


async def main():
    served = websockets.serve(
        stream, "127.0.0.1", int(sys.argv[1]), process_request=keepalive, ping_interval=None, max_size=1024
    )
    async with served:
        await asyncio.Future()


asyncio.run(main())
