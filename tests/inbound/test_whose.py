"""Whose mail a message is about."""

from __future__ import annotations

import pytest

from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.token import TEST_RECIPIENT, Scope, Tokens
from repermit.inbound.message import Message, parse
from repermit.inbound.whose import Whose, whose
from tests.inbound.forms import (
    ANOTHERS,
    FORGED,
    NAMES,
    TOKENS,
    a_complaint,
    a_dsn,
    a_message,
    our_headers,
    our_links,
    verp,
)

NOBODY_S = "postmaster@example.org"
QUESTION = SignedName(Of.QUESTION, 4711)


def found(content: bytes, names: SignedNames = NAMES) -> Whose:
    message = parse(content)
    assert isinstance(message, Message)
    return whose(message, names, TOKENS)


@pytest.mark.parametrize(
    "header", ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "CC"]
)
def test_the_address_that_a_message_came_to_says_whose_it_is(header: str) -> None:
    for value in (verp(4711), f"Bounces <{verp(4711).upper()}>, x@y", f"x@y,<{verp(4711)}>"):
        assert found(f"{header}: {value}\n\nx".encode()) == Whose(QUESTION)


def test_without_such_an_address_what_is_returned_says_whose_it_is() -> None:
    returned = our_headers(4711)
    for content in (
        a_dsn(NOBODY_S, returned),
        a_dsn(NOBODY_S, "", envid=NAMES.name(4711)),
        a_dsn(NOBODY_S, "", envid=f"<{NAMES.name(4711)}>"),
        a_complaint(returned + "\nhello"),
        a_complaint(returned, of_type="text/rfc822-headers"),
        a_message("To: x@y\n", ("text/plain", f"--- Below is a copy.\n\n{returned}")),
        f"In-Reply-To: <{NAMES.name(4711)}@example.org>\n\nNee".encode(),
        f"References: <1@x>\n <{NAMES.name(4711)}@example.org>\n\nNee".encode(),
    ):
        assert found(content) == Whose(QUESTION)


def test_where_one_unsubscribes_says_in_a_returned_mail_whose_that_is() -> None:
    returned = f"List-Unsubscribe: <mailto:{verp(4711, Of.UNSUBSCRIBE)}>\n"

    assert found(a_dsn(NOBODY_S, returned)) == Whose(QUESTION)


def test_what_comes_to_where_one_unsubscribes_says_so() -> None:
    address = verp(4711, Of.UNSUBSCRIBE)

    assert found(f"To: {address}\n\n".encode()).name == SignedName(Of.UNSUBSCRIBE, 4711)


@pytest.mark.parametrize("scope", [Scope.ANSWER, Scope.UNSUBSCRIBE])
def test_a_link_says_whose_the_mail_is_from_which_the_rest_was_taken(scope: Scope) -> None:
    path = "u" if scope is Scope.UNSUBSCRIBE else "no"
    link = f"https://ask.example.org/{path}/{TOKENS.issue(scope, 4711)}"
    quoted = link.replace("/", "%2F").replace(":", "%3A")
    soft = f"{link[:50]}=\n{link[50:]}"
    for returned in (
        f"List-Unsubscribe: <{link}>\nTo: redacted\n",
        f"Subject: x\n\n{link}\n",
        f"Content-Transfer-Encoding: quoted-printable\n\n{soft}\n",
        f'Content-Type: text/html\n\n<a href="{link}">x</a>',
        f'Content-Type: text/html\n\n<a href="https://safe.example/?url={quoted}&amp;x=1">x</a>',
        f"\nhttps://urldefense.example/v3/__{link}__;!!x",
    ):
        assert found(a_complaint(returned)) == Whose(QUESTION)


def test_a_link_of_another_campaign_or_purpose_says_nothing() -> None:
    others = Tokens([b"o" * 32]).issue(Scope.ANSWER, 4711)
    form = TOKENS.issue(Scope.FORM, 4711)

    assert found(a_complaint(f"\nhttps://x/yes/{others} https://x/no/{form}")) == Whose()


def test_an_address_alone_settles_nobody() -> None:
    assert found(a_dsn(NOBODY_S, "To: somebody@example.com\n")) == Whose()
    assert found(b"From: somebody@example.com\n\nNo") == Whose()


