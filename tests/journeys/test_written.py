"""The list of files with addresses that commands wrote, so that a purge can look into them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.campaign import Campaign, address, everybody, row, write_list
from tests.journeys.web import mailbox

pytestmark = pytest.mark.journey


def listed(campaign: Campaign) -> set[tuple[str, str]]:
    """Return the kinds and paths of the files on the list, each of which is there."""
    with closing(sqlite3.connect(campaign.ledger)) as ledger:
        found = set(ledger.execute("SELECT kind, path FROM written"))
    assert all((campaign.folder / path).is_file() for _, path in found)
    return found


def test_what_an_import_rejects_is_on_the_list_also_after_a_dry_run(begun: Campaign) -> None:
    """Of a list that is taken in, of one that is counted only, and of one that there is not."""
    path = write_list(begun.outside / "list.csv", [*everybody(), row(1, email="no address")])
    tried, rejects, gone = (begun.outside / f"{name}.csv" for name in ("tried", "rejects", "gone"))
    begun.here("import", path, "--dry-run", "--rejects", tried)
    assert listed(begun) == {("rejects", str(tried))}

    begun.here("import", path, "--rejects", rejects)
    begun.here("import", begun.outside / "no-list.csv", "--rejects", gone, expect=1)
    begun.here("import", path, "--suggestions", path, expect=1)

    assert listed(begun) == {("rejects", str(tried)), ("rejects", str(rejects))}


def test_whatever_names_people_is_on_the_list(asked: Campaign) -> None:
    """Inside the campaign's folder under a path that moves with it; the sheet of an approval, the
    preview and the keyed hashes name nobody."""
    who, out = asked.mails[0].mailbox, asked.outside
    with asked.serving():
        mailbox(asked.mails[0].content).press("yes")

    asked.here("export", "--out", asked.folder / "yes.csv")
    asked.here("export", "--opt-outs", "--out", out / "no.csv")
    asked.here("handover", out / "handover")
    asked.here("proof", "bundle", "--out", out / "bundle.zip")
    asked.here("proof", "bundle", "--only", "--out", out / "one.zip", stdin=who)
    asked.here("proof", "receipt", "--out", out / "receipt.json", stdin=who)
    asked.here("person", "--letter", "access", "--out", out / "letter.txt", stdin=who)
    asked.here("person", "--shown", out / "shown", stdin=who)
    asked.here("suppress", "--export", out / "hashes.txt")
    asked.here("preview", "--out", out / "preview")

    shown = {("shown", str(path)) for path in (out / "shown").iterdir()}
    assert len(shown) > 1
    assert listed(asked) == shown | {
        ("export", "yes.csv"),
        ("removal", str(out / "no.csv")),
        ("handover", str(out / "handover" / "yes.csv")),
        ("handover", str(out / "handover" / "needs-no-question.csv")),
        ("removal", str(out / "handover" / "must-be-removed.csv")),
        ("bundle", str(out / "bundle.zip")),
        ("bundle", str(out / "one.zip")),
        ("receipt", str(out / "receipt.json")),
        ("letter", str(out / "letter.txt")),
    }
    (asked.folder / "yes.csv").unlink()


def test_promise_12_a_file_whose_path_names_a_person_is_not_written(asked: Campaign) -> None:
    out = asked.outside / f"{address(3)}.csv"

    said = asked.here("export", "--out", out, expect=1).err

    assert not out.exists()
    assert address(3) not in said
    assert list(asked.outside.glob(".*")) == []


def test_whoever_is_erased_may_stand_in_files_that_are_still_there(asked: Campaign) -> None:
    names = [asked.outside / f"{name}.csv" for name in ("deleted", "kept")]
    for path in names:
        asked.here("export", "--out", path)
    Path(names[0]).unlink()

    said = asked.here("person", "--erase", stdin=asked.mails[0].mailbox).err

    assert f"1 file written earlier may hold them: {names[1]}." in said
    assert "delete those that are not needed" in said
    assert "deleted.csv" not in said
