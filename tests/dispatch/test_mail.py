"""The one mail, as a mail program reads it."""

from __future__ import annotations

import email
import re
from datetime import UTC, date, datetime, timedelta
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32
from email.utils import parseaddr
from html import escape
from html.parser import HTMLParser
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.mail import Mailer, Variant
from repermit.domain.address import parse
from repermit.domain.deadline import due_at, last_day
from repermit.domain.policy import CAN_BE_ASKED, Evidence
from repermit.domain.question import day_in_words
from repermit.domain.skeleton import fill
from repermit.domain.token import TEST_RECIPIENT, Scope
from repermit.ledger.store.personal import Person
from tests.dispatch.builders import FAIR, LANGUAGES, NEWS, TOKENS, URL, ZONE, a_mailer, a_question

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DUE = due_at(NOW, answer_days=30, zone=ZONE)
VARIANTS = [
    Variant(language, relationship, sensitive, test)
    for language, relationship, sensitive, test in product(
        LANGUAGES, sorted(CAN_BE_ASKED), (False, True), (False, True)
    )
]
MAILER = a_mailer()  # makes its skeletons once
NL = Variant("nl", "signed_up_no_proof", sensitive=False)
every_variant = pytest.mark.parametrize(
    "variant", VARIANTS, ids=lambda one: "-".join(map(str, vars(one).values()))
)
HEADERS = 12  # of a mail, each once
ENCODED_WORD = re.compile(rb"=\?[^ ]*\?=")


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


def a_person(address: str = "an.peeters@telenet.example", **evidence: object) -> Person:
    known = {
        "source": "het formulier op de beurs",
        "collected": date(2016, 3, 1),
        "ended": date(2019, 1, 1),
        **evidence,
    }
    return Person(parse(address), Evidence(**known))  # type: ignore[arg-type]


def built(
    variant: Variant = NL,
    person: Person | None = None,
    *,
    mailer: Mailer | None = None,
    id_: int = 7,
) -> bytes:
    mail = (mailer or MAILER).build(id_, person or a_person(), variant, due=DUE, now=NOW)
    return mail.content


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


@every_variant
def test_every_mail_has_the_headers_that_it_must_have(variant: Variant) -> None:
    message = parsed(built(variant))

    assert message["From"].addresses[0].addr_spec == "nieuws@tuinvrienden.example"
    assert message["To"] == "an.peeters@telenet.example"
    assert message["Reply-To"] == "privacy@tuinvrienden.example"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == f"<{a_mailer().message_id(7)}>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<0f0e0d0c-0b0a-4908-8706-050403020100.tuinvrienden.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["MIME-Version"] == "1.0"
    assert message["Subject"]
    assert len({name.lower() for name in message}) == len(message.keys()) == HEADERS


@every_variant
def test_the_way_out_stands_once_on_one_line_and_is_a_link(variant: Variant) -> None:
    lines = headers(built(variant)).split(b"\r\n")

    [line] = [one for one in lines if one.lower().startswith(b"list-unsubscribe:")]
    token = TOKENS.issue(Scope.UNSUBSCRIBE, 7)
    assert line == f"List-Unsubscribe: <{URL}/u/{token}>".encode()


def test_a_way_out_longer_than_a_line_is_not_folded() -> None:
    url = "https://answer.tuinvrienden.example/" + "p" * 300
    content = built(mailer=a_mailer(public_url=url))

    token = TOKENS.issue(Scope.UNSUBSCRIBE, 7)
    assert f"\r\nList-Unsubscribe: <{url}/u/{token}>\r\n".encode() in content


@every_variant
def test_lines_are_short_and_end_in_crlf_and_everything_is_ascii(variant: Variant) -> None:
    content = built(variant)

    assert content.endswith(b"\r\n")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.isascii()


@every_variant
def test_text_and_html_both_hold_both_links_and_nothing_is_fetched(variant: Variant) -> None:
    text, html = parts(parsed(built(variant)))

    answer = TOKENS.issue(Scope.ANSWER, 7)
    yes, no = f"{URL}/yes/{answer}", f"{URL}/no/{answer}"
    assert (text.split().count(yes), text.split().count(no)) == (1, 1)
    links = Links(html)
    assert (links.hrefs.count(yes), links.hrefs.count(no)) == (1, 1)
    assert links.tags.isdisjoint({"img", "script", "link", "iframe", "form", "object", "video"})
    assert links.fetched == links.handlers == []
    assert "url(" not in html
    assert "@import" not in html


@every_variant
def test_no_place_is_left_open_and_the_last_day_is_named(variant: Variant) -> None:
    content = built(variant)

    deadline = day_in_words(last_day(DUE, zone=ZONE), variant.language)
    for part in (*parts(parsed(content)), str(parsed(content)["Subject"])):
        assert not re.search("[⟦⟧]", part)
    for part in parts(parsed(content)):
        assert deadline in part


def test_the_last_day_is_the_one_before_due_also_when_the_clock_changes() -> None:
    due = due_at(datetime(2027, 2, 25, 23, 30, tzinfo=UTC), answer_days=30, zone=ZONE)
    mail = a_mailer().build(7, a_person(), NL, due=due, now=NOW)

    for part in parts(parsed(mail.content)):
        assert "29 maart 2027" in part


