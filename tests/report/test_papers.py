"""The papers: whole in every language, right in their figures, and inert whatever they quote."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from repermit.cli.papers import make_paper
from repermit.domain.policy import Evidence
from repermit.domain.relationship import Relationship
from repermit.domain.standing import Answer, Standing
from repermit.errors import ProofBroken
from repermit.ledger.postgres.connection import PgConnection
from repermit.ledger.store import erasing
from repermit.ledger.transaction import Transaction
from repermit.report.papers import LANGUAGES, Paper, inert, page
from repermit.runtime import Runtime, shipped
from tests.builders import FakeClock, admit, asked, press
from tests.respond.builders import hash_of_tables, write_config

KINDS = ("register", "breach", "notice")
HOSTILE = (
    "<script>alert(1)</script> | `x` **b** [a](javascript:b) ![i](//e.example/i) # &lt; \\| $x$"
)
_FIRST_ROW = re.compile(r"^\| (?P<name>[^|]+?) \| (?P<count>[\d\u202f.,]+) \|$", re.MULTILINE)
_PROCESSOR = """
[[processors]]
name = "{name}"
role = "{role}"
country = "{country}"
"""

Made = Callable[..., Runtime]


@pytest.fixture
def campaign(campaign_folder: Path, a_database_url: str) -> Made:
    """What makes the runtime of a campaign: lines of its config changed by their key, texts in it
    replaced, and `more` at its end."""

    def made(
        lines: Mapping[str, str] | None = None,
        *,
        replaced: Mapping[str, str] | None = None,
        more: str = "",
    ) -> Runtime:
        path = write_config(campaign_folder, several=False, database=a_database_url, **lines or {})
        text = path.read_text("utf-8")
        for before, after in (replaced or {}).items():
            assert before in text
            text = text.replace(before, after)
        path.write_text(text + more, "utf-8")
        return Runtime.of(path, FakeClock())

    return made


async def live(runtime: Runtime) -> None:
    """Let everybody be there: asked, yes, no, exempt, withheld, erased."""
    async with runtime.ledger() as ledger:
        ids = await asked(ledger, *(f"lid-{number}@voorbeeld.example" for number in range(6)))
        await press(ledger, ids[0], Answer.YES)
        await press(ledger, ids[1], Answer.NO)
        await ledger.write(erasing.erase_person, ids[2])
        await admit(ledger, "wim@voorbeeld.example", relationship=None)
        await admit(ledger, "an@voorbeeld.example", relationship="bought_or_unknown", country="NL")
        await admit(
            ledger, "ria@voorbeeld.example", relationship="signed_up_with_proof", proof_ref="form 1"
        )


def in_language(language: str) -> dict[str, str]:
    """Return how the config is changed for a campaign in *language*."""
    return {"default_language": f'default_language = "{language}"'}


def figures(paper: Paper) -> dict[str, int]:
    """Return the rows of a name and a count in the tables of *paper*."""
    rows = _FIRST_ROW.findall(paper.sections[0].text)
    return {name: int(re.sub(r"\D", "", count)) for name, count in rows}


class Checked(HTMLParser):
    """A page whose tags are all closed, in order; raises otherwise."""

    VOID = frozenset({"meta", "br", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.languages: list[str | None] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ("html", "section"):
            self.languages.append(dict(attrs)["lang"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["empty", "living", "sensitive"])
async def test_each_paper_is_whole_in_each_language(
    campaign: Made, kind: str, language: str, state: str
) -> None:
    """No variable is undefined, nothing of the template is left, and nobody is named."""
    lines, more = in_language(language), ""
    if state == "sensitive":
        lines |= {"sensitive": "sensitive = true", "origin_days": "origin_days = 90"}
        more = _PROCESSOR.format(name="Host Inc", role="hosting", country="US")
    runtime = campaign(lines, more=more)
    if state != "empty":
        await live(runtime)

    paper = await make_paper(runtime, kind)

    wanted = ["nl", "fr", "de", "en"] if kind == "notice" else [language]
    assert [each.language for each in paper.sections] == wanted
    assert not re.search(r"{[{%#]|[}%#]}|\bNone\b|Undefined|@voorbeeld", paper.markdown)
    assert "Tuinvrienden Voorbeeld vzw" in paper.markdown
    html = Checked(page(paper, runtime.templates))
    assert html.languages == [wanted[0], *wanted]
    assert html.tags.count("h1") == len(wanted)
    assert not {"script", "img", "link", "a", "form"} & set(html.tags)
    assert {name for name, _ in html.attributes} <= {"lang", "charset", "name", "content", "style"}
    assert html.text.count("|") == 0, "a table was not understood"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_ledger_has_one_name_and_each_purpose_a_basis_in_article_6(
    campaign: Made, language: str
) -> None:
    names = {"nl": "grootboek", "fr": "base de données", "de": "Datenbank", "en": "ledger"}
    runtime = campaign(in_language(language))

    register, breach = [
        (await make_paper(runtime, kind)).sections[0].text for kind in ("register", "breach")
    ]

    for text in (register, breach):
        assert names[language] in text
        assert not [
            each
            for each in {*names.values(), "databank", "database"} - {names[language]}
            if each in text
        ]
    point = r"6(?:, lid 1, |, paragraphe 1, point | Absatz 1 Buchstabe |\(1\)\()([a-f])\b"
    assert re.findall(point, register) == ["f", "a", "c", "c", "f"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_held_has_a_name(language: str) -> None:
    from jinja2 import Environment, FileSystemLoader

    loaded = Environment(loader=FileSystemLoader(shipped()), autoescape=False)  # noqa: S701 - Markdown
    said: Any = loaded.get_template(f"papers/names.{language}.j2").module

    sealed = {field.name for field in fields(Evidence)} - {"relationship", "country"}
    assert set(said.fields) == {"mailbox", *sealed}
    assert set(said.standings) == set(map(str, Standing))
    assert set(said.relationships) == {"", "unknown", *map(str, Relationship)}
    assert set(said.gone) == {"opted_in", "opted_out", "exempt"}


@pytest.mark.parametrize("kind", ["register", "breach"])
async def test_the_figures_are_those_of_the_ledger(campaign: Made, kind: str) -> None:
    runtime = campaign(in_language("en"))
    await live(runtime)

    paper = await make_paper(runtime, kind)

    found, text = figures(paper), paper.markdown
    assert (found["said yes"], found["said no, or asked for no more mail"]) == (1, 1)
    assert (found["asked, no answer"], found["needs no question"]) == (3, 1)
    assert found["may not be asked"] == 2
    assert found["e-mail address"] == found["when it was collected"] == 8
    assert found["reference of proof of a sign-up"] == 1
    assert "| bought, or origin unknown | Netherlands | 1 |" in text
    assert "| not known | Belgium | 1 |" in text
    assert "2 unreadable codes" in text
    if kind == "register":
        assert "Admitted: 9. Held now: 8." in text
        assert "Erased at their own wish: 1." in text
        assert "“our newsletter” (about one mail a month): 1 said yes" in text
        assert found["the stand at the fair"] == 8


async def test_the_root_that_is_signed_is_that_of_the_log(campaign: Made) -> None:
    runtime = campaign()
    await live(runtime)
    async with runtime.ledger() as ledger:
        found = await ledger.verified()

    for kind in ("register", "breach"):
        paper = await make_paper(runtime, kind)
        (checkpoint,) = runtime.signing.verifying.found_in(paper.markdown)
        assert (checkpoint.size, checkpoint.root.hex()) == (found.size, found.root)


async def test_a_log_that_does_not_verify_is_said_in_the_breach_sheet_and_stops_the_register(
    campaign: Made,
) -> None:
    runtime = campaign(in_language("en"))
    await live(runtime)
    async with runtime.ledger() as ledger:
        await ledger.write(
            lambda tx: tx.run("UPDATE recipient SET standing = 'opted_in' WHERE id = 4")
        )

    with pytest.raises(ProofBroken, match="recipient 4"):
        await make_paper(runtime, "register")
    sheet = (await make_paper(runtime, "breach")).markdown

    assert "**When this sheet was made the log did not verify**: recipient 4" in sheet
    assert "Signed root" not in sheet


def _damage(tx: Transaction) -> None:
    tx.run("UPDATE recipient SET sealed = ? WHERE id = 1", bytes(64))
    text = "?" if isinstance(tx.connection, PgConnection) else "CAST(? AS TEXT)"
    tx.run(f"UPDATE recipient SET sealed = {text} WHERE id = 2", b"\xff\xfeA")
    tx.run("UPDATE recipient SET generation = 7 WHERE id = 4")


@pytest.mark.parametrize("kind", ["breach", "notice"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_cannot_be_opened_is_named_and_the_paper_made_all_the_same(
    campaign: Made, kind: str, language: str
) -> None:
    """A sealed field was altered or is a text, and a key is gone; the register is of a ledger that
    verifies."""
    runtime = campaign(in_language(language))
    await live(runtime)
    async with runtime.ledger() as ledger:
        await ledger.write(_damage)

    paper = await make_paper(runtime, kind)

    gaps = [(gap.code, gap.of) for gap in paper.gaps]
    assert gaps[-2:] == [("altered", "2"), ("keyless", "1")]
    line = re.search(r"^\*\*[^*]+\*\*, [^\n]*: 2 [^\n]* 1 [^\n]*\.$", paper.markdown, re.MULTILINE)
    assert (line is not None) == (kind == "breach")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_paper_changes_nothing(campaign: Made, kind: str) -> None:
    runtime = campaign()
    await live(runtime)

    async def state() -> tuple[str, bytes]:
        async with runtime.ledger() as ledger:
            return await ledger.read(hash_of_tables), runtime.keys.mark.read_bytes()

    before = await state()
    await make_paper(runtime, kind)

    assert await state() == before


async def test_every_gap_is_named_with_the_key_to_set(campaign: Made) -> None:
    lines = {"registration": 'registration = ""', "sensitive": "sensitive = true"}
    runtime = campaign(
        in_language("en") | lines,
        replaced={"smtp://127.0.0.1:": "smtp://relay.example.org:"},
        more=_PROCESSOR.format(name="Host Inc", role="hosting", country="US"),
    )

    paper = await make_paper(runtime, "register")

    found = [(gap.code, gap.key, gap.of) for gap in paper.gaps]
    assert found == [
        ("registration", "controller.registration", ""),
        ("dpo", "controller.dpo", ""),
        ("dpia", "controller.dpia", ""),
        ("accepted", "policy.accepted_by", ""),
        ("accepted_on", "policy.accepted_on", ""),
        ("keep_until", "web.keep_until", ""),
        ("relay", "[[processors]]", ""),
        ("agreement", "processors.agreement", "Host Inc"),
        ("date", "processors.date", "Host Inc"),
        ("outside", "", "Host Inc, US"),
    ]
    for _, key, of in found:
        assert f"`{key}`" in paper.markdown
        assert of in paper.markdown
    assert paper.markdown.count("**Missing**") == len(found)
    assert (
        "Host Inc | hosting | United States (**outside the EEA**) | **missing** | **missing**"
        in (paper.markdown)
    )
    assert "The exception of Article 9(2)" in paper.markdown


async def test_a_whole_config_has_no_gap(campaign: Made) -> None:
    processor = _PROCESSOR.format(name="Post bv", role="mail relay", country="BE")
    lines = {
        "dpo": 'dpo = "An, dpo@tuinvrienden.example"',
        "accepted_by": 'accepted_by = "An"',
        "accepted_on": "accepted_on = 2026-11-21",
        "keep_until": "keep_until = 2029-12-31",
    }
    runtime = campaign(
        in_language("en") | lines,
        more=f'{processor}agreement = "2026-14"\ndate = 2026-03-02\n',
    )

    for kind in KINDS:
        paper = await make_paper(runtime, kind)
        assert paper.gaps == ()
        assert "missing" not in paper.markdown.lower()
    assert "Post bv (mail relay, Belgium). They are established" in paper.markdown


async def test_a_language_without_a_paper_has_the_english_one(campaign: Made) -> None:
    spanish = 'text.es = "nuestro boletín"\nfrequency.es = "cada mes"\ntext.nl = "onze nieuwsbrief"'
    lines = {"languages": 'languages = ["nl", "es"]', "text.nl": spanish}
    runtime = campaign(in_language("es") | lines)

    notice = await make_paper(runtime, "notice")
    register = await make_paper(runtime, "register")

    assert [each.language for each in notice.sections] == ["nl", "en"]
    assert ("language", "es") in [(gap.code, gap.of) for gap in notice.gaps]
    assert "nuestro boletín, cada mes" in notice.sections[1].text
    assert [each.language for each in register.sections] == ["en"]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_quoted_is_inert(campaign: Made, kind: str) -> None:
    """From the config and from a list: the page has the same tags, and the words as they are."""
    keys = ("registration", "authority", "text.en", "accepted_by", "signed_up_no_proof")
    pages = []
    for number, words in enumerate(("harmless", HOSTILE)):
        lines = {key: f"{key} = '{words}'" for key in keys}
        address = f"postal_address = '''{words}\n# {words}\n\n| {words}'''"
        runtime = campaign(
            in_language("en") | lines | {"postal_address": address},
            replaced={'"Tuinvrienden Voorbeeld vzw"': f"'{words}'"},
            more=_PROCESSOR.replace('"', "'").format(name=words, role=words, country="BE"),
        )
        people = (f"lid-{number}{each}@voorbeeld.example" for each in range(3))
        async with runtime.ledger() as ledger:
            await admit(ledger, *people, source=f"{words}\n# {words}")
        pages.append(Checked(page(await make_paper(runtime, kind), runtime.templates)))

    harmless, hostile = pages
    assert HOSTILE in hostile.text
    for tag in {*hostile.tags} - {"tr", "td"}:  # the second has one more source in its tables
        assert harmless.tags.count(tag) == hostile.tags.count(tag), tag
    assert not {"script", "img", "a"} & set(hostile.tags)


@given(st.text())
def test_any_text_is_shown_as_it_is(text: str) -> None:
    """At the start of a line, and in a cell."""
    plain = " ".join(text.split())
    plain = "".join(character if character.isprintable() else "?" for character in plain)

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    line = Checked(parser.render(inert(text)))
    cell = Checked(parser.render(f"| a |\n|---|\n| {inert(text)} |\n"))

    assert line.text.strip() == plain
    assert line.tags == (["p"] if plain else [])
    assert cell.text.split("\n") == Checked(parser.render("| a |\n|---|\n| b |\n")).text.replace(
        "b", plain
    ).split("\n")
