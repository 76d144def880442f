"""How a mail program reads a mail, and the odd texts that a mail may hold."""

from __future__ import annotations

import email
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32
from email.utils import parseaddr
from html.parser import HTMLParser

from hypothesis import strategies as st

HEADERS = 12  # of a mail, each once
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120).map(
    str.strip
)
LOCAL_PARTS = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}(\.[a-z0-9]{1,20})?", fullmatch=True)
PIECES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *("⟦yes_url⟧", "⟦no_such_place⟧", "{deadline}", "{{ 7 * 7 }}", "{% raw %}"),
            *(
                "<b>bold</b>",
                "<script>alert(1)</script>",
                '"><a href="https://evil.example">',
                "&amp;",
            ),
            *(
                "\r\n.\r\n",
                "\r",
                "\n.\n",
                ".",
                "\n--=_",
                "=?utf-8?q?x?=",
                "=3D",
                " \n",
                "\t\r\n",
                "\0",
            ),
        ]
    ),
)
SOURCES = st.lists(PIECES, max_size=6).map("".join)


class Links(HTMLParser):
    """What a mail program fetches or follows, and which elements there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.hrefs: list[str] = []
        self.fetched: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.hrefs.append(value or "")
            if name in {"src", "background", "srcset", "poster"}:
                self.fetched.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def parts(message: EmailMessage) -> tuple[str, str]:
    """Return the text and the HTML, with plain line ends."""
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert text.defects == html.defects == []
    said = [str(part.get_content()).replace("\r\n", "\n") for part in (text, html)]
    return said[0].rstrip("\n"), said[1].rstrip("\n")


def headers(content: bytes) -> bytes:
    return content.partition(b"\r\n\r\n")[0]


def from_name(content: bytes) -> str:
    """Return the name of the sender; the parser of the policies puts spaces into long ones."""
    raw = email.message_from_bytes(content, policy=compat32)["From"]
    name, _ = parseaddr("".join(re.split(r"\r?\n(?= )", raw)))
    return str(make_header(decode_header(name)))
