"""What leaves the ledger: exports, a handover, and unsubscribes that come back."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from repermit.domain.clock import Clock, SystemClock
from tests.journeys.campaign import (
    ACCEPTED,
    EXEMPT,
    LISTED,
    ONE_BY_HAND,
    Campaign,
    Later,
    address,
    assert_names_nobody,
)
from tests.journeys.terminal import typed
from tests.journeys.web import fetch, mailbox

pytestmark = pytest.mark.journey

_FAIR = """
[[purposes]]
id = "fair"
text = {nl = "de beurs", fr = "la foire", de = "die Messe", en = "the fair"}
frequency = {nl = "jaarlijks", fr = "chaque année", de = "jährlich", en = "once a year"}
"""
_AFTERWARDS = Later(timedelta(days=32))


def answered(campaign: Campaign, *, yes: tuple[int, ...], no: tuple[int, ...] = ()) -> None:
    """Let those at these places among the mails answer."""
    with campaign.serving():
        for number in (*yes, *no):
            box = mailbox(campaign.mails[number].content)
            box.press("yes" if number in yes else "no")


def agreed(campaign: Campaign, *purposes: str) -> None:
    """Let the first among the mails say yes to those."""
    link = mailbox(campaign.mails[0].content).yes
    with campaign.serving():
        hidden = re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', fetch(link).text)
        form = urlencode([*hidden, ("answer", "yes"), *(("purpose", each) for each in purposes)])
        done = fetch(link, "POST", form.encode(), "application/x-www-form-urlencoded")
    assert done.status == 200


def rows_of(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """Return the rows of a table that only its owner may read."""
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def exported(
    campaign: Campaign, *options: str, clock: Clock | None = None
) -> tuple[list[dict[str, str]], str]:
    """Return the rows that `export` writes, and what it says."""
    path = campaign.outside / f"export-{len(list(campaign.outside.iterdir()))}.csv"
    done = campaign.at(clock or SystemClock(), "export", "--out", path, *options)
    return rows_of(path, ";" if "brevo" in options else ","), done.err


def test_the_withdrawal_link_of_an_export_works_with_one_press(asked: Campaign) -> None:
    """To open it changes nothing; the next export has them no more and says so."""
    answered(asked, yes=(0, 1))
    rows, said = exported(asked)
    who = asked.mails[0].mailbox
    (link,) = [row["withdraw"] for row in rows if row["email"] == who]
    assert "import them as confirmed, or they will be asked again" in said

    with asked.serving():
        page = fetch(link)
        assert (page.status, asked.standings()["opted_in"]) == (200, 2)
        body, form = b"answer=no", "application/x-www-form-urlencoded"
        assert fetch(link, "POST", body, form).status == 200
    left, told = exported(asked)
    stopped, _ = exported(asked, "--opt-outs")

    assert [row["email"] for row in left] == [asked.mails[1].mailbox]
    assert "0 added, 1 gone" in told
    assert "`repermit export --opt-outs` names them" in told
    assert [row["email"] for row in stopped] == [who]
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_a_yes_to_less_reaches_the_list_that_has_more(asked: Campaign) -> None:
    """By the very command that the hint names."""
    with asked.config.open("a", encoding="utf-8") as config:
        config.write(_FAIR)
    asked.run("preview")
    asked.run("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    agreed(asked, "newsletter", "fair")
    exported(asked, "--purpose", "fair")

    agreed(asked, "newsletter")
    left, told = exported(asked, "--purpose", "fair")
    (row,), said = exported(asked, "--opt-outs", "--purpose", "fair")

    assert left == []
    assert "`repermit export --opt-outs --purpose fair` names them" in told
    assert (row["email"], row["purposes"]) == (asked.mails[0].mailbox, "newsletter")
    assert "1 row with purposes: people who still agree to those" in said
    assert "off the list of fair alone, and do not block them" in said
    assert exported(asked, "--opt-outs")[0] == []


@pytest.mark.parametrize(
    ("form", "column", "how"),
    [
        ("listmonk", "email", "status Confirmed"),
        ("mailchimp", "Email Address", "marketing status Subscribed"),
        ("brevo", "EMAIL", "into the list itself"),
    ],
)
def test_an_export_for_a_newsletter_tool_says_how_nobody_is_asked_again(
    asked: Campaign, form: str, column: str, how: str
) -> None:
    answered(asked, yes=(0,), no=(1,))

    (yes,), said = exported(asked, "--format", form)
    (no,), stop = exported(asked, "--format", form, "--opt-outs")

    assert (yes[column], no[column]) == (asked.mails[0].mailbox, asked.mails[1].mailbox)
    assert f"{form}: " in said
    assert how in said
    assert f"{form}: " in stop
    told = (
        json.loads(yes["attributes"])
        if form == "listmonk"
        else {name.lower(): value for name, value in yes.items()}
    )
    assert f"127.0.0.1:{asked.web_port}/u/" in told["withdraw"]
    assert str(told["proof"]).isdigit()


def test_a_row_set_to_opted_in_by_hand_is_never_exported(asked: Campaign) -> None:
    """The fault is named, and nothing is written; who must stop is written all the same."""
    answered(asked, yes=(0,), no=(1,))
    asked.change_ledger(ONE_BY_HAND)
    yes, folder = asked.outside / "yes.csv", asked.outside / "leaving"

    refused = asked.run("export", "--out", yes, expect=1)
    handed = asked.here("handover", folder, expect=1)

    for each in (refused, handed):
        assert ": opted_in, but the log says asked" in each.err
        assert "what to do: `repermit proof verify`" in each.err
    assert not yes.exists()
    assert not folder.exists()
    assert [row["email"] for row in exported(asked, "--opt-outs")[0]] == [asked.mails[1].mailbox]


def test_unsubscribes_that_came_in_elsewhere_come_back(asked: Campaign) -> None:
    """By a list of the newsletter tool: a yes falls, and so does everybody else on it; who is still
    subscribed there is passed over."""
    answered(asked, yes=(0, 1), no=(2,))
    one, two, three, four = (asked.mails[number].mailbox for number in range(4))
    given = "".join(
        f"{who};{status}\n"
        for who, status in (
            *((one.upper(), "unsubscribed"), (one, "unsubscribed"), (two, "subscribed")),
            *((three, "unsubscribed"), (four, "unsubscribed"), (address(77), "unsubscribed")),
            ("no address", "unsubscribed"),
        )
    )
    text = f"email;status\n{given}"

    done = asked.run("withdraw", "-", "--json", stdin=text)
    again = asked.here("withdraw", "-", stdin=text)

    assert done.json == {
        "addresses": 4,
        "withdrawn": 1,
        "never_said_yes": 1,
        "opted_out_before": 1,
        "unknown": 1,
        "suppressed": 3,
        "passed_over": 1,
        "rejected": 1,
        "lines": [8],
    }
    assert "4 addresses: 1 yes to withdraw" in done.err
    assert "0 yeses withdrawn" in again.out
    assert "3 were so before, 1 unknown here" in again.out
    assert "NOT withdrawn: lines 8" in again.err
    assert [row["email"] for row in exported(asked)[0]] == [two]
    told = asked.here("person", "--json", stdin=one).json
    assert (told["on_file"]["standing"], told["suppressed"]["source"]) == ("opted_out", "elsewhere")
    assert asked.here("person", "--json", stdin=address(77)).json["suppressed"]
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_at_a_terminal_the_count_comes_first_and_nothing_happens_without_a_yes(
    asked: Campaign,
) -> None:
    answered(asked, yes=(0,))
    path = asked.outside / "gone.txt"
    path.write_text(asked.mails[0].mailbox, "utf-8")
    words = ("--config", asked.config, "withdraw", path)

    shown = typed(words, [("Opt all of them out", "n")], cwd=asked.outside, code=1)
    assert asked.standings()["opted_in"] == 1
    typed(words, [("Opt all of them out", "y")], cwd=asked.outside)

    assert "1 address: 1 yes to withdraw" in shown
    assert asked.mails[0].mailbox not in shown
    assert "opted_in" not in asked.standings()


def test_a_yes_that_was_exported_and_taken_back_before_the_purge_is_not_lost(
    asked: Campaign,
) -> None:
    """Nobody ran `export --opt-outs` in between: its proof is what is left to remove. The file was
    taken in elsewhere and deleted; one that still lies there would be a trace."""
    answered(asked, yes=(0, 1))
    asked.edit("proof_days = 1095", "proof_days = 0")  # the pages say so: they are served no more
    (row, _), _ = exported(asked)
    asked.here("withdraw", "-", stdin=row["email"])
    (written,) = asked.outside.glob("export-*.csv")
    written.unlink()

    due = asked.at(_AFTERWARDS, "purge", "--dry-run", *ACCEPTED, "--json").json["due"]
    said = asked.at(_AFTERWARDS, "purge", "--at-most", str(due), *ACCEPTED).err
    assert asked.status()["to_remove"] == 1
    stopped, told = exported(asked, "--opt-outs", clock=_AFTERWARDS)

    assert "1 yes of people who are erased now stood in an export" in said
    assert [(each["email"], each["proof"]) for each in stopped] == [("", row["proof"])]
    assert "1 row without an address" in told
    assert asked.status()["to_remove"] == 0
    assert "0 added, 1 gone" in exported(asked, clock=_AFTERWARDS)[1]
    assert asked.here("proof", "verify", "--json").json["holds"] is True


@pytest.mark.parametrize(
    ("language", "first"),
    [
        *(("nl", "wie mails mag krijgen"), ("fr", "à qui écrire"), ("de", "wer E-Mails bekommen")),
        ("en", "who may be mailed"),
    ],
)
def test_a_handover_holds_who_may_be_mailed_and_who_never_again(
    asked: Campaign, language: str, first: str
) -> None:
    """Those withheld, silent, in doubt and unreachable are in none of its files."""
    answered(asked, yes=(0, 1, 2), no=(3,))
    exported(asked)
    asked.here("person", "--erase", stdin=asked.mails[2].mailbox)
    asked.edit('default_language = ".*"', f'default_language = "{language}"')
    folder = asked.outside / "leaving"

    done = asked.here("handover", folder)

    files = {"yes.csv": 2, "needs-no-question.csv": EXEMPT, "must-be-removed.csv": 2}
    for name, count in files.items():
        assert f"{name}: {count} rows" in done.err
        assert len(rows_of(folder / name)) == count
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in folder.iterdir()) == sorted([*files, "README.txt"])
    assert "5 addresses written" in done.out
    readme = (folder / "README.txt").read_text("utf-8")
    assert first in readme.splitlines()[0]
    assert "yes.csv (2)" in readme
    people = {row["email"] for name in files for row in rows_of(folder / name)} - {""}
    assert len(people) == 3 + EXEMPT
    assert not people & {taken.mailbox for taken in asked.mails[4:LISTED]}
    (exempt, _) = rows_of(folder / "needs-no-question.csv")
    assert (exempt["relationship"], exempt["country"]) == ("signed_up_with_proof", "BE")
    assert exempt["proof_ref"].startswith("formulier")
    assert_names_nobody(asked.folder)
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_a_folder_that_is_there_is_left_alone(asked: Campaign) -> None:
    folder = asked.outside / "leaving"
    folder.mkdir()

    refused = asked.here("handover", folder, expect=1)

    assert "leaving exists already" in refused.err
    assert list(folder.iterdir()) == []


def test_a_handover_that_fails_leaves_nothing(asked: Campaign) -> None:
    """The campaign's own README asks for what there is not."""
    own = asked.folder / "templates" / "handover" / "readme.nl.txt.j2"
    own.parent.mkdir(parents=True)
    own.write_text("{{ surname }}", "utf-8")
    asked.edit('default_language = ".*"', 'default_language = "nl"')
    folder = asked.outside / "leaving"

    refused = asked.here("handover", folder, expect=1)

    assert "handover/readme.nl.txt.j2" in refused.err
    assert not folder.exists()
