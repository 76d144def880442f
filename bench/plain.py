"""Plain aiosmtplib: `sendmail` in a loop on each connection, with nothing on file.

`python -m bench.plain PORT CONNECTIONS MAILS FILE` sends FILE so many times and prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

import aiosmtplib

from bench.ports import LOOPBACK

_PINGS = 20


async def main(port: int, connections: int, mails: int, content: bytes) -> None:
    """Print how long the mails took, and how long one round trip is."""
    clients = [
        aiosmtplib.SMTP(hostname=LOOPBACK, port=port, start_tls=False, timeout=60)
        for _ in range(connections)
    ]
    for client in clients:
        await client.connect()
    round_trip = await _round_trip(clients[0])
    started = time.perf_counter()
    share = mails // connections
    await asyncio.gather(*(_send(client, share, content) for client in clients))
    seconds = time.perf_counter() - started
    print(json.dumps({"mails": share * connections, "seconds": seconds, "round_trip": round_trip}))
    for client in clients:
        await client.quit()


async def _send(client: aiosmtplib.SMTP, mails: int, content: bytes) -> None:
    for number in range(mails):
        await client.sendmail("nieuws@tuin.example", [f"lid{number}@postbus.example"], content)


async def _round_trip(client: aiosmtplib.SMTP) -> float:
    taken = []
    for _ in range(_PINGS):
        started = time.perf_counter()
        await client.noop()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    where, connections, mails = map(int, sys.argv[1:4])
    asyncio.run(main(where, connections, mails, Path(sys.argv[4]).read_bytes()))
