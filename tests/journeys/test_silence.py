"""Silence, the deadline, the purge, and what is left of those who are gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.journeys.campaign import (
    ACCEPTED,
    ADMITTED,
    EXEMPT,
    LISTED,
    WITHHELD,
    Campaign,
    Later,
    assert_names_nobody,
    everybody,
    row,
    write_list,
)
from tests.journeys.relay import Relay
from tests.journeys.web import fetch, mailbox

pytestmark = pytest.mark.journey

_AFTERWARDS = Later(timedelta(days=32))


def test_nobody_is_due_before_the_date_in_their_mail(asked: Campaign) -> None:
    due = asked.status()["due"]["first"]
    before = asked.status()

    early = asked.at(Later(timedelta(days=30)), "purge", "--dry-run", "--json").json
    purged = asked.here("purge", "--at-most", "0", "--json").json

    assert due is not None
    assert (early["due"], early["refused"]) == (0, [])
    none = dict.fromkeys(("due", "owed", "held", "purged", "lapsing", "lapsed", "traces"), 0)
    nothing: dict[str, Any] = {
        "by_reason": {},
        "refused": [],
        "postponed": [],
        "traced": {},
        "warnings": [],
        "report": None,
    }
    assert purged == none | nothing
    assert asked.status() == before


def test_who_said_nothing_or_no_is_erased_and_stays_so(asked: Campaign) -> None:
    """The list imported again admits none of them; of them an unreadable code is kept; those who
    said yes, are exempt or were never asked are as they were."""
    with asked.serving():
        for number, answer in ((0, "yes"), (1, "yes"), (2, "no")):
            mailbox(asked.mails[number].content).press(answer)
    with Relay() as relay:
        asked.use(relay.port)
        asked.at(_AFTERWARDS, "send")  # the no is acknowledged
    planned = asked.at(_AFTERWARDS, "purge", "--dry-run", "--json").json
    assert planned["by_reason"] == {"silent": LISTED - 3, "opted_out": 1}
    assert asked.standings() == {
        "asked": LISTED - 3,
        "opted_in": 2,
        "opted_out": 1,
        "withheld": WITHHELD,
        "exempt": EXEMPT,
    }

    words = ("purge", "--at-most", str(planned["due"]), *ACCEPTED, "--json")
    done = asked.at(_AFTERWARDS, *words).json

    assert (done["due"], done["purged"], done["traces"]) == (LISTED - 2, LISTED - 2, 0)
    assert asked.standings() == {"opted_in": 2, "withheld": WITHHELD, "exempt": EXEMPT}
    assert (asked.status()["purged"], asked.status()["admitted"]) == (LISTED - 2, ADMITTED)
    assert sorted(path.name for path in (asked.folder / "keys" / "burn").iterdir()) == ["2.key"]
    assert_names_nobody(asked.folder)
    _purged_are_gone(asked)
    _nobody_comes_back(asked)
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def _purged_are_gone(campaign: Campaign) -> None:
    """`person` knows no more than a code; their link is dead, that of a yes lives; the backup
    holds the survivors only."""
    silent, yes = campaign.mails[5], campaign.mails[0]
    told = campaign.run("person", "--json", stdin=silent.mailbox).json
    assert told["on_file"] is None
    assert told["suppressed"]["source"] == "asked"
    assert campaign.here("person", "--json", stdin=yes.mailbox).json["on_file"]["id"]
    with campaign.serving():
        assert fetch(mailbox(silent.content).yes).status == 404
        assert fetch(mailbox(yes.content).yes).status == 200
    with closing(sqlite3.connect(campaign.folder / "backup" / "repermit.db")) as copy:
        (rows,) = copy.execute("SELECT count(*) FROM recipient").fetchone()
    assert rows == 2 + WITHHELD + EXEMPT


def _nobody_comes_back(campaign: Campaign) -> None:
    """The same list with one more person on it admits that person only."""
    again = write_list(campaign.outside / "again.csv", [*everybody(), row(500)])
    counts = campaign.run("import", again, "--json").json
    assert (counts["admitted"], counts["suppressed"]) == (1, LISTED - 2)
    assert counts["duplicates"] == 2 + WITHHELD + EXEMPT
    assert campaign.standings()["listed"] == 1


def test_a_purge_that_says_how_many_in_words_is_the_same_in_figures(asked: Campaign) -> None:
    """The text form of the dry run, of the purge, and of a purge with nobody left to go."""
    dry = asked.at(_AFTERWARDS, "purge", "--dry-run").out
    done = asked.at(_AFTERWARDS, "purge", "--at-most", str(LISTED), *ACCEPTED).out
    again = asked.at(_AFTERWARDS, "purge", "--at-most", str(LISTED), *ACCEPTED).out

    assert f"{LISTED} recipients due: {LISTED} silent" in dry
    assert "nobody was erased" in dry
    assert f"{LISTED} recipients erased; traces left: 0" in done
    assert "0 recipients erased" in again
    assert asked.status()["purged"] == LISTED
