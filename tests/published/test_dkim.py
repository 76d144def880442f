"""The key that a selector publishes."""

from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.dkim import Signer
from repermit.published.dkim import DkimKey, Unusable, parsed

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OURS = Signer(KEY, domain="voorbeeld.be", selector="s1").record
P = OURS.rpartition("p=")[2]


def test_what_a_signer_wants_published_is_read_as_its_key() -> None:
    found = parsed(OURS)

    assert isinstance(found, DkimKey)
    assert (found.kind, found.bits, found.is_testing) == ("rsa", 2048, False)


def test_a_key_is_the_same_however_it_is_written() -> None:
    """As RSAPublicKey, with spaces, without v= and k=; and with a tag that nobody knows."""
    bare = b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()

    assert parsed(f"p={bare[:40]} {bare[40:]}; n=note; s=email; h=sha1:sha256;") == parsed(OURS)


def test_an_ed25519_key_is_read() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    found = parsed(Signer(key, domain="voorbeeld.be", selector="s2").record)
    assert isinstance(found, DkimKey)
    assert found.kind == "ed25519"


def test_a_key_may_be_marked_as_a_test() -> None:
    found = parsed(f"v=DKIM1; t=y:s; p={P}")
    assert isinstance(found, DkimKey)
    assert found.is_testing


EC = b64encode(
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", "no list of tags"),
        (f"p={P}; p={P}", "no list of tags"),
        (f"v=DKIM2; p={P}", "v=DKIM1"),
        (f"p={P}; v=DKIM1", "v=DKIM1"),
        ("v=DKIM1; k=rsa", "has no key"),
        ("v=DKIM1; p=", "withdrawn"),
        (f"v=DKIM1; h=sha1; p={P}", "no SHA-256"),
        (f"v=DKIM1; s=tlsrpt; p={P}", "not for mail"),
        (f"v=DKIM1; k=dsa; p={P}", "not known"),
        (f"v=DKIM1; p={P[:40]}", "cannot be read"),
        (f"v=DKIM1; k=ed25519; p={P}", "cannot be read"),
        (f"v=DKIM1; p={EC}", "cannot be read"),
    ],
)
def test_a_key_that_nobody_can_use_is_told_with_why(text: str, why: str) -> None:
    found = parsed(text)
    assert isinstance(found, Unusable)
    assert why in found.why


@given(st.text() | st.text(alphabet="vkpths=;DKIM1rsa: AQ/").map("v=DKIM1; p=".__add__))
def test_whatever_stands_there_is_a_key_or_none(text: str) -> None:
    assert isinstance(parsed(text), DkimKey | Unusable)
