"""What may stand where the links lead: the answer server, something in front of it, or anything."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.types import ASGIApp

from repermit.respond.server import bound, serve_until

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    """Serve *app* on a port of this machine for the length of a block."""
    stop = asyncio.Event()
    with bound("127.0.0.1", 0) as listening:
        task = asyncio.create_task(serve_until(app, listening, stop))
        try:
            yield listening.getsockname()[1]
        finally:
            stop.set()
            await task


@asynccontextmanager
async def listening(
    handler: Handler, *, certificate: Path | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """Let *handler* take every connection for the length of a block, beneath TLS if there is a
    *certificate*."""
    context: ssl.SSLContext | None = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, host, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def saying(said: bytes) -> Handler:
    """Return what reads the beginning of a request, says the same to everybody, and hangs up."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(said)
        await writer.drain()
        writer.write_eof() if writer.can_write_eof() else None
        await reader.read()

    return handler


def through_to(port: int) -> Handler:
    """Return what hands everything on to that port, and what comes back."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)

        async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while piece := await source.read(65_536):
                target.write(piece)
                await target.drain()

        onwards = asyncio.create_task(pipe(reader, inner_writer))
        await pipe(inner_reader, writer)
        onwards.cancel()
        inner_writer.close()

    return handler
