"""What the relay says, cut into replies, whatever pieces it comes in.

Source: RFC 5321 sections 4.2.1 (the lines of a reply) and 4.5.3.1.5 (their length); RFC 2034.
"""

from __future__ import annotations

import re

_LONGEST_LINE_BYTES = 8192  # sixteen times what a relay may say
_MOST_LINES = 100
_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(?:([245]\.\d{1,3}\.\d{1,3})(?=\s))?[^\n]*)?\r?\n")


class Replies:
    """Cuts bytes into replies: the code and, where there is one, the enhanced code; never the
    relay's text, which may repeat the address."""

    def __init__(self) -> None:
        self.garbled = False  # once something came that is no reply; nothing after it is read
        self._rest = b""  # a line without its end
        self._lines: list[tuple[bytes, bytes]] = []  # codes of a reply without its last line

    @property
    def partial(self) -> bool:
        """Return whether a reply has begun and not ended."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> list[str]:
        """Return the replies that *data* completes."""
        if self.garbled:
            return []
        data = self._rest + data if self._rest else data
        replies: list[str] = []
        at = 0
        while (line := _LINE.match(data, at)) is not None:
            code, parting, enhanced = line.groups(b"")
            if line.end() - at > _LONGEST_LINE_BYTES or (self._lines and not self._goes_on(code)):
                self.garbled = True
                return replies
            at = line.end()
            if parting == b"-":
                self._lines.append((code, enhanced))
                continue
            if self._lines:
                enhanced = next((each for _, each in self._lines if each), enhanced)
                self._lines.clear()
            replies.append((code + b" " + enhanced if enhanced else code).decode("ascii"))
        self._rest = rest = data[at:]
        if rest and (b"\n" in rest or len(rest) > _LONGEST_LINE_BYTES):
            self.garbled = True
        return replies

    def _goes_on(self, code: bytes) -> bool:
        return code == self._lines[0][0] and len(self._lines) < _MOST_LINES
