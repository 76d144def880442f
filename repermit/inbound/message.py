"""A message that came in, as far as it is read: bytes in, headers and texts out, within limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """One part of a message that is not a multipart, whatever it stands in.

    `text` is decoded, never fails, and is empty for what is no text; of a message that stands in
    this one (`message/rfc822`, `text/rfc822-headers`) it holds the headers and the begin of the
    body as they came. `depth` counts the messages that it stands in: 0 for those of this message.
    """

    content_type: str  # in small letters, "text/plain" when there is none
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)  # names in small letters, the first of each
    depth: int = 0


@dataclass(frozen=True)
class Message:
    """The headers of a message, and its parts in their order. Header names are in small letters;
    a name that comes several times has several values, in their order."""

    headers: Mapping[str, tuple[str, ...]] = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    content_type: str = "text/plain"
    report_type: str = ""  # of a multipart/report: "delivery-status", "feedback-report", …
    is_cut: bool = False  # there was more than is read

    def header(self, name: str) -> str:
        """Return the first value of a header, unfolded; empty when there is none."""
        return next(iter(self.headers.get(name, ())), "")
