"""The papers for an officer's file, of facts and a template in each language.

One text is the source: Markdown as it stands, or the same as a page to print. What comes from the
config or from a list is data in both: it can make no heading, no table, no link and no tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.numbers import format_decimal

from repermit.domain.question import day_in_words
from repermit.domain.templates import Templates
from repermit.files import whole

LANGUAGES: Final = ("nl", "fr", "de", "en")
_SPECIAL = re.compile(r"[\\`*\[\]<>|~&!$]|(?<![^\W_])_|_(?![^\W_])")
_FIRST = re.compile(
    r"^(?=[#+=:-])|^\d+(?=[.)](?:\s|$))"
)  # what begins a block at the start of a line


@dataclass(frozen=True)
class Gap:
    """Something a paper needs and the config lacks: what, the key to set (empty when it is to be
    written by hand), and of whom."""

    code: str
    key: str
    of: str = ""


@dataclass(frozen=True)
class Section:
    """A paper in one language, as Markdown."""

    language: str
    text: str


@dataclass(frozen=True)
class Paper:
    """A paper in one or several languages."""

    sections: tuple[Section, ...]
    gaps: tuple[Gap, ...]

    @property
    def markdown(self) -> str:
        """Return the whole as Markdown."""
        return "\n---\n\n".join(each.text for each in self.sections)


def language_of(language: str) -> str:
    """Return the language of a paper for a campaign in *language*: English where there is none."""
    return language if language in LANGUAGES else "en"


def make(
    templates: Templates,
    kind: str,
    languages: Sequence[str],
    facts: Callable[[str], Mapping[str, Any]],
    *,
    zone: ZoneInfo,
    gaps: Sequence[Gap] = (),
) -> Paper:
    """Return the paper *kind* in each of *languages*, of what *facts* gives for each of them; a
    fact named `verbatim` stands in a block of code, and is not escaped.

    Raises: WordingIncomplete.
    """
    sections = []
    for language in languages:
        given = facts(language)
        context = {
            **{name: inert(value) for name, value in given.items() if name != "verbatim"},
            "verbatim": given.get("verbatim", ""),
            "gaps": [{"code": gap.code, "key": gap.key, "of": inert(gap.of)} for gap in gaps],
            **words(language, zone),
        }
        text = templates.render(f"papers/{kind}.{language}.md.j2", context)
        sections.append(Section(language, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"))
    return Paper(tuple(sections), tuple(gaps))


def write(paper: Paper, templates: Templates, out: Path) -> None:
    """Write *paper* to the new file *out*: a page by its name `.html`, else Markdown.

    Raises: FileRefused, WordingIncomplete.
    """
    is_page = out.suffix.lower() == ".html"
    content = page(paper, templates) if is_page else paper.markdown
    with whole(out) as file:
        file.write(content.encode())


def page(paper: Paper, templates: Templates) -> str:
    """Return *paper* as one page that needs nothing from elsewhere."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    inline = (each for each in parser.parse(paper.sections[0].text) if each.type == "inline")
    context = {
        "title": "".join(
            each.content for heading in islice(inline, 1) for each in heading.children or ()
        ),
        "sections": [
            {"language": each.language, "body": parser.render(each.text)} for each in paper.sections
        ],
    }
    return templates.render("papers/page.html.j2", context)


def inert(value: Any) -> Any:
    """Return *value* with every text in it as Markdown that shows just that text, on one line."""
    if isinstance(value, str):
        return _inert(value)
    if isinstance(value, Mapping):
        return {key: inert(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [inert(each) for each in value]
    return value


def _inert(text: str) -> str:
    text = " ".join(text.split())
    text = "".join(character if character.isprintable() else "?" for character in text)
    text = _SPECIAL.sub(lambda found: f"\\{found[0]}", text)
    return _FIRST.sub(lambda found: f"{found[0]}\\", text)


def words(language: str, zone: ZoneInfo) -> dict[str, Callable[[Any], str]]:
    """Return what writes a number, a day, a moment and a country in *language*."""
    locale = Locale.parse("en_GB" if language == "en" else language)

    def day(value: date | datetime) -> str:
        if isinstance(value, datetime):
            value = value.astimezone(zone).date()
        return day_in_words(value, language)

    def moment(value: datetime) -> str:
        return f"{day(value)}, {value.astimezone(zone):%H:%M}"

    return {
        "n": lambda count: format_decimal(count, locale=locale),
        "day": day,
        "moment": moment,
        "country": lambda code: str(locale.territories.get(code, code)),
    }