@pytest.mark.parametrize(
    "content",
    [
        f"To: b+{FORGED}@bounces.example.org\n\nx".encode(),
        f"To: x@y\nX-Original-To: c+{FORGED}@bounces.example.org\n\n".encode(),
        f"In-Reply-To: <{FORGED}@example.org>\n\nx".encode(),
        a_dsn(NOBODY_S, f"Message-ID: <{FORGED}@example.org>\n"),
        a_dsn(NOBODY_S, "", envid=FORGED),
        a_dsn(NOBODY_S, "", envid=SignedNames(b"o" * 32, "").name(4711)),
        a_dsn(NOBODY_S, "", envid=NAMES.name(4711).replace("4711", "4712")),
        a_message("To: x@y\n", ("text/plain", f"Message-ID: <{FORGED}@example.org>")),
    ],
)
def test_a_forged_name_is_known_as_one(content: bytes) -> None:
    assert found(content) == Whose(None, is_forged=True)


def test_a_forged_name_beside_a_genuine_one_takes_nothing_from_it() -> None:
    content = a_dsn(verp(4711), f"Message-ID: <{FORGED}@example.org>\n")

    assert found(content) == Whose(QUESTION, is_forged=True)


@pytest.mark.parametrize(
    "content",
    [
        f"To: {verp(4711)}, {verp(4712)}\n\nx".encode(),
        a_dsn(verp(4711), our_headers(4712)),
        a_dsn(verp(4711), "", envid=NAMES.name(4712)),
        a_dsn(NOBODY_S, our_headers(4711) + our_headers(4712)),
        a_dsn(NOBODY_S, our_headers(4712), envid=NAMES.name(4711)),
        a_message(f"To: {verp(4711)}\n", ("text/plain", our_links(4712))),
        a_message(f"To: {verp(4711, Of.UNSUBSCRIBE)}\n", ("text/plain", our_headers(4712))),
        f"To: {verp(1, Of.OWED)}, {verp(2, Of.OWED)}\n\nx".encode(),
    ],
)
def test_names_that_contradict_each_other_settle_nobody(content: bytes) -> None:
    assert found(content) == Whose()


def test_a_mail_of_the_outbox_is_itself_though_it_names_the_question_that_it_follows() -> None:
    returned = our_headers(12, Of.OWED) + f"In-Reply-To: <{NAMES.name(4711)}@example.org>\n"
    expected = Whose(SignedName(Of.OWED, 12))

    assert found(a_dsn(verp(12, Of.OWED), returned)) == expected
    assert found(a_dsn(NOBODY_S, returned)) == expected
    assert found(a_dsn(NOBODY_S, returned + "\n" + our_links(4711))) == expected


def test_a_check_of_the_way_back_is_known() -> None:
    returned = our_headers(7, Of.CHECK)

    assert found(a_dsn(verp(7, Of.CHECK), returned)) == Whose(SignedName(Of.CHECK, 7))
    assert found(a_dsn(NOBODY_S, returned)) == Whose(SignedName(Of.CHECK, 7))


def test_a_test_mail_is_nobody_s_and_is_named_so() -> None:
    assert found(a_dsn(verp(TEST_RECIPIENT), "")).name == SignedName(Of.QUESTION, TEST_RECIPIENT)


def test_without_a_domain_for_bounces_no_address_is_ours() -> None:
    names = SignedNames(b"k" * 32, "")
    content = f"To: x@, {names.address(4711)}\nIn-Reply-To: <{names.name(4712)}@x>\n\n".encode()

    assert found(content, names).name == SignedName(Of.QUESTION, 4712)


def test_a_mail_that_is_returned_as_the_headers_of_a_part_says_whose_it_is() -> None:
    own = f"Message-ID: <{NAMES.name(4711)}@example.org>\n"
    head = "From: MAILER-DAEMON@x\nContent-Type: multipart/mixed; boundary=b\n\n"
    told = "--b\nContent-Type: text/plain\n\nuser unknown\n"

    assert found(f"{head}{told}--b\n{own}\nHello\n--b--\n".encode()) == Whose(QUESTION)
    assert found(f"{own}From: x@y\n\nHello\n".encode()) == Whose()


@pytest.mark.parametrize(
    "returned",
    [
        ANOTHERS,  # as a gateway or a list rewrites it
        "From: MAILER-DAEMON@x\nMessage-ID: <2@mx>\n",
        "[the text of the mail is left out]\n",
        "",
    ],
)
def test_the_address_that_a_report_came_to_says_so_whatever_it_returns(returned: str) -> None:
    assert found(a_dsn(verp(4711), returned)) == Whose(QUESTION)
