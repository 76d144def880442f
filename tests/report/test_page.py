import re
import tomllib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from repermit.domain.outcome import Outcome
from repermit.domain.policy import Reason
from repermit.domain.relationship import Relationship
from repermit.domain.templates import Templates
from repermit.errors import WordingIncomplete
from repermit.inbound.reading import Kind
from repermit.ledger.store.probing import Vantage
from repermit.ledger.store.series import Course
from repermit.report.charts import LETTER_PIXELS, NARROW_PIXELS
from repermit.report.drawn import FUNNEL
from repermit.report.figures import State, report
from repermit.report.page import Heading, page
from tests.report.courses import BEGUN, empty, over, underway

SHIPPED = Path(__file__).parents[2] / "templates"
LANGUAGES = ("nl", "fr", "de", "en")
ZONE = ZoneInfo("Europe/Brussels")
NOTE = "repermit/1\n2\nroot\n\n— repermit/1 signature"
HEADING = Heading("Tuin & <Vrienden>", "Vzw <Voorbeeld>", "0.1.0", NOTE)
VOID = {"meta", "path", "rect", "circle", "line", "br"}
every_language = pytest.mark.parametrize("language", LANGUAGES)
every_stage = pytest.mark.parametrize(
    "course", [empty(), underway(), over()], ids=["empty", "underway", "over"]
)


def page_of(course: Course, language: str = "en", *, heading: Heading = HEADING) -> str:
    """Return the page of *course*, 40 days after it began."""
    found = report(course, now=BEGUN + timedelta(days=40), zone=ZONE)
    return page(found, heading, Templates([SHIPPED]), language=language, zone=ZONE)


def words(language: str) -> dict[str, Any]:
    """Return the words of a language."""
    return tomllib.loads((SHIPPED / f"report/figures/{language}.toml").read_text("utf-8"))


def names(table: dict[str, Any], of: str = "") -> dict[str, set[str]]:
    """Return the name of every sentence, and what is filled in there."""
    found: dict[str, set[str]] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            found |= names(value, f"{of}{name}.")
        else:
            found[f"{of}{name}"] = set(re.findall(r"{(\w+)}", value))
    return found


@dataclass
class Parsed(HTMLParser):
    """A page as a browser reads it; every tag must be closed in its turn."""

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        given = dict(attrs)
        assert len(given) == len(attrs), f"twice in <{tag}>"
        self.tags.append((tag, given))
        self.ids += [given["id"] or ""] if "id" in given else []
        if tag == "a":
            self.links.append(given.get("href") or "")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note its end."""
        if tag not in VOID:
            assert self._open.pop() == tag

    def close(self) -> None:
        """Note the end of the page."""
        super().close()
        assert self._open == []


def read(text: str) -> Parsed:
    """Return *text* as it is read."""
    found = Parsed()
    found.feed(text)
    found.close()
    return found


@every_language
@every_stage
def test_the_page_is_whole_and_needs_nothing_from_elsewhere(course: Course, language: str) -> None:
    text = page_of(course, language)

    found = read(text)
    assert text.startswith("<!doctype html>\n")
    assert ("html", {"lang": language}) in found.tags
    assert len(found.ids) == len(set(found.ids))
    assert set(found.links) <= {f"#{each}" for each in found.ids}
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(
        then - now <= 1 for now, then in zip(found.headings, found.headings[1:], strict=False)
    )
    assert not re.search(r"<script|<link|<img|\bsrc=|@import|https?://|javascript:|\son\w+=", text)
    assert re.findall(r"url\([^)]*\)", text) == re.findall(
        r"url\(#(?:hatch|cross|bars|dots)\)", text
    )
    assert len(text) < 200_000


def test_every_chart_has_a_table_behind_it() -> None:
    found = read(page_of(underway()))

    charts = [given for tag, given in found.tags if tag == "svg" and given.get("role") == "img"]
    assert len(charts) == 6
    assert sum(tag == "table" for tag, _ in found.tags) > len(charts)
    for each in charts:
        assert set((each["aria-labelledby"] or "").split()) <= set(found.ids)


def test_what_people_wrote_is_never_markup() -> None:
    text = page_of(underway())

    assert "Tuin &amp; &lt;Vrienden&gt;" in text
    assert "<Voorbeeld>" not in text
    assert "— repermit/1 signature" in text


@every_stage
def test_the_page_tells_the_figures(course: Course) -> None:
    text = re.sub(r"<style>.*?</style>", "", page_of(course), flags=re.DOTALL)

    found = report(course, now=BEGUN + timedelta(days=40), zone=ZONE)
    cells = [re.sub(r"<[^>]*>", "", each) for each in re.findall(r"<tr.*?</tr>", text, re.DOTALL)]
    for name in ("asked", "yes", "no", "silent"):
        label = words("en")["funnel"][name]
        step = found.funnel[name]
        told = f"{label}{step.on_file:,}{step.purged:,}{step.people:,}"
        assert told in cells, (told, cells)
    assert course.figures.log_root in text
    assert f">{course.figures.admitted:,}<" in text


def test_a_campaign_that_has_stopped_or_waits_says_so() -> None:
    course = underway()
    figures = replace(course.figures, paused_at=BEGUN, stopped_at=BEGUN, extended_until=BEGUN)

    text = page_of(replace(course, figures=figures))

    assert "It is paused since 2 November 2026" in text
    assert "Sending has stopped by itself" in text
    assert "Nobody’s silence is a no before" in text


@every_language
def test_the_languages_say_the_same(language: str) -> None:
    assert names(words(language)) == names(words("en"))


@every_language
def test_nothing_that_may_be_told_lacks_its_words(language: str) -> None:
    said = words(language)

    assert set(said["relationships"]) == {*map(str, Relationship), "unknown", ""}
    assert {*map(str, Reason)} - {"allowed", "no_question_needed"} <= set(said["reasons"])
    assert {*map(str, Kind), "forged", "not_ours", "check"} <= set(said["kinds"])
    assert set(said["vantages"]) == set(map(str, Vantage))
    assert set(map(str, State)) <= set(said["state"])
    assert set(map(str, Outcome)) <= set(said["funnel"])


@every_language
def test_no_label_of_a_chart_meets_its_figure_on_a_telephone(language: str) -> None:
    said, figure = words(language), len("1.000.000 · 12,3 %") - 2
    labels = {said["funnel"][name]: figure for name in ("imported", "purged", *dict(FUNNEL))}
    labels |= dict.fromkeys(said["relationships"].values(), len("1.000.000"))
    labels |= {said["groups"][f"other_{one}"]: 9 for one in ("relationship", "provider")}
    labels |= {f"{said['imports']['list']} 100": 9}

    for label, room in labels.items():
        assert (len(label) + room) * LETTER_PIXELS <= NARROW_PIXELS, (label, len(label))


def test_a_language_without_words_gets_english() -> None:
    assert '<html lang="en">' in page_of(empty(), "es")


def test_words_of_the_campaigns_own_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    own = tmp_path / "report/figures"
    own.mkdir(parents=True)
    (own / "en.toml").write_text("title = ")
    found = report(empty(), now=BEGUN, zone=ZONE)

    with pytest.raises(WordingIncomplete, match=r"report/figures/en\.toml"):
        page(found, HEADING, Templates([tmp_path, SHIPPED]), language="en", zone=ZONE)
