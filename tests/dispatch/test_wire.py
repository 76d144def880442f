"""The transport of a connection, at the moments that a relay cannot be made to hit."""

from __future__ import annotations

import asyncio

from repermit.dispatch.wire import Wire


class Closing(asyncio.Transport):
    """A transport that has seen an error, one turn of the loop before its protocol hears of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Take the protocol that takes over."""

    def is_closing(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note what is written."""
        self.written.append(bytes(data))


async def test_nothing_is_written_to_a_transport_that_is_closing() -> None:
    """So that a mail whose body did not leave is put off, not in doubt."""
    transport = Closing()
    wire = Wire(transport)
    wire.within(60.0)

    assert await wire.ask(b"DATA\r\n", 1) == []
    assert (wire.failure, transport.written) == ("connection lost", [])
