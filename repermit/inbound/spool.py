"""What an MTA hands over: kept durably before anything else, with whom it came to in front."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from repermit.inbound.maildir import Maildir

_ADDRESS = re.compile(r"[!-~]{1,254}@[!-~]{1,254}")
_FIRST_LINE = 4096  # bytes, more than any MTA puts before a message


def keep(spool: Maildir, message: BinaryIO, environment: Mapping[str, str]) -> None:
    """Write a message durably into *spool*, with a header `Delivered-To` for every address that the
    MTA says it came to, and without the line "From " that an MTA may put before it.

    Raises: OSError, and then nothing of it is kept.
    """
    spool.make()
    with spool.delivering() as file:
        for address in recipients(environment):
            file.write(f"Delivered-To: {address}\n".encode("ascii"))
        first = message.readline(_FIRST_LINE)
        if not first.startswith(b"From "):
            file.write(first)
        elif not first.endswith(b"\n"):
            _skip_line(message)
        shutil.copyfileobj(message, file, 1 << 20)


def without_envelope(message: bytes) -> bytes:
    """Return a message without the line "From " before it."""
    return message.partition(b"\n")[2] if message.startswith(b"From ") else message


def recipients(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the envelope recipients that the MTA tells, each once, the original one first.

    Source: local(8) of Postfix (ORIGINAL_RECIPIENT, RECIPIENT; also qmail's); the pipe transport of
    Exim (LOCAL_PART with its prefix and suffix, DOMAIN), whose RECIPIENT may be the pipe itself.
    """
    names = ("LOCAL_PART_PREFIX", "LOCAL_PART", "LOCAL_PART_SUFFIX")
    exim = "".join(environment.get(name, "") for name in names)
    given = (
        environment.get("ORIGINAL_RECIPIENT", ""),
        environment.get("RECIPIENT", ""),
        f"{exim}@{environment.get('DOMAIN', '')}",
    )
    yield from dict.fromkeys(each for each in given if _ADDRESS.fullmatch(each))


def _skip_line(message: BinaryIO) -> None:
    while (line := message.readline(_FIRST_LINE)) and not line.endswith(b"\n"):
        pass
