"""What people do on the pages, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.builders import (
    Served,
    a_page,
    asked_for_within_a_minute,
    press,
    title,
    with_and_without_scripts,
)

pytestmark = pytest.mark.browser


@with_and_without_scripts
def test_a_yes(chromium: Browser, a_campaign: Served, *, scripts: bool) -> None:
    one = a_campaign.ask()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link("yes", one))
        press(page, "yes")

        assert title(page) == "U koos ja"
        expect(page.get_by_role("status")).to_contain_text("U krijgt onze nieuwsbrief")
    assert a_campaign.standing(one) == "opted_in"


@with_and_without_scripts
@pytest.mark.parametrize("kind", ["yes", "no", "u"])
def test_a_no(chromium: Browser, a_campaign: Served, kind: str, *, scripts: bool) -> None:
    one = a_campaign.ask()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link(kind, one))
        press(page, "no")

        assert title(page) == "U koos nee"
        expect(page.get_by_role("status")).to_contain_text("u krijgt onze nieuwsbrief niet")
    assert a_campaign.standing(one) == "opted_out"


@with_and_without_scripts
def test_a_change_of_mind(chromium: Browser, a_campaign: Served, *, scripts: bool) -> None:
    """Yes, withdrawn from the page that thanks, and yes again from the page that follows."""
    one, stood = a_campaign.ask(), []
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link("yes", one))
        for answer in ("yes", "no", "yes"):
            press(page, answer)
            stood.append(a_campaign.standing(one))
            a_campaign.wait_a_while()

    assert stood == ["opted_in", "opted_out", "opted_in"]


@with_and_without_scripts
def test_a_yes_and_a_no_at_once_ask_again(
    chromium: Browser, a_campaign: Served, *, scripts: bool
) -> None:
    one = a_campaign.ask()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link("yes", one))
        press(page, "yes")
        press(page, "no")

        expect(page.get_by_role("status")).to_contain_text("kies nog één keer")
        a_campaign.wait_a_while()
        press(page, "yes")
    assert a_campaign.standing(one) == "opted_in"


@pytest.mark.parametrize(
    ("kind", "tabs", "standing"),
    [
        ("yes", 1, "opted_in"),
        ("yes", 2, "opted_out"),
        ("no", 1, "opted_out"),
        ("no", 2, "opted_in"),
    ],
)
def test_the_keyboard_alone_will_do(
    chromium: Browser, a_campaign: Served, kind: str, tabs: int, standing: str
) -> None:
    """The first button is the first stop, and what has the focus shows it."""
    one = a_campaign.ask()
    with a_page(chromium) as page:
        page.goto(a_campaign.link(kind, one))
        for _ in range(tabs):
            page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        page.keyboard.press("Enter")
        page.wait_for_load_state()

        assert outline == "solid"
        expect(page.get_by_role("status")).to_be_visible()
    assert a_campaign.standing(one) == standing


def test_boxes_are_ticked_by_the_keyboard(chromium: Browser, a_campaign_of_two: Served) -> None:
    one = a_campaign_of_two.ask()
    with a_page(chromium) as page:
        page.goto(a_campaign_of_two.link("yes", one))
        for key in ("Tab", "Tab", "Space", "Tab", "Enter"):
            page.keyboard.press(key)
        page.wait_for_load_state()

        expect(page.locator("dl")).to_contain_text("plantenbeurs")
        expect(page.locator("dl")).not_to_contain_text("nieuwsbrief")
    assert a_campaign_of_two.standing(one) == "opted_in"


@with_and_without_scripts
@pytest.mark.parametrize("kind", ["yes", "no", "u"])
def test_promise_6_enter_in_a_box_answers_nothing(
    chromium: Browser, a_campaign_of_two: Served, kind: str, *, scripts: bool
) -> None:
    """Source: HTML, 4.10.22.2, implicit submission."""
    one = a_campaign_of_two.ask()
    before = a_campaign_of_two.everything()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign_of_two.link(kind, one))
        page.locator("input[type=checkbox]").first.check()
        with page.expect_navigation():
            page.keyboard.press("Enter")

        assert page.locator(".buttons button").count() == 2
        assert page.locator("input:checked").count() == 0
    assert a_campaign_of_two.everything() == before


@with_and_without_scripts
def test_a_yes_with_nothing_ticked_asks_again(
    chromium: Browser, a_campaign_of_two: Served, *, scripts: bool
) -> None:
    one = a_campaign_of_two.ask()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign_of_two.link("yes", one))
        press(page, "yes")
        expect(page.get_by_role("status")).to_contain_text("Er is nog niets bewaard")
        page.locator("label", has_text="plantenbeurs").click()
        press(page, "yes")
    assert a_campaign_of_two.standing(one) == "opted_in"


@with_and_without_scripts
@pytest.mark.parametrize("kind", ["yes", "no", "u"])
def test_promise_4_a_page_left_open_for_a_minute_changes_nothing(
    chromium: Browser, a_campaign: Served, kind: str, *, scripts: bool
) -> None:
    """Opened, scrolled, unfolded, reloaded, gone back to, and left alone for a minute."""
    one = a_campaign.ask()
    before = a_campaign.everything()
    with a_page(chromium, java_script_enabled=scripts) as page:
        for other in ("yes", "no", "u", kind):
            page.goto(a_campaign.link(other, one))
        page.go_back()
        page.go_forward()
        page.mouse.wheel(0, 2_000)
        page.locator("summary").first.click()
        page.locator("summary").last.click()
        page.reload()
        assert asked_for_within_a_minute(page) == []
    assert a_campaign.everything() == before


@with_and_without_scripts
@pytest.mark.parametrize(("seconds", "times"), [(50, 1), (70, 0)])
def test_a_minute_of_the_browser_is_one(
    chromium: Browser, seconds: int, times: int, *, scripts: bool
) -> None:
    """What a page does by itself after 50 seconds is seen; what it would do after 70 is not."""

    def answer(route: Route) -> None:
        refreshing = f'<meta http-equiv="refresh" content="{seconds}"><p>left alone</p>'
        route.fulfill(body=refreshing, content_type="text/html")

    with chromium.new_context(java_script_enabled=scripts) as context:
        page = context.new_page()
        page.route("**/*", answer)
        page.goto("http://page.invalid/")

        assert asked_for_within_a_minute(page) == ["http://page.invalid/"] * times


@with_and_without_scripts
def test_whoever_reads_french_presses_in_the_french_part(
    chromium: Browser, a_campaign: Served, *, scripts: bool
) -> None:
    """A Belgian whose language nobody knows; from the press on, the pages speak French."""
    one = a_campaign.ask(None)
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link("yes", one))
        assert page.locator("section h1").count() == 3
        page.get_by_role("link", name="Français").click()
        page.get_by_role("button", name="Oui, je souhaite recevoir ces messages").click()
        page.wait_for_load_state()

        assert page.locator("section").count() == 1
        assert title(page) == "Vous avez choisi oui"
        press(page, "no")
        assert page.locator("html").get_attribute("lang") == "fr"
