"""The signature of a mail, judged by dkimpy."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as an_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as an_rsa_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.dkim import Signer
from repermit.errors import KeysUnusable
from tests.dispatch.builders import DUE, NL, NOW, a_mailer, a_person

DOMAIN, SELECTOR = "tuinvrienden.example", "s2026"
SIGNED = (
    *("From", "Reply-To", "Subject", "Date", "To", "Message-ID", "List-Id", "List-Unsubscribe"),
    *("List-Unsubscribe-Post", "Auto-Submitted", "MIME-Version", "Content-Type"),
)


@cache
def a_key(kind: str) -> RSAPrivateKey | Ed25519PrivateKey:
    """Return a key of *kind*, made once: an RSA key takes a while."""
    return an_rsa_key(65537, 2048) if kind == "rsa" else Ed25519PrivateKey.generate()


def a_signer(kind: str) -> Signer:
    return Signer(a_key(kind), domain=DOMAIN, selector=SELECTOR)


def a_mail(kind: str, address: str = "an.peeters@telenet.example") -> bytes:
    mailer = a_mailer(signer=a_signer(kind))
    return mailer.build(7, a_person(address), NL, due=DUE, now=NOW).content


def verifies(content: bytes, signer: Signer) -> bool:
    """Return what dkimpy says of *content* when DNS holds the signer's record."""

    def dns(name: bytes, **_: object) -> bytes | None:
        known = name.decode().rstrip(".") == f"{signer.selector}._domainkey.{signer.domain}"
        return signer.record.encode() if known else None

    return bool(dkim.verify(content, dnsfunc=dns))


def a_file(
    folder: Path,
    key: object = None,
    *,
    kind: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> Path:
    """Return a PEM file that only its owner can read."""
    path = folder / "dkim.pem"
    made = key or a_key("rsa")
    path.write_bytes(
        made.private_bytes(  # type: ignore[attr-defined]  # every kind of key has it
            Encoding.PEM, kind, encryption or NoEncryption()
        )
    )
    path.chmod(0o600)
    return path


kinds = pytest.mark.parametrize("kind", ["rsa", "ed25519"])


@kinds
@pytest.mark.parametrize("address", ["an.peeters@telenet.example", "zoë@people.example"])
def test_a_mail_verifies(kind: str, address: str) -> None:
    assert verifies(a_mail(kind, address), a_signer(kind))


@kinds
def test_the_key_of_another_does_not_verify_it(kind: str) -> None:
    other = an_rsa_key(65537, 2048) if kind == "rsa" else Ed25519PrivateKey.generate()

    assert not verifies(a_mail(kind), Signer(other, domain=DOMAIN, selector=SELECTOR))


@kinds
@pytest.mark.parametrize("name", SIGNED)
def test_no_header_can_be_added_or_changed_or_taken_away(kind: str, name: str) -> None:
    head, end, body = a_mail(kind).partition(b"\r\n\r\n")
    other = f"{name}: something else".encode()
    own = re.compile(rb"\r\n" + name.encode() + rb": .*(?:\r\n[ \t].*)*")
    changed = {
        "before": other + b"\r\n" + head,
        "after": head + b"\r\n" + other,
        "instead": own.sub(b"\r\n" + other, head),
        "away": own.sub(b"", head),
    }

    assert len(own.findall(head)) == 1
    assert verifies(head + end + body, a_signer(kind))
    for how, tampered in changed.items():
        assert not verifies(tampered + end + body, a_signer(kind)), how


@kinds
@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"answer.tuin", b"answer.ruin"),
        lambda body: body + b"more\r\n",
        lambda body: body.replace(b" ", b"", 1),
        lambda body: body[: len(body) // 2],
    ],
    ids=["other link", "more at the end", "a space less", "half"],
)
def test_no_body_can_be_changed(kind: str, change: Callable[[bytes], bytes]) -> None:
    head, _, body = a_mail(kind).partition(b"\r\n\r\n")

    assert verifies(head + b"\r\n\r\n" + body, a_signer(kind))
    assert not verifies(head + b"\r\n\r\n" + change(body), a_signer(kind))


@kinds
def test_what_relays_do_to_spaces_and_last_lines_does_no_harm(kind: str) -> None:
    """They fold headers anew, pad lines, and add or drop empty lines at the end."""
    content = a_mail(kind).replace(b"\r\nSubject: Wilt u ", b"\r\nSubject:  Wilt\r\n\tu  ")
    padded = content.replace(b"--\r\n", b"--  \r\n") + b"\r\n\r\n"

    assert padded.count(b"\r\n\tu") == 1
    assert verifies(padded, a_signer(kind))


