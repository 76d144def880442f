"""The messages of `messages/`: a folder a class, written for this project in the forms that real
systems send.

`NAME_5.1.1.eml` must be read with that status; one without it may have any. Where our signed names
stood there is a place like `{verp}`, filled here. Those called `nobodys-…` are about nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.token import Scope, Tokens

FOLDER = Path(__file__).with_name("messages")
RECIPIENT, ANOTHER, OWED, CHECK = 4711, 4712, 12, 7
NAMES = SignedNames(b"m" * 32, "bounces.tuinvrienden.example")
TOKENS = Tokens([b"k" * 32])
_stated = re.compile(r"_([245]\.\d{1,3}\.\d{1,3})$").search


@dataclass(frozen=True)
class Letter:
    """One message of the folder, with what it must be read as: `kind` is its folder; a `status`
    that is empty may be any."""

    path: Path
    kind: str
    status: str
    content: bytes = field(repr=False)
    whose: SignedName | None

    @property
    def name(self) -> str:
        """Return what it is called in a list of tests."""
        return f"{self.kind}/{self.path.stem}"


def letters() -> Iterator[Letter]:
    """Yield every message, in the order of their names."""
    places = _places(NAMES, TOKENS)
    for path in sorted(FOLDER.glob("*/*.eml")):
        content = path.read_bytes()
        stated = _stated(path.stem)
        yield Letter(
            path=path,
            kind=path.parent.name,
            status=stated[1] if stated else "",
            content=_filled(content, places),
            whose=_whose(path, content),
        )


def _places(names: SignedNames, tokens: Tokens) -> dict[str, str]:
    """Return what stands in each place."""
    forged = SignedNames(b"another key", names.domain)
    unsubscribe = names.address(RECIPIENT, Of.UNSUBSCRIBE)
    return {
        "verp": names.address(RECIPIENT),
        "VERP": names.address(RECIPIENT).upper(),
        "envid": names.name(RECIPIENT),
        "message_id": f"{names.name(RECIPIENT)}@tuinvrienden.example",
        "unsubscribe_address": unsubscribe,
        "UNSUBSCRIBE_ADDRESS": unsubscribe.upper(),
        "unsubscribe_token": tokens.issue(Scope.UNSUBSCRIBE, RECIPIENT),
        "other_envid": names.name(ANOTHER),
        "forged_verp": forged.address(RECIPIENT),
        "forged_envid": forged.name(RECIPIENT),
        "owed_verp": names.address(OWED, Of.OWED),
        "owed_envid": names.name(OWED, Of.OWED),
        "owed_message_id": f"{names.name(OWED, Of.OWED)}@tuinvrienden.example",
        "check_verp": names.address(CHECK, Of.CHECK),
        "check_envid": names.name(CHECK, Of.CHECK),
        "check_message_id": f"{names.name(CHECK, Of.CHECK)}@tuinvrienden.example",
    }


def _filled(content: bytes, places: dict[str, str]) -> bytes:
    for place, value in places.items():
        content = content.replace(b"{%s}" % place.encode(), value.encode())
    return content


def _whose(path: Path, content: bytes) -> SignedName | None:
    """Return whose a message is: by its name, its places and its folder."""
    if path.name.startswith("nobodys-"):
        return None
    for place, name in (
        (b"{owed_", SignedName(Of.OWED, OWED)),
        (b"{check_", SignedName(Of.CHECK, CHECK)),
    ):
        if place in content:
            return name
    return SignedName(
        Of.UNSUBSCRIBE if path.parent.name == "unsubscribe" else Of.QUESTION, RECIPIENT
    )