def test_the_test_mail_says_that_it_is_one_and_each_has_an_id_of_its_own() -> None:
    variant = Variant("nl", "customer", sensitive=False, test=True)
    mailer, ids = a_mailer(), []
    for later in range(2):
        now = NOW + timedelta(minutes=later)
        mail = mailer.build(TEST_RECIPIENT, a_person(), variant, due=DUE, now=now)
        ids.append(parsed(mail.content)["Message-ID"])
        assert all("testmail" in part for part in parts(parsed(mail.content)))

    assert len(set(ids)) == 2


def test_the_message_id_is_fixed_for_a_recipient_and_tells_nothing_of_them() -> None:
    first, again = (
        built(NL, a_person("an@people.example")),
        built(NL, a_person("jan@people.example")),
    )
    other = built(NL, id_=8)

    assert parsed(first)["Message-ID"] == parsed(again)["Message-ID"]
    assert parsed(first)["Message-ID"] != parsed(other)["Message-ID"]
    assert a_mailer(message_key=b"n" * 32).message_id(7) != a_mailer().message_id(7)


def test_several_purposes_are_all_named() -> None:
    for part in parts(parsed(built(mailer=a_mailer(a_question(NEWS, FAIR))))):
        assert "onze nieuwsbrief (elke maand), uitnodigingen (elk jaar)" in part


def test_a_subject_of_the_campaign_may_name_the_last_day() -> None:
    mailer = a_mailer(a_question(said={"mail.subject": "Vóór {deadline}: ja of nee?"}))

    deadline = day_in_words(last_day(DUE, zone=ZONE), "nl")
    assert parsed(built(mailer=mailer))["Subject"] == f"Vóór {deadline}: ja of nee?"


def test_a_relationship_without_a_true_sentence_has_no_mail() -> None:
    with pytest.raises(KeyError):
        a_mailer().skeleton(Variant("nl", "bought_list", sensitive=False))


def test_an_address_beyond_ascii_stands_in_to_as_it_is() -> None:
    content = built(NL, a_person("zoë@people.example"))

    assert "\r\nTo: zoë@people.example\r\n".encode() in b"\r\n" + content


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


def oracle(text: str, html: str) -> tuple[str, str]:
    """Return what is read back of a mail that the standard library makes of the same texts."""
    message = EmailMessage(policy=SMTP)
    message.set_content(text, charset="utf-8", cte="base64")
    message.add_alternative(html, subtype="html", charset="utf-8", cte="base64")
    return parts(parsed(message.as_bytes()))


@given(SOURCES, st.sampled_from(VARIANTS))
def test_whatever_the_source_text_the_parts_read_back_as_they_were(
    source: str, variant: Variant
) -> None:
    person = a_person(source=source)
    content = built(variant, person)

    values = MAILER.values(7, person, variant, DUE)
    skeleton = MAILER.skeleton(variant)
    escaped = {name: str(escape(value)) for name, value in values.items()}
    expected = oracle(fill(skeleton.text, values), fill(skeleton.html, escaped))
    assert parts(parsed(content)) == expected
    assert content.isascii()
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998


@given(SOURCES)
def test_whatever_the_source_text_it_is_inert(source: str) -> None:
    """It opens no place, and adds no element and no link."""
    plain, odd = (
        Links(parts(parsed(built(NL, a_person(source=one))))[1]) for one in ("de beurs", source)
    )

    assert odd.hrefs == plain.hrefs
    assert odd.tags == plain.tags


def test_a_mark_in_a_source_text_stays_a_mark() -> None:
    for part in parts(parsed(built(NL, a_person(source="the ⟦yes_url⟧ list")))):
        assert "the ⟦yes_url⟧ list" in part


def from_name(content: bytes) -> str:
    """Return the name of the sender; the parser of the policies puts spaces into long ones."""
    raw = email.message_from_bytes(content, policy=compat32)["From"]
    name, _ = parseaddr("".join(re.split(r"\r?\n(?= )", raw)))
    return str(make_header(decode_header(name)))


@given(name=NAMES, local=LOCAL_PARTS, who=NAMES)
def test_whatever_the_name_of_the_sender_it_reads_back_and_no_header_is_odd(
    name: str, local: str, who: str
) -> None:
    subject = who.replace("{", "{{").replace("}", "}}") or "x"
    mailer = a_mailer(
        a_question(said={"mail.subject": subject}),
        from_name=name,
        from_address=f"{local}@x.example",
    )
    content = built(mailer=mailer)
    message = parsed(content)

    [sender] = message["From"].addresses
    assert sender.addr_spec == f"{local}@x.example"
    assert from_name(content) == name
    assert str(message["Subject"]) == (who or "x")
    assert max(map(len, ENCODED_WORD.findall(headers(content))), default=0) <= 75
    assert len(message.keys()) == HEADERS


@given(st.text(max_size=60))
def test_a_line_break_in_a_name_adds_no_header(text: str) -> None:
    mailer = a_mailer(from_name=f"{text}\r\nBcc: everybody@people.example\r\n\r\nhello")
    message = parsed(built(mailer=mailer))

    assert "Bcc" not in message
    assert len(message.keys()) == HEADERS
    assert message.get_content_type() == "multipart/alternative"