@kinds
def test_the_signature_is_folded_and_says_what_it_must(kind: str) -> None:
    signature, _, rest = a_mail(kind).partition(b"\r\nTo: ")
    tags = dict(re.findall(r"(\w+)=([^;]*)", re.sub(r"\s", "", signature.decode())))

    assert signature.startswith(b"DKIM-Signature: v=1;")
    assert rest
    assert max(map(len, signature.split(b"\r\n"))) <= 78
    assert tags["a"] == f"{kind}-sha256"
    assert (tags["c"], tags["d"], tags["s"]) == ("relaxed/relaxed", DOMAIN, SELECTOR)
    assert tags["t"] == str(int(NOW.timestamp()))
    assert sorted(tags["h"].split(":")) == sorted([name.lower() for name in SIGNED] * 2)
    assert tags.keys() == {"v", "a", "c", "d", "s", "t", "h", "bh", "b"}


def test_without_a_signer_a_mail_is_not_signed() -> None:
    mail = a_mailer().build(7, a_person(), NL, due=DUE, now=NOW)

    assert b"DKIM" not in mail.content
    assert a_mail("rsa").endswith(mail.content)


# What the relaxed form may get wrong; no control character that a mail may not hold.
TEXT = st.text(st.sampled_from("ab:=;.\t  é"), max_size=12).map(str.encode)
FOLDED = st.lists(TEXT.map(bytes.strip).filter(bool), max_size=4).map(b"\r\n \t".join)
FIELDS = st.lists(
    st.tuples(
        st.sampled_from([*SIGNED, "X-Odd", "sUBJECT"]),
        st.sampled_from([": ", ":", ":  \t"]),
        FOLDED,
    ),
    max_size=12,
)
BODIES = st.lists(st.one_of(TEXT, st.just(b"")), max_size=8).map(b"\r\n".join)


@given(kind=st.sampled_from(["rsa", "ed25519"]), fields=FIELDS, body=BODIES)
def test_whatever_the_headers_and_the_body_the_judge_agrees(
    kind: str, fields: list[tuple[str, str, bytes]], body: bytes
) -> None:
    """Also headers that are missing, doubled, empty or oddly folded, and a body without end."""
    said = [("From", ": ", b"an@people.example"), *fields]
    headers = b"".join(
        name.encode() + colon.encode() + value + b"\r\n"
        for name, colon, value in said
        if name != "From" or value == b"an@people.example"
    )
    signature = a_signer(kind).sign(headers, body, now=NOW)

    assert verifies(signature + headers + b"\r\n" + body, a_signer(kind))


# ── The key file ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_rsa_key_in_either_form_is_read(tmp_path: Path, form: PrivateFormat) -> None:
    signer = Signer.load(a_file(tmp_path, kind=form), domain=DOMAIN, selector=SELECTOR)

    assert signer.record == a_signer("rsa").record
    assert signer.record.startswith("v=DKIM1; k=rsa; p=")


def test_an_ed25519_key_is_read(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_key("ed25519"))
    signer = Signer.load(path, domain=DOMAIN, selector=SELECTOR)

    assert signer.record == a_signer("ed25519").record
    assert signer.record.startswith("v=DKIM1; k=ed25519; p=")


def refusal(path: Path) -> KeysUnusable:
    """Return why the file at *path* is refused, without a word of what is in it."""
    with pytest.raises(KeysUnusable) as refused:
        Signer.load(path, domain=DOMAIN, selector=SELECTOR)
    assert refused.value.hint
    assert refused.value.__cause__ is None
    assert path.parent.name not in str(refused.value)
    return refused.value


def test_a_key_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "dkim.pem cannot be read (No such file" in str(refusal(tmp_path / "dkim.pem"))
    assert "cannot be read (Is a directory)" in str(refusal(tmp_path))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_key_that_others_could_have_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = a_file(tmp_path)
    path.chmod(mode)

    assert f"is open to other users (mode {mode:o})" in str(refusal(path))


def test_a_key_under_a_passphrase_is_refused(tmp_path: Path) -> None:
    for kind in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        path = a_file(tmp_path, kind=kind, encryption=BestAvailableEncryption(b"pass"))

        assert "is encrypted" in str(refusal(path))


def test_a_key_of_another_kind_or_too_small_is_refused(tmp_path: Path) -> None:
    small = an_rsa_key(65537, 1024)  # noqa: S505 - that is the point

    assert "neither RSA nor Ed25519" in str(refusal(a_file(tmp_path, an_ec_key(SECP256R1()))))
    assert "has only 1024 bits" in str(refusal(a_file(tmp_path, small)))


def test_what_is_no_private_key_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    public = a_key("rsa").public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for content in (b"", b"secret", pem, path.read_bytes()[:400]):
        path.write_bytes(content)

        assert "is no private key in PEM" in str(refusal(path))
