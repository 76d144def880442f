"""Lists on their way in, as an officer takes them in."""

from __future__ import annotations

import csv
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.journeys.campaign import Campaign, Running, address, row, wait_until, write_list
from tests.journeys.relay import Relay
from tests.journeys.terminal import typed

pytestmark = pytest.mark.journey


def mixed(path: Path) -> Path:
    """Write a list that mixes people, under a column "Type", and return it."""
    kinds = {"Lid": 5, "Klant": 3, "Gestopt": 2, "Gast": 1}
    people = [kind for kind, count in kinds.items() for _ in range(count)]
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(("E-mail", "Type", "Land", "Herkomst", "Ingeschreven op", "Privé"))
        writer.writerows(
            (address(number), kind, "BE", "café", "2025-03-01", "geheim")
            for number, kind in enumerate(people)
        )
    return path


ANSWERS = """
column = "Type"

[values]
"Lid" = "signed_up_no_proof"
"Klant" = "customer"
"Gestopt" = "suppressed"
"""


def test_answers_say_what_each_value_of_a_column_means(begun: Campaign) -> None:
    answers = begun.outside / "answers.toml"
    answers.write_text(ANSWERS, "utf-8")
    told = begun.run("import", mixed(begun.outside / "a.csv"), "--answers", answers, "--json")

    done = told.json
    assert (done["read"], done["listed"], done["withheld"], done["suppressed"]) == (11, 5, 4, 2)
    assert done["reasons"] == {"evidence_incomplete": 3, "relationship_unknown": 1}
    assert "not read and not kept: Privé" in told.err


def test_answers_that_make_no_sense_are_refused(begun: Campaign) -> None:
    answers, people = begun.outside / "answers.toml", mixed(begun.outside / "a.csv")
    for text, why in (
        ("column = 3", "a text in quotes"),
        ('[values]\n"Lid" = "member"', "what value 1 means"),
        ('relationship = "member"', "not known"),
        ('colum = "Type"', "a key that means nothing"),
        ("column =", "no TOML"),
    ):
        answers.write_text(text, "utf-8")
        assert why in begun.here("import", people, "--answers", answers, expect=1).err
    assert "cannot be read" in begun.here("import", people, "--answers", "no.toml", expect=1).err
    answers.write_text('column = "Soort"', "utf-8")
    assert "names no column" in begun.here("import", people, "--answers", answers, expect=2).err


def test_a_terminal_asks_once_for_each_value_and_keeps_the_answers(begun: Campaign) -> None:
    """The plain question of the policy, the most frequent value first; a script replays it."""
    people = mixed(begun.outside / "a.csv")
    shown = typed(
        ["--config", begun.config, "import", people],
        [
            ("Column", "1"),
            ("“Lid” (5 rows)", "2"),
            ("“Klant” (3 rows)", "3"),
            ("“Gestopt” (2 rows)", "9"),
            ("a number from 0 to 8", "0"),
            ("“Gast” (1 row)", "7"),
            ("Who declares what", "An Peeters: all bought, gave it, could object"),
            ("Where else does this list live", ""),
        ],
        cwd=begun.outside,
    )

    assert "11 read = 9 admitted + 0 duplicates + 0 rejected + 2 suppressed" in shown
    assert "5 may be asked, 1 withheld, 3 need no question" in shown
    kept = begun.folder / "import-answers.toml"
    assert kept.stat().st_mode & 0o777 == 0o600
    again = begun.here("import", people, "--answers", kept, "--json").json
    assert (again["admitted"], again["duplicates"], again["suppressed"]) == (0, 9, 2)


