"""Bundles for tests: made once by the product, then altered, and signed again by who forges."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from repermit.ledger.checkpoint import Signing
from repermit.report import verifier

Files = dict[str, bytes]


@dataclass(frozen=True)
class Given:
    """A bundle as its files, and the key that has signed it."""

    files: Files
    signing: Signing

    @classmethod
    def read(cls, path: Path, signing: Signing) -> Given:
        """Return the bundle at *path*."""
        with zipfile.ZipFile(path) as archive:
            return cls({name: archive.read(name) for name in archive.namelist()}, signing)

    def with_file(self, name: str, content: bytes | None) -> Given:
        """Return it with a file changed, added or, for None, left out."""
        files = {**self.files, name: content or b""}
        if content is None:
            del files[name]
        return replace(self, files=files)

    def forged(self) -> Given:
        """Return it with the list of files signed again, as only the operator can."""
        head = self.files["manifest.txt"].decode().split("\n")[:2]
        rows = [
            f"{sha256(content).hexdigest()}  {name}"
            for name, content in sorted(self.files.items())
            if name != "manifest.txt"
        ]
        note = self.signing.note("".join(f"{row}\n" for row in [*head, *rows]))
        return self.with_file("manifest.txt", note.encode())

    def lines(self, name: str) -> list[Any]:
        """Return the lines of a file of JSON lines."""
        return [json.loads(line) for line in self.files[name].splitlines()]

    def with_lines(self, name: str, lines: list[Any]) -> Given:
        """Return it with other lines in that file."""
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        return self.with_file(name, text.encode())

    def with_json(self, name: str, change: Callable[[Any], object]) -> Given:
        """Return it with what *change* makes of the JSON in a file."""
        content = json.loads(self.files[name])
        change(content)
        return self.with_file(name, json.dumps(content).encode())

    def write(self, path: Path) -> Path:
        """Write it as a ZIP file to *path* and return that."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return path

    def folder(self, path: Path) -> Path:
        """Write it as a folder to *path* and return that."""
        for name, content in self.files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        return path

    def holds(self, path: Path, *words: str) -> bool:
        """Return whether the verifier finds that it holds; *path* is where it may lie."""
        return verifier.main([str(self.write(path)), *words]) == 0
