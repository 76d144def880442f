"""Whether a person wrote a message, and what they wrote."""

from __future__ import annotations

from repermit.inbound.kinds import Kind
from repermit.inbound.message import Message


def read(message: Message) -> tuple[Kind, str] | None:
    """Return the kind of a reply and its fresh text; a place holder."""
    return Kind.OTHER, next((part.text for part in message.parts if part.text), "")
