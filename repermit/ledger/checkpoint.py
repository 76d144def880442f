"""A root of the log, signed: what anybody can keep elsewhere, to hold the log to it later.

Written as the checkpoint of a transparency log, in a signed note:

    repermit/5d0c0c5e-...            the log
    1024                             its size
    9XnF...=                         its root

    — repermit/5d0c0c5e-... 3kGb...  the key's id and its Ed25519 signature of the lines above

Source: C2SP tlog-checkpoint and signed-note; RFC 8032 (Ed25519).
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from repermit.errors import ProofBroken

_ED25519 = b"\x01"  # the signature type of a note
_ID_BYTES = 4
_NOTE = re.compile(
    r"(?P<origin>repermit/[0-9a-f-]{36})\n(?P<size>0|[1-9][0-9]{0,18})\n"
    r"(?P<root>[A-Za-z0-9+/]{43}=)\n\n\u2014 (?P=origin) "
    r"(?P<signature>[A-Za-z0-9+/]{90,92}={0,2})(?!\S)"
)

_REPORT = re.compile(
    r"repermit-purge/(?P<campaign>[0-9a-f-]{36})\n(?P<number>[1-9][0-9]{0,18})\n"
    r"(?P<hash>[0-9a-f]{64})\n\n\u2014 repermit/(?P=campaign) "
    r"(?P<signature>[A-Za-z0-9+/]{90,92}={0,2})(?!\S)"
)


@dataclass(frozen=True)
class Reported:
    """The SHA-256, as hex, of the report of one purge of a campaign."""

    campaign: str
    number: int
    hash: str

    @property
    def text(self) -> str:
        """Return what is signed; no line of it begins as a checkpoint does."""
        return f"repermit-purge/{self.campaign}\n{self.number}\n{self.hash}\n"


@dataclass(frozen=True)
class Checkpoint:
    """The root of the first `size` entries of the log of one campaign."""

    campaign: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return what is signed."""
        return f"{_origin(self.campaign)}\n{self.size}\n{b64encode(self.root).decode()}\n"


class Signing:
    """Signs the checkpoints of one campaign."""

    def __init__(self, campaign: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.campaign = campaign
        self.verifying = Verifying(
            campaign, self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        )

    def sign(self, size: int, root: bytes) -> str:
        """Return the checkpoint of *root* as a signed note, five lines."""
        return self.note(Checkpoint(self.campaign, size, root).text)

    def sign_report(self, number: int, hashed: str) -> str:
        """Return the hash of the report of a purge as a signed note, five lines."""
        return self.note(Reported(self.campaign, number, hashed).text)

    def note(self, text: str) -> str:
        """Return *text*, whose lines all end, as a signed note."""
        signature = self.verifying.id + self._key.sign(text.encode())
        return f"{text}\n\u2014 {_origin(self.campaign)} {b64encode(signature).decode()}\n"


class Verifying:
    """Verifies them; *key* is the public key, 32 bytes."""

    def __init__(self, campaign: str, key: bytes) -> None:
        self.campaign, self.key = campaign, key
        self._key = Ed25519PublicKey.from_public_bytes(key)
        self.id = sha256(f"{_origin(campaign)}\n".encode() + _ED25519 + key).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """Return the key as a note's verifier key: name, id and key in one word."""
        return f"{_origin(self.campaign)}+{self.id.hex()}+{b64encode(_ED25519 + self.key).decode()}"

    def found_in(self, text: str) -> list[Checkpoint]:
        """Return every checkpoint in *text*, whatever stands around them, the smallest first.

        Raises: ProofBroken when one is of another campaign, or its signature is not ours.
        """
        found = [self._verified(note) for note in _NOTE.finditer(text.replace("\r\n", "\n"))]
        return sorted(found, key=lambda each: each.size)

    def reports_in(self, text: str) -> list[Reported]:
        """Return the hash of every report of a purge in *text*, whatever stands around them.

        Raises: ProofBroken as `found_in`, and when one cannot be read.
        """
        text = text.replace("\r\n", "\n")
        notes = list(_REPORT.finditer(text))
        if len(notes) != text.count("repermit-purge/"):
            raise ProofBroken(
                "the signed hash of a report cannot be read",
                hint="compare it with the file or the mail that it was copied from",
            )
        found = []
        for note in notes:
            reported = Reported(note["campaign"], int(note["number"]), note["hash"])
            what = f"the hash of the report of purge {reported.number}"
            self._require(reported.campaign, reported.text, note["signature"], what)
            found.append(reported)
        return found

    def _verified(self, note: re.Match[str]) -> Checkpoint:
        campaign = note["origin"].partition("/")[2]
        checkpoint = Checkpoint(campaign, int(note["size"]), b64decode(note["root"]))
        what = f"the checkpoint of {checkpoint.size} entries"
        self._require(campaign, checkpoint.text, note["signature"], what)
        return checkpoint

    def _require(self, campaign: str, text: str, signed: str, what: str) -> None:
        """Raise ProofBroken unless *text*, of that campaign, is signed by this one."""
        if campaign != self.campaign:
            raise ProofBroken(
                "this is a checkpoint of the log of another campaign",
                hint="give the config of that campaign with --config",
            )
        try:
            signature = b64decode(signed, validate=True)
            if signature[:_ID_BYTES] != self.id:
                raise InvalidSignature
            self._key.verify(signature[_ID_BYTES:], text.encode())
        except (binascii.Error, InvalidSignature):
            raise ProofBroken(
                f"{what} is not signed by this campaign",
                hint="compare it with the file or the mail that it was copied from",
            ) from None


def _origin(campaign: str) -> str:
    return f"repermit/{campaign}"
