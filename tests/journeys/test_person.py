"""One person: what is on file, and erasing it on their own wish."""

from __future__ import annotations

import pytest

from tests.journeys.campaign import ADMITTED, LISTED, Campaign, address, everybody, write_list
from tests.journeys.web import fetch, mailbox

pytestmark = pytest.mark.journey


def test_person_shows_everything_and_erases_on_their_wish(asked: Campaign) -> None:
    """The address comes from standard input; after it only an unreadable code is kept, the link
    is dead, and a new import does not bring them back."""
    link = next(taken for taken in asked.mails if taken.mailbox == address(6)).content
    with asked.serving():
        mailbox(link).press("yes")
        shown = asked.run("person", stdin=f"{address(6).upper()}\n").out
        told = asked.here("person", "--json", stdin=address(6)).json["on_file"]
        erased = asked.run("person", "--erase", "--json", stdin=address(6)).json
        assert fetch(mailbox(link).yes).status == 404

    assert (told["standing"], told["address"]) == ("opted_in", address(6))
    assert told["evidence"]["source"] == "tuindagen"
    assert "standing: opted_in" in shown
    assert "tuindagen" in shown
    assert (erased["erased"], erased["on_file"]) == (told["id"], None)
    after = asked.status()
    assert (after["erased"], after["admitted"]) == (1, ADMITTED)
    assert after["standings"]["asked"] == LISTED - 1
    _only_a_code_is_kept(asked)


def test_person_shows_where_a_yes_came_from_when_the_config_keeps_that(asked: Campaign) -> None:
    asked.edit("origin_days = 0", "origin_days = 90")
    link = next(taken for taken in asked.mails if taken.mailbox == address(6)).content
    with asked.serving() as server:
        mailbox(link).press("yes")
    shown = asked.here("person", stdin=address(6)).out
    (origin,) = asked.here("person", "--json", stdin=address(6)).json["on_file"]["origins"]

    assert set(origin) == {"network", "agent", "keep_until"}
    assert origin["network"] == "127.0.0.0/24"
    assert "yes came from: 127.0.0.0/24" in shown
    assert "people may answer until" in server.err.read_text("utf-8")


def _only_a_code_is_kept(campaign: Campaign) -> None:
    told = campaign.here("person", stdin=address(6)).out
    assert "no row on file" in told
    assert "an unreadable code only" in told
    again = write_list(campaign.outside / "again.csv", everybody())
    assert campaign.here("import", again, "--json").json["suppressed"] == 1
    assert campaign.standings().get("listed") is None
    assert campaign.here("proof", "verify", "--json").json["holds"] is True


def test_erasing_before_the_mail_means_there_is_none(approved: Campaign) -> None:
    approved.here("person", "--erase", stdin=address(0))

    after = approved.status()
    assert (after["erased"], after["standings"]["listed"]) == (1, LISTED - 1)
