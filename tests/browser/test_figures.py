"""How the report of figures looks: to everybody, on every screen, on paper."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from repermit.domain.templates import Templates
from repermit.ledger.store.series import Course
from repermit.report.figures import report
from repermit.report.page import Heading, page
from tests.browser.builders import DESK, NARROW, a_page
from tests.report.courses import BEGUN, empty, over, underway

pytestmark = pytest.mark.browser
SHIPPED = Path(__file__).parents[2] / "templates"
SCREENSHOTS = Path(__file__).parent / "screenshots"  # git ignores them
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
IN_THE_DARK = """() => axe.run(document, {runOnly: ["color-contrast"]})
    .then(found => found.violations.flatMap(rule => rule.nodes.map(node => node.html)))"""
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
MEETING = """() => [...document.querySelectorAll("svg.chart")].flatMap(chart => {
    const edge = chart.getBoundingClientRect();
    const boxes = [...chart.querySelectorAll("text")].map(
        text => [text.textContent, text.getBoundingClientRect()]);
    const out = boxes.filter(([_, box]) => box.left < edge.left - 1 || box.right > edge.right + 1)
        .map(([words]) => words + " leaves the chart");
    const meets = (one, other) => one.left < other.right && other.left < one.right
        && one.top + 2 < other.bottom && other.top + 2 < one.bottom;
    return out.concat(boxes.flatMap(([words, box], at) => boxes.slice(at + 1)
        .filter(([_, other]) => meets(box, other)).map(([others]) => words + " / " + others)));
})"""
every_language = pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
STAGES = {"empty": empty(), "underway": underway(scale=9_000), "over": over()}


def open_page(tab: Page, course: Course, language: str) -> None:
    """Open the page of *course*."""
    heading = Heading("Nieuwsbrief", "Tuinvrienden Voorbeeld vzw", "0.1.0", f"{'a' * 120}\n")
    zone = ZoneInfo("Europe/Brussels")
    found = report(course, now=BEGUN + timedelta(days=40), zone=zone)
    tab.set_content(page(found, heading, Templates([SHIPPED]), language=language, zone=zone))


@every_language
@pytest.mark.parametrize("stage", STAGES)
def test_the_report_can_be_read_by_everybody(chromium: Browser, stage: str, language: str) -> None:
    """By a screen reader, in the dark, on the narrowest screen, with large letters; no words of a
    chart meet. A picture of each is kept.

    Source: WCAG 2.2 AA, as far as axe-core can tell; 1.4.10 reflow; 1.4.4 resize text.
    """
    with a_page(chromium, width=DESK) as tab:
        open_page(tab, STAGES[stage], language)
        found = Axe().run(tab, options={"runOnly": RULES, "resultTypes": ["violations"]})
        assert found.violations_count == 0, found.generate_report()
        for name, width, scheme in (
            *(("light", DESK, "light"), ("dark", DESK, "dark"), ("narrow", NARROW, "light")),
        ):
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
            assert tab.evaluate(SIDEWAYS) <= 0, name
            assert tab.evaluate(MEETING) == [], name
            assert tab.evaluate(IN_THE_DARK) == [], name
            path = SCREENSHOTS / f"figures-{language}-{stage}-{name}.png"
            tab.screenshot(path=path, full_page=True)
        tab.evaluate("document.documentElement.style.fontSize = '200%'")
        assert tab.evaluate(SIDEWAYS) <= 0, "large letters"


def test_the_report_is_printed_with_every_table_open(chromium: Browser) -> None:
    """As dark words on white, also where the screen is dark, and in no more pages than it needs."""
    with a_page(chromium, width=DESK, color_scheme="dark") as tab:
        open_page(tab, over(), "en")
        tab.emulate_media(media="print", color_scheme="dark")
        tab.set_viewport_size({"width": 670, "height": 990})

        assert tab.locator("details:not([open])").count() > 0
        assert all(table.is_visible() for table in tab.locator("table").all())
        assert not tab.locator("nav").is_visible()
        colours = "it => [getComputedStyle(it).color, getComputedStyle(it).backgroundColor]"
        assert tab.locator("body").evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        assert tab.evaluate(MEETING) == []
        tab.screenshot(path=SCREENSHOTS / "figures-print.png", full_page=True)
        assert 2 <= tab.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= 9
