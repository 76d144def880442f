"""A bundle as one ZIP file: written as it comes, with a signed list of what is in it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from typing import IO, Any, Self

from repermit.domain.clock import iso
from repermit.ledger.checkpoint import Signing

MANIFEST = "manifest.txt"
_FOR_ITS_OWNER = 0o100600 << 16
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of ZIP; so that the same ledger gives the same file


class Archive:
    """The files of a bundle, added one after the other; `close` adds the list of them.

    A block that fails leaves nothing that could be read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.digests: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is not None:
            with suppress(OSError, ValueError):  # it would try again when nobody looks any more
                self._zip.close()

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[str], None]]:
        """Yield what writes text into a new file of the bundle."""
        digest = sha256()
        info = zipfile.ZipInfo(name, _FIRST_DAY)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _FOR_ITS_OWNER
        with self._zip.open(info, "w", force_zip64=True) as file:

            def write(text: str) -> None:
                octets = text.encode()
                digest.update(octets)
                file.write(octets)

            yield write
        self.digests[name] = digest.hexdigest()

    def add(self, name: str, content: str) -> None:
        """Add a file that is short."""
        with self.member(name) as write:
            write(content)

    def add_json(self, name: str, content: Any) -> None:
        """Add what can be told as JSON, for people to read."""
        self.add(name, json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    def close(self, signing: Signing, *, made: datetime, release: str) -> None:
        """Add the list of files, by name and SHA-256, signed; nothing can be added after it."""
        rows = [f"{digest}  {name}" for name, digest in sorted(self.digests.items())]
        head = [f"repermit-bundle/{signing.campaign}", f"{iso(made)} repermit {release}"]
        self.add(MANIFEST, signing.note("".join(f"{line}\n" for line in [*head, *rows])))
        self._zip.close()


def line(content: dict[str, Any]) -> str:
    """Return *content* as one line of JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