def test_a_terminal_asks_how_to_read_what_can_be_read_in_two_ways(begun: Campaign) -> None:
    """A script is refused, with both readings."""
    people = begun.outside / "a.csv"
    people.write_text(
        "".join(f"{address(n)};{address(n + 100)}\n" for n in range(4)), encoding="utf-8"
    )
    refused = begun.run("import", people, "--relationship", "customer", expect=1)
    assert "--delimiter semicolon: 2 columns; or --delimiter text" in refused.err

    shown = typed(
        ["--config", begun.config, "import", people, "--relationship", "customer"],
        [("Which is right", "2"), ("Where else does this list live", "")],
        cwd=begun.outside,
    )
    assert "8 read = 8 admitted" in shown


def test_a_wrong_import_is_taken_back_until_its_first_mail(
    approved: Campaign, relay: Relay
) -> None:
    before = approved.standings()
    wrong = write_list(approved.outside / "wrong.csv", [row(n) for n in range(300, 340)])
    number = approved.here("import", wrong, "--json").json["id"]
    assert approved.status()["admitted"] == sum(before.values()) + 40
    undone = approved.run("import", "--undo", str(number))

    assert "40 recipients go" in undone.err
    assert approved.standings() == before
    assert approved.here("proof", "verify", "--json").json["holds"] is True
    approved.use(relay.port)
    approved.here("send")
    assert len(relay.taken) == before["listed"]
    assert "had a mail" in approved.run("import", "--undo", "1", expect=1).err


def test_an_import_that_is_killed_admits_nobody_twice_when_it_is_repeated(
    begun: Campaign,
) -> None:
    people = write_list(begun.outside / "many.csv", [row(number) for number in range(30_000)])
    for _ in range(3):
        running = begun.start("import", people)
        wait_until(partial(_has_begun, begun, running))
        running.signal(signal.SIGKILL)
        running.ended()
    done = begun.run("import", people, "--json").json

    assert (done["read"], done["admitted"], done["duplicates"]) == (30_000, 30_000, 0)
    assert begun.status()["admitted"] == 30_000
    assert begun.here("proof", "verify", "--json").json["holds"] is True


def _has_begun(campaign: Campaign, running: Running) -> bool:
    """Return whether the import has admitted somebody, or has ended."""
    if running.process.poll() is not None:
        return True
    return campaign.ledger.exists() and campaign.status()["admitted"] > 0


def test_of_several_lists_those_before_a_failure_are_told(begun: Campaign) -> None:
    """All are opened before the first is taken in; what fails later is rarer: a stop, here."""
    first = write_list(begun.outside / "first.csv", [row(1), row(2)])
    second = write_list(begun.outside / "second.csv", [row(n) for n in range(10, 40_000)])
    running = begun.start("import", first, second, "--json")
    wait_until(lambda: "second.csv" in running.err.read_text("utf-8"))
    running.signal(signal.SIGTERM)
    stopped = running.ended()

    assert stopped.code == 130
    assert (stopped.json["admitted"], stopped.json["ids"]) == (2, [1])
    assert begun.status()["admitted"] == 2


def test_what_never_ends_is_no_list(begun: Campaign) -> None:
    assert "what to do" in begun.run("import", "/dev/zero", expect=1).err


def test_rejects_and_suggestions_go_into_files_of_their_own(begun: Campaign) -> None:
    people = begun.outside / "a.csv"
    people.write_text("email;land\nniemand;BE\njan@telnet.be;BE\ninfo@winkel.nl;BE\n", "utf-8")
    rejects, look = begun.outside / "rejects.csv", begun.outside / "look.csv"
    told = begun.run("import", people, "--rejects", rejects, "--suggestions", look)

    assert rejects.read_text("utf-8").splitlines() == [
        "line,reason,address",
        "2,no_at_sign,niemand",
    ]
    kinds = [line.split(",")[:2] for line in look.read_text("utf-8").splitlines()[1:]]
    assert kinds == [["3", "typing_error"], ["4", "role_mailbox"], ["4", "ending"]]
    assert rejects.stat().st_mode & look.stat().st_mode & 0o777 == 0o600
    assert "telenet.be" not in told.err
