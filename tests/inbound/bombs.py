"""Messages made to break what reads them: a head, and a piece that is repeated after it."""

from __future__ import annotations

_HTML = b"Content-Type: text/html\n\n"
_BOUNCE = b"From: MAILER-DAEMON@x\nSubject: failure notice\n\n"
_BARE = b"Content-Type: multipart/report; boundary=e\n\n--e\n\n"
_RECIPIENT = b"Action: failed\nStatus: 5.0.0\n"
_REPORT = b"Content-Type: message/delivery-status\n\n"


def nested(levels: int) -> bytes:
    """Return the begin of so many multiparts in one another."""
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
        for level in range(levels)
    )


BOMBS = {
    "empty lines": (b"A: b\n\n", b"\n"),
    "bare CR": (b"A: b\n\n", b"\r"),
    "lines within 29 multiparts": (nested(29) + b"\n", b"\n"),
    "lines like boundaries": (nested(29) + b"\n", b"--b \n"),
    "messages in messages": (b"", b"Content-Type: message/rfc822\n\n"),
    "text in 29 messages": (b"Content-Type: message/rfc822\n\n" * 29 + b"A: b\n\n", b"hello x\n"),
    "parts": (b"Content-Type: multipart/mixed; boundary=b\n\n", b"--b\n\nx\n"),
    "blocks of a report": (_REPORT, b"Status: 5.1.1\n\n"),
    "empty blocks": (_REPORT, b"\n"),
    "fields": (_REPORT, b"Status: 5.1.1\n"),
    "recipients": (_REPORT, b"Final-Recipient: rfc822; a@x\nAction: failed\n"),
    "parameters": (b"Content-Type: multipart/mixed", b';"'),
    "continued parameters": (b"Content-Type: text/plain", b"; charset*0*=x"),
    "headers": (b"", b"a: b\n"),
    "a long header": (b"Subject: ", b"x"),
    "folds": (b"Subject: x\n", b" x\n"),
    "encoded words": (b"Subject: ", b"=?utf-8?q?a?= "),
    "open encoded words": (b"Subject: ", b"=?a?q?"),
    "parentheses": (b"From: ", b"("),
    "angles": (b"From: ", b"<"),
    "half addresses": (b"To: ", b"a@"),
    "only colons": (b"", b":\n"),
    "mbox lines": (b"", b"From x\n"),
    "NUL": (b"", b"\0"),
    "octets": (b"Subject: \xff\n\n", b"\xc3"),
    "tags": (_HTML, b"<"),
    "open tags": (_HTML, b"<a "),
    "comments": (_HTML, b"<!--"),
    "declarations": (_HTML, b"<!["),
    "scripts": (_HTML, b"<script>"),
    "quotes": (_HTML, b"<blockquote>"),
    "attributes": (_HTML + b"<a ", b"a='"),
    "ampersands": (_HTML, b"&"),
    "a long reference": (_HTML + b"&#", b"9"),
    "spaces": (_HTML, b" \n"),
    "base64": (b"Content-Transfer-Encoding: base64\n\n", b"A"),
    "padding": (b"Content-Transfer-Encoding: base64\n\n", b"="),
    "quoted-printable": (b"Content-Transfer-Encoding: quoted-printable\n\n", b"=\n"),
    "punycode": (b"Content-Type: text/plain; charset=punycode\n\n", b"abc-"),
    "idna": (b"Content-Type: text/plain; charset=idna\n\n", b"xn--"),
    "utf-7": (b"Content-Type: text/plain; charset=utf-7\n\n", b"+AAA-"),
    "names": (b"A: b\n\n", b"4711." + b"0" * 32 + b" "),
    "half names": (b"A: b\n\n", b"b+1."),
    "links": (b"A: b\n\n", b"/yes/ab." + b"x" * 43 + b" "),
    "half links": (b"A: b\n\n", b"/yes/ab."),
    "feedback": (b"Content-Type: message/feedback-report\n\n", b"feedback-type:  \n"),
    "words of a bounce": (_BOUNCE, b"the user account mailbox is not "),
    "lines of a bounce": (_BOUNCE, b"550 5.1.1 <a@x>: \n"),
    "rules": (_BOUNCE, b"-- "),
    "answers": (b"From: a@x\nSubject: Re: x\n\n", b"nee \n"),
    "dates of an absence": (b"From: a@x\nSubject: x\n\nich bin ", b"bis "),
    "spaces of a class": (_HTML + b"<p class=", b" "),
    "classes": (_HTML + b"<p ", b"class=     "),
    "dashes": (_BOUNCE, b"-"),
    "letters that are many": (_BOUNCE, "\ufdfa".encode()),
    "recipients that differ": (_BARE + b"lorem " * 1_600 + b"\n--e\n" + _REPORT, _RECIPIENT),
    "quoted": (b"From: a@x\nSubject: Re: x\n\n", b"> nee\n"),
}


def bomb(name: str, size: int) -> bytes:
    """Return a message with *size* octets after its head."""
    head, piece = BOMBS[name]
    return head + (piece * (size // len(piece) + 1))[:size]
