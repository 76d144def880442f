"""A message in, headers and texts out."""

from __future__ import annotations

import base64

import pytest

from repermit.inbound import decoding, markup
from repermit.inbound.message import Message, Part, parse
from repermit.inbound.tree import MOST_BYTES


def a_message(content: bytes) -> Message:
    message = parse(content)
    assert isinstance(message, Message)
    return message


def only_part(content: bytes) -> Part:
    (part,) = a_message(content).parts
    return part


def of_type(content_type: str, body: bytes, encoding: str = "8bit") -> bytes:
    return (
        f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + body
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (of_type("text/plain; charset=utf-8", "één".encode()), "één"),
        (of_type("text/plain; charset=iso-8859-1", "één".encode("latin-1")), "één"),
        (of_type("text/plain; charset=utf-8", "één".encode("cp1252")), "één"),
        (of_type("text/plain; charset=x-unknown", "één".encode()), "één"),
        (of_type("text/plain; charset=us-ascii", "één".encode()), "één"),
        (of_type("text/plain; charset=utf\0-8", "één".encode()), "één"),
        (of_type("text/plain; charset*=utf-8'en'iso-8859-15", "€".encode("iso-8859-15")), "€"),
        (of_type("text/plain; charset=utf-16", "één".encode("utf-16")), "één"),
        (of_type("text/plain; charset=undefined", b"een"), "een"),
        (of_type("text/plain; charset=rot13", b"een"), "een"),
        (of_type("text/plain; charset=zlib", b"een"), "een"),
        (of_type("text/plain; charset=utf-8", "een é".encode()[:-1]), "een "),
        (of_type("text/plain", b"e\0e\0n"), "een"),
        (of_type("text/plain; charset=utf-8", b"=C3=A9=C3=A9n", "quoted-printable"), "één"),
        (of_type("text/plain", b"50 =\n=2X=", "Quoted-Printable "), "50 =2X"),
        (of_type("text/plain", base64.b64encode(b"hallo"), "base64"), "hallo"),
        (of_type("text/plain", b"aGFs\nbG8=\n-- \nA list of lists", "base64"), "hallo"),
        (of_type("text/plain", b"aGF!sbG", "base64"), "hall"),
        (of_type("text/plain", b"hallo", "x-none"), "hallo"),
        (of_type("nonsense", b"hallo"), "hallo"),
        (of_type("text", b"hallo"), "hallo"),
        (of_type("multipart/mixed", b"hallo"), "hallo"),
        (of_type("multipart/mixed; boundary=b", b"hallo"), "hallo"),
        (b"Subject: x\n\nhallo", "hallo"),
        (b"hallo", "hallo"),
        (b"", ""),
        (b"Subject: x\rFrom: y\r\rhallo", "hallo"),
        (b"Subject: x\r\nFrom: y\r\n\r\nhallo", "hallo"),
        (of_type("application/pdf", b"%PDF"), ""),
    ],
)
def test_a_text_is_decoded_as_well_as_possible(content: bytes, text: str) -> None:
    assert only_part(content).text == text


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        (b"=?utf-8?q?een_mail?=", "een mail"),
        (b"=?utf-8?B?w6k=?= =?utf-8?B?w6k=?=", "éé"),
        (b"=?utf-8?B?ww==?= =?utf-8?B?qQ==?=", "é"),
        (b"=?iso-8859-1*fr?Q?=E9?= x =?utf-8?q?y?=", "é x y"),
        (b"Re: =?utf-8?q?een?=\n =?iso-8859-1?q?=E9?=", "Re: eené"),
        (b"=?x-unknown?q?een?=", "een"),
        (b"=?utf-8?q?een", "=?utf-8?q?een"),
        (b"=?utf-8?B?!!!?=", ""),
        ("één".encode(), "één"),
        ("één".encode("cp1252"), "één"),
        (b"een\r\n\ttwee", "een twee"),
        (b"e\0n", "en"),
    ],
)
def test_a_header_is_one_decoded_line(value: bytes, subject: str) -> None:
    assert a_message(b"Subject: " + value + b"\n\n").header("subject") == subject


def test_what_a_mailbox_puts_before_a_message_is_no_part_of_it() -> None:
    for before in (b"From a@b Mon Nov 22 12:00:00 2026\n", b"\xef\xbb\xbf", b"\r\n", b">From x\n"):
        assert a_message(before + b"Subject: een\n\ntwee").header("Subject".lower()) == "een"


