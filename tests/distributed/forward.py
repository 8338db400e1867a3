"""Lets a server of this machine be reached at another port: `python -m tests.distributed.forward PORT TO`.

It stands before the object store, which keeps its content in memory: whoever kills this takes the store away in the middle of
whatever it answers, as if it were killed, and it comes back with what was in it.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

_BYTES = 1 << 16


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while found := await source.read(_BYTES):
            target.write(found)
            await target.drain()
    with suppress(ConnectionError, OSError):
        target.write_eof()


async def _forward(port: int, to: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            there, back = await asyncio.open_connection("127.0.0.1", to)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
            back.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_forward(int(sys.argv[1]), int(sys.argv[2])))
