import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from repermit.domain.token import MONITOR, TEST_RECIPIENT, Scope, Tokens, is_for_monitor, is_nobody
from repermit.errors import TokenRejected

OLD, NEW, FOREIGN = b"o" * 32, b"n" * 32, b"f" * 32
ids = st.integers(0, 2**63 - 1)
scopes = st.sampled_from(Scope)


@given(scope=scopes, recipient_id=ids)
def test_a_token_gives_back_the_recipient(scope: Scope, recipient_id: int) -> None:
    token = Tokens([NEW]).issue(scope, recipient_id)

    assert Tokens([NEW]).read(scope, token) == recipient_id
    assert len(token) <= 60
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_a_key_is_told_by_its_fingerprint() -> None:
    assert Tokens([OLD, NEW]).fingerprints == tuple(
        sha256(key).hexdigest()[:16] for key in (OLD, NEW)
    )


def test_a_token_of_a_test_mail_names_no_row() -> None:
    tokens = Tokens([NEW])

    assert tokens.read(Scope.ANSWER, tokens.issue(Scope.ANSWER, TEST_RECIPIENT)) == 0


@given(recipient_id=ids)
def test_without_a_key_the_link_of_a_monitor_is_told_from_that_of_a_person(
    recipient_id: int,
) -> None:
    tokens = Tokens([NEW])

    assert is_for_monitor(tokens.issue(Scope.ANSWER, MONITOR))
    assert is_for_monitor(tokens.issue(Scope.ANSWER, recipient_id)) is (recipient_id == MONITOR)
    assert is_nobody(MONITOR)


@pytest.mark.parametrize("text", ["", ".", "x", "QAAAAAAAAAA.", "QAAAAAAAAAA.é", "Q" * 80])
def test_what_is_no_token_is_not_that_of_a_monitor(text: str) -> None:
    assert not is_for_monitor(text)


@given(issued=scopes, read=scopes, recipient_id=ids)
def test_a_token_is_worthless_in_another_scope(
    issued: Scope, read: Scope, recipient_id: int
) -> None:
    token = Tokens([NEW]).issue(issued, recipient_id)
    if issued is read:
        return

    with pytest.raises(TokenRejected):
        Tokens([NEW]).read(read, token)


def test_a_token_of_another_campaign_is_rejected() -> None:
    token = Tokens([FOREIGN]).issue(Scope.ANSWER, 7)

    with pytest.raises(TokenRejected):
        Tokens([OLD, NEW]).read(Scope.ANSWER, token)


def test_tokens_of_an_older_key_are_still_read() -> None:
    token = Tokens([OLD]).issue(Scope.ANSWER, 7)

    assert Tokens([OLD, NEW]).read(Scope.ANSWER, token) == 7


def test_new_tokens_are_signed_with_the_newest_key() -> None:
    token = Tokens([OLD, NEW]).issue(Scope.ANSWER, 7)

    assert Tokens([NEW]).read(Scope.ANSWER, token) == 7


@given(recipient_id=ids, data=st.data())
def test_a_token_with_one_character_changed_is_rejected_or_means_the_same(
    recipient_id: int, data: st.DataObject
) -> None:
    """The last character of 32 bytes in base64 holds two bits that mean nothing."""
    tokens = Tokens([NEW])
    token = tokens.issue(Scope.ANSWER, recipient_id)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(exclude_characters=token[place]))
    changed = token[:place] + other + token[place + 1 :]
    try:
        found = tokens.read(Scope.ANSWER, changed)
    except TokenRejected:
        return

    assert found == recipient_id
    assert place == len(token) - 1


def test_every_flipped_bit_is_rejected_save_in_the_last_character() -> None:
    tokens = Tokens([NEW])
    token = tokens.issue(Scope.ANSWER, 20_261_121)
    for place in range(len(token) - 1):
        for bit in range(7):
            changed = f"{token[:place]}{chr(ord(token[place]) ^ 1 << bit)}{token[place + 1 :]}"
            with pytest.raises(TokenRejected):
                tokens.read(Scope.ANSWER, changed)


@given(st.text())
def test_any_other_text_is_rejected(text: str) -> None:
    with pytest.raises(TokenRejected) as rejected:
        Tokens([NEW]).read(Scope.ANSWER, text)

    assert rejected.value.__cause__ is None


@pytest.mark.parametrize("text", ["", ".", "a" * 201, "\ud800", "AQ.é", "AQ"])
def test_what_cannot_be_a_token_is_rejected(text: str) -> None:
    with pytest.raises(TokenRejected):
        Tokens([NEW]).read(Scope.ANSWER, text)


def test_a_token_that_was_cut_off_is_rejected() -> None:
    tokens = Tokens([NEW])
    token = tokens.issue(Scope.ANSWER, 7)
    for length in range(len(token)):
        with pytest.raises(TokenRejected):
            tokens.read(Scope.ANSWER, token[:length])


@given(
    keys=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3),
    scope=scopes,
    recipient_id=ids,
)
def test_a_token_is_octet_for_octet_the_one_of_itsdangerous(
    keys: list[bytes], scope: Scope, recipient_id: int
) -> None:
    """Links that are out must work under every later release."""
    salt = f"repermit.{scope}".encode()
    signer = Signer(keys, salt=salt, key_derivation="hmac", digest_method=sha256)
    size = max(1, (recipient_id.bit_length() + 7) // 8)
    payload = base64.urlsafe_b64encode(recipient_id.to_bytes(size, "big")).rstrip(b"=")
    theirs, ours = signer.sign(payload).decode(), Tokens(keys).issue(scope, recipient_id)

    assert ours == theirs
    assert signer.unsign(ours) == payload
    assert Tokens(keys).read(scope, theirs) == recipient_id


def test_a_token_is_good_for_its_recipient_and_scope_only() -> None:
    tokens = Tokens([NEW])
    token = tokens.issue(Scope.FORM, 7)

    assert tokens.is_for(7, Scope.FORM, token)
    assert not tokens.is_for(8, Scope.FORM, token)
    assert not tokens.is_for(7, Scope.ERASE, token)