def test_a_line_that_is_no_header_does_not_end_the_headers() -> None:
    for end in ("\n", "\r\n", "\r"):
        lines = ["From: x", "X-Odd : y", "broken", "  folded", "Subject: een", "", "A : b", "C: d"]
        message = a_message(end.join(lines).encode())
        assert (message.header("x-odd"), message.header("subject")) == ("y broken folded", "een")
        assert message.parts[0].text == end.join(lines[-2:])
    for text in ("hallo\nNote: x\n\ny", "hallo"):
        assert only_part(text.encode()).text == text
    assert only_part(b"Subject: x\nhallo\nallen\n\ny").text == "hallo\nallen\n\ny"


def test_a_header_that_comes_several_times_has_several_values() -> None:
    message = a_message(b"Delivered-To: a@x\nDELIVERED-TO: b@x\n\n")

    assert message.headers == {"delivered-to": ("a@x", "b@x")}
    assert message.header("to") == ""


def test_reports_and_messages_that_stand_in_a_message_are_given_as_they_came() -> None:
    message = a_message(
        b'Content-Type: multipart/report; report-type="Delivery-Status"; boundary=b\n\n'
        b"--b\nContent-Type: text/plain\n\nIt did not arrive.\n"
        b"--b\nContent-Type: message/delivery-status\n\n"
        b"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@x\nStatus: 5.1.1\n"
        b"--b\nContent-Type: message/rfc822\n\n"
        b"Message-ID: <1@x>\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n"
        + base64.b64encode(b"<p>Dag<br>allen")
        + b"\n--b--\n"
    )

    assert message.report_type == "delivery-status"
    assert [(part.content_type, part.depth) for part in message.parts] == [
        ("text/plain", 0),
        ("message/delivery-status", 0),
        ("message/rfc822", 0),
        ("text/html", 1),
    ]
    _, report, returned, html = message.parts
    assert "Final-Recipient: rfc822; a@x\nStatus: 5.1.1\n" in report.text
    assert returned.text.startswith("Message-ID: <1@x>\nContent-Type: text/html\n")
    assert (html.text.strip(), html.html) == ("Dag\nallen", "<p>Dag<br>allen")


@pytest.mark.parametrize("name", ["message/delivery-status", "message/global-delivery-status"])
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_report_that_was_encoded_is_decoded(name: str, encoding: str) -> None:
    fields = "Final-Recipient: utf-8; jäger@x\nStatus: 5.1.1".encode()
    encoded = base64.encodebytes(fields) if encoding == "base64" else fields.replace(b"=", b"=3D")

    assert only_part(of_type(name, encoded, encoding)).text.strip() == fields.decode()


def test_the_headers_alone_of_a_mail_are_a_text() -> None:
    part = only_part(of_type("text/rfc822-headers", b"Message-ID: <1@x>\nSubject: \xe9\n"))

    assert part.text == "Message-ID: <1@x>\nSubject: é\n"


def test_a_message_within_messages_is_taken_apart_only_so_deep() -> None:
    parts = a_message(b"Content-Type: message/rfc822\n\n" * 6 + b"Subject: x\n\nhallo").parts

    assert [part.depth for part in parts] == [0, 1, 2, 3]
    assert "hallo" in parts[-1].text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Nee,<br/>dank&nbsp;u</p>", "Nee,\ndank u"),
        ("<head><title>x</title></head><style>p {}</style>nee<script>1 < 2</script>", "nee"),
        ("<!-- a <b> --> nee <!--[if mso]>x<![endif]-->", "nee"),
        ("<!DOCTYPE html><?xml version='1'?>nee", "nee"),
        ("nee<blockquote>Mag <b>het</b>?</blockquote>dag", "nee\n> Mag het?\ndag"),
        ("nee<hr>Van: ons", f"nee\n{'_' * 32}\nVan: ons"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        (
            "&#233;&eacute;&#99999999999;&#x110000;",
            "éé\N{REPLACEMENT CHARACTER};\N{REPLACEMENT CHARACTER}",
        ),
        ("nee<!-- open <p>ja", "nee"),
        ("nee<a href='x", "nee"),
        ("</blockquote>nee", "nee"),
    ],
)
def test_html_becomes_the_text_that_is_seen(html: str, text: str) -> None:
    assert "\n".join(line for line in markup.plain(html).split("\n") if line) == text


def test_a_message_of_which_only_the_begin_is_read_says_so() -> None:
    assert not a_message(b"Subject: x\n\nx").is_cut
    assert a_message(b"Subject: x\n\n" + b"x" * MOST_BYTES).is_cut
    assert a_message(b"Subject: x\n\n" + b"x\n" * 100_000).is_cut
    cut = parse(b"Subject: x\n\nx", is_cut=True)
    assert isinstance(cut, Message)
    assert cut.is_cut


def test_a_name_of_a_charset_is_never_looked_up_that_is_not_one() -> None:
    """The standard library remembers every name that it was ever asked for."""
    assert decoding.text(b"een", "unheard-of") == "een"
