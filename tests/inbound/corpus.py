"""The messages of `messages/`: a folder a class, written for this project in the forms that real
systems send.

`NAME_5.1.1.eml` must be read with that status; one without it may have any. Where our signed names
stood there is a place like `{verp}`, filled here. Those called `…nobodys-…` are about nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.token import Scope, Tokens

FOLDER = Path(__file__).with_name("messages")
RECIPIENT, OWED, CHECK = 4711, 12, 7
NAMES = SignedNames(b"m" * 32, "bounces.tuinvrienden.example")
TOKENS = Tokens([b"k" * 32])
_stated = re.compile(r"_([245]\.\d{1,3}\.\d{1,3})$").search


@dataclass(frozen=True)
class Letter:
    """One message of the folder, with what it must be read as: `kind` is its folder; a `status`
    that is empty may be any. `form` is it with its places open."""

    path: Path
    kind: str
    status: str
    form: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Return what it is called in a list of tests."""
        return f"{self.kind}/{self.path.stem}"

    @cached_property
    def content(self) -> bytes:
        """Return the message about the mail of RECIPIENT."""
        return self.about(RECIPIENT, NAMES, TOKENS)

    def about(self, recipient: int, names: SignedNames, tokens: Tokens) -> bytes:
        """Return the message about the mail of *recipient*."""
        content = self.form
        for place, value in _places(names, tokens, recipient).items():
            content = content.replace(b"{%s}" % place.encode(), value.encode())
        return content

    @property
    def whose(self) -> SignedName | None:
        """Return the mail that its `content` is about: by its name, its places and its folder."""
        if "nobodys-" in self.path.name:
            return None
        if b"{owed_" in self.form:
            return SignedName(Of.OWED, OWED)
        if b"{check_" in self.form:
            return SignedName(Of.CHECK, CHECK)
        return SignedName(Of.UNSUBSCRIBE if self.kind == "unsubscribe" else Of.QUESTION, RECIPIENT)


def letters() -> Iterator[Letter]:
    """Yield every message, in the order of their names."""
    for path in sorted(FOLDER.glob("*/*.eml")):
        stated = _stated(path.stem)
        yield Letter(path, path.parent.name, stated[1] if stated else "", path.read_bytes())


def _places(names: SignedNames, tokens: Tokens, recipient: int) -> dict[str, str]:
    """Return what stands in each place."""
    forged = SignedNames(b"another key", names.domain)
    unsubscribe = names.address(recipient, Of.UNSUBSCRIBE)
    return {
        "verp": names.address(recipient),
        "VERP": names.address(recipient).upper(),
        "envid": names.name(recipient),
        "message_id": f"{names.name(recipient)}@tuinvrienden.example",
        "unsubscribe_address": unsubscribe,
        "UNSUBSCRIBE_ADDRESS": unsubscribe.upper(),
        "unsubscribe_token": tokens.issue(Scope.UNSUBSCRIBE, recipient),
        "other_envid": names.name(recipient + 1),
        "forged_verp": forged.address(recipient),
        "forged_envid": forged.name(recipient),
        "owed_verp": names.address(OWED, Of.OWED),
        "owed_envid": names.name(OWED, Of.OWED),
        "owed_message_id": f"{names.name(OWED, Of.OWED)}@tuinvrienden.example",
        "check_verp": names.address(CHECK, Of.CHECK),
        "check_envid": names.name(CHECK, Of.CHECK),
        "check_message_id": f"{names.name(CHECK, Of.CHECK)}@tuinvrienden.example",
    }
