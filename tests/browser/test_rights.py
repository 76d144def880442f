"""What people may ask for from their own link, in a real browser."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.builders import (
    Served,
    a_page,
    open_rights,
    press,
    title,
    with_and_without_scripts,
)

pytestmark = pytest.mark.browser


@with_and_without_scripts
def test_everything_that_is_held_is_mailed_to_the_address_itself(
    chromium: Browser, a_campaign: Served, *, scripts: bool
) -> None:
    one = a_campaign.ask()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link("yes", one))
        open_rights(page)
        press(page, "data")

        assert title(page) == "Uw gegevens zijn onderweg"
        expect(page.get_by_role("status")).to_contain_text("•••@")
        assert "lieselot" not in page.content()
    assert a_campaign.owed(one) == ["data"]
    assert a_campaign.standing(one) == "asked"


@with_and_without_scripts
def test_erasing_takes_a_second_press_and_leaves_no_link(
    chromium: Browser, a_campaign: Served, *, scripts: bool
) -> None:
    """The first press only shows what the second one does."""
    one = a_campaign.ask()
    link = a_campaign.link("yes", one)
    with a_page(chromium, java_script_enabled=scripts, gone=True) as page:
        page.goto(link)
        press(page, "yes")
        open_rights(page)
        press(page, "erase")
        assert title(page) == "Al uw gegevens wissen?"
        assert a_campaign.standing(one) == "opted_in"
        a_campaign.wait_a_while()

        press(page, "erase-now")

        assert title(page) == "Uw gegevens zijn gewist"
        assert a_campaign.standing(one) == ""
        page.goto(link)
        assert title(page).startswith("Deze link werkt niet meer")


def test_the_keyboard_alone_will_do_for_erasing(chromium: Browser, a_campaign: Served) -> None:
    """Yes, No, two folded parts, and in the second one its two buttons."""
    one = a_campaign.ask()
    with a_page(chromium) as page:
        page.goto(a_campaign.link("yes", one))
        for key in ("Tab", "Tab", "Tab", "Tab", "Enter", "Tab", "Tab", "Enter"):
            page.keyboard.press(key)
        page.wait_for_url("**/yes/*")
        expect(page.locator("h1")).to_have_text("Al uw gegevens wissen?")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Uw gegevens zijn gewist")
    assert a_campaign.standing(one) == ""


@with_and_without_scripts
def test_the_record_of_a_yes_is_one_press_away(
    chromium: Browser, a_campaign: Served, *, scripts: bool
) -> None:
    """From the thank-you of any of the links; beside it lies the same for programs."""
    one = a_campaign.ask("fr")
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link("no", one))
        press(page, "yes")
        page.get_by_role("link", name="Ce que nous conservons exactement de votre oui").click()
        page.wait_for_load_state()

        assert title(page) == "Ce que nous conservons de votre oui"
        expect(page.locator("dl")).to_contain_text("Oui, je souhaite recevoir ces messages")
        assert "lieselot" not in page.content()
        url = page.get_by_role("link", name="JSON").evaluate("link => link.href") if scripts else ""
        if scripts:
            assert json.loads(page.request.get(url).text())["@type"] == "dpv:ConsentRecord"
