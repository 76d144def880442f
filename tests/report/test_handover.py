from __future__ import annotations

import csv
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from repermit.domain import hold
from repermit.domain.standing import Answer, Standing
from repermit.domain.templates import Templates
from repermit.errors import FileRefused, ProofBroken
from repermit.ledger.engine import Ledger
from repermit.ledger.keys import Keys
from repermit.ledger.store import erasing, holding, leases, places, removal, suppression
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from repermit.report.handover import Counts, Reader, handover
from repermit.runtime import shipped
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    admit,
    ask,
    asked,
    claim,
    press,
    settle,
    verified,
)
from tests.databases import another
from tests.report.test_export import Erasing, link, log_payloads, stopping

PROVEN = {"relationship": "signed_up_with_proof", "proof_ref": "form 12"}


def reader(language: str = "nl") -> Reader:
    """Return what the README is made of."""
    said = {"controller": "Peeters", "day": "2026-11-21"}
    return Reader(Templates([shipped()]), language, said, ZoneInfo("Europe/Brussels"))


async def handed(ledger: Ledger, folder: Path, language: str = "nl") -> tuple[Counts, list[Counts]]:
    """Hand over to *folder*; return the counts, and those that were told before."""
    told: list[Counts] = []
    done = await handover(ledger, folder, reader=reader(language), link=link, tell=told.append)
    return done, told


def emails(path: Path) -> list[str]:
    """Return the addresses in a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["email"] for row in csv.DictReader(file)]


@pytest.fixture
async def a_campaign(a_ledger: Ledger) -> Ledger:
    """Somebody of every kind: yes, no, silent, unreachable, exempt, suppressed, withheld."""
    an, jan, _ = await asked(
        a_ledger, *(f"{one}@voorbeeld.example" for one in ("an", "jan", "els"))
    )
    (piet,) = await admit(a_ledger, "piet@voorbeeld.example")
    await claim(a_ledger, piet)
    assert await settle(a_ledger, piet, Standing.UNDELIVERABLE, reply="550 5.1.1")
    await press(a_ledger, an, Answer.YES)
    await press(a_ledger, jan, Answer.NO)
    await admit(a_ledger, "=mia@voorbeeld.example", "ria@voorbeeld.example", **PROVEN)
    await admit(a_ledger, "wim@voorbeeld.example", relationship="bought_or_unknown")
    hashed = a_ledger.vault.suppression("ria@voorbeeld.example")
    await a_ledger.write(suppression.suppress_hashes, [hashed], source="list", reason="")
    return a_ledger


async def test_each_stands_in_the_file_of_their_kind_or_in_none(
    a_campaign: Ledger, tmp_path: Path
) -> None:
    """Who can still answer, or is withheld, is in none; nor is who is suppressed among those who
    need no question."""
    folder = tmp_path / "leaving"

    done, told = await handed(a_campaign, folder)

    assert emails(folder / "yes.csv") == ["an@voorbeeld.example"]
    assert emails(folder / "needs-no-question.csv") == ['"=mia"@voorbeeld.example']
    assert emails(folder / "must-be-removed.csv") == ["jan@voorbeeld.example"]
    last = a_campaign.clock.now() + ANSWER_TIME
    assert told == [done] == [Counts(1, 1, {"opted_out": 1}, waiting=3, last=last)]
    assert (done.total, done.erased) == (3, 0)


async def test_promise_6_who_is_past_their_date_must_be_removed_and_the_file_says_why(
    a_campaign: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    """Once each; who is withheld, exempt, held or said yes is not there, and a mail that is owed
    changes nothing. A yes that was handed over and does not stand any more is there, too."""
    lost, kept, maybe, owed = await admit(
        a_campaign, *(f"{one}@voorbeeld.example" for one in ("bo", "guy", "tom", "lea"))
    )
    await claim(a_campaign, lost, owner="lost")
    await a_campaign.write(leases.doubt_claims, ["lost"])
    await ask(a_campaign, kept, maybe, owed)
    await a_campaign.write(_hold, kept)
    await a_campaign.write(_owe, owed)
    await press(a_campaign, maybe, Answer.YES)
    await handed(a_campaign, tmp_path / "first")
    await press(a_campaign, maybe, Answer.NO)  # at once, so that both are void
    a_clock.advance(ANSWER_TIME)

    done, _ = await handed(a_campaign, tmp_path / "second")

    with (tmp_path / "second" / "must-be-removed.csv").open(encoding="utf-8") as file:
        rows = [(row["email"].partition("@")[0], row["why"]) for row in csv.DictReader(file)]
    assert rows == [
        *(("jan", "opted_out"), ("els", "silent"), ("tom", "silent"), ("lea", "silent")),
        *(("bo", "doubtful"), ("piet", "undeliverable")),
    ]
    assert (done.waiting, done.remove, done.yes) == (0, 6, 1)


async def test_a_yes_that_does_not_stand_any_more_is_named_before_its_date_too(
    a_campaign: Ledger, tmp_path: Path
) -> None:
    await handed(a_campaign, tmp_path / "first")
    await press(a_campaign, 1, Answer.NO)

    done, _ = await handed(a_campaign, tmp_path / "second")

    assert done.removed == {"opted_out": 1, "agrees_no_more": 1}


def _hold(tx: Transaction, recipient_id: int) -> None:
    until, why = tx.now + timedelta(days=365), hold.Why.CONTRACT
    holding.hold(tx, recipient_id, kind=why, until=until, by="An", reason="as agreed")


def _owe(tx: Transaction, recipient_id: int) -> None:
    tx.run(
        "INSERT INTO outbox (recipient_id, kind, language, created_at, not_before, standing,"
        " attempts) VALUES (?, 'data', 'nl', 0, 0, 'waiting', 0)",
        recipient_id,
    )


@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
async def test_the_readme_names_the_places_and_until_when_people_can_answer(
    a_campaign: Ledger, tmp_path: Path, language: str
) -> None:
    await a_campaign.write(places.name_places, ["the web shop", "the newsletter tool"])

    done, _ = await handed(a_campaign, tmp_path / "leaving", language)

    text = (tmp_path / "leaving" / "README.txt").read_text("utf-8")
    assert "\n  - the web shop\n  - the newsletter tool\n" in text
    assert "repermit handover --done" in text
    assert "(repermit suppress)" in text  # of whom there is only a code
    assert "2026-12-22" in text
    for why in removal.Why:
        assert why in text
    assert max(map(len, text.splitlines())) <= 105
    assert "\n\n\n" not in text
    (first, second) = await a_campaign.read(places.places)
    assert first.handed_over_at == second.handed_over_at == a_campaign.clock.now()
    assert [each.name for each in done.places] == [first.name, second.name]


async def test_the_log_has_each_file(a_campaign: Ledger, tmp_path: Path) -> None:
    await handed(a_campaign, tmp_path / "leaving")

    said = await log_payloads(a_campaign, "exported")
    assert [(each["standing"], each["rows"]) for each in said] == [
        *(("opted_in", 1), ("exempt", 1), ("opted_out", 1)),
    ]
    assert (await verified(a_campaign)).holds


async def test_a_yes_that_was_handed_over_is_to_be_removed_once_it_is_erased(
    a_campaign: Ledger, tmp_path: Path
) -> None:
    await handed(a_campaign, tmp_path / "first")
    await a_campaign.write(erasing.erase_person, 1)

    done, _ = await handed(a_campaign, tmp_path / "second")

    assert (done.yes, done.remove, done.erased, done.total) == (0, 2, 1, 2)
    assert emails(tmp_path / "second" / "must-be-removed.csv") == ["jan@voorbeeld.example", ""]


@pytest.mark.parametrize(
    ("language", "first"), [("nl", "wie mails"), ("es", "who may be mailed"), ("fr", "à qui")]
)
async def test_the_readme_is_in_the_language_of_the_campaign_or_in_english(
    a_ledger: Ledger, tmp_path: Path, language: str, first: str
) -> None:
    folder = tmp_path / "leaving"

    await handed(a_ledger, folder, language)

    text = (folder / "README.txt").read_text("utf-8")
    assert text.startswith("Peeters")
    assert first in text.splitlines()[0]
    for name in ("yes.csv (0)", "needs-no-question.csv (0)", "must-be-removed.csv (0)"):
        assert name in text
    assert max(map(len, text.splitlines())) <= 105


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", "de algemene mailbox van een rechtspersoon in België"),
        ("fr", "la boîte générale d'une personne morale en Belgique"),
        ("de", "das allgemeine Postfach einer juristischen Person in Belgien"),
        ("en", "the shared mailbox of a legal person in Belgium"),
    ],
)
async def test_the_readme_names_every_ground_on_which_nobody_is_asked(
    a_ledger: Ledger, tmp_path: Path, language: str, words: str
) -> None:
    company = {"relationship": "company_mailbox", "legal_person": True}
    await admit(a_ledger, "info@voorbeeld.example", **company)

    done, _ = await handed(a_ledger, tmp_path / "leaving", language)

    assert done.exempt == 1
    text = (tmp_path / "leaving" / "README.txt").read_text("utf-8")
    assert words in " ".join(text.split())


async def test_nothing_is_left_of_a_handover_during_which_somebody_was_erased(
    a_campaign: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    other = Erasing.open(another(a_campaign.database), a_campaign.vault, a_clock)

    with pytest.raises(FileRefused, match="was erased"):
        await handed(other, tmp_path / "leaving")
    await other.close()

    assert not (tmp_path / "leaving").exists()


@pytest.mark.parametrize("after", [False, True])
async def test_promise_8_no_file_has_its_name_before_the_log_has_its_entry(
    a_campaign: Ledger, a_clock: FakeClock, tmp_path: Path, *, after: bool
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    with stopping(a_campaign, a_clock, folder, after=after) as other:
        await handed(other, folder / "leaving")
    await other.close()

    assert other.there is not None
    for names in other.there:
        assert len(names) == 5
        assert all(name.endswith(".part") for name in names - {"leaving"})
    assert list(folder.iterdir()) == []
    assert len(await log_payloads(a_campaign, "exported")) == 3 * after


class Counting(Vault):
    """A vault that knows which rows it opened."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(keys)
        self.opened: list[int] = []

    def open(self, sealed: bytes, *, generation: int, recipient_id: int) -> dict[str, Any]:
        """Open a row."""
        self.opened.append(recipient_id)
        return super().open(sealed, generation=generation, recipient_id=recipient_id)


async def test_each_row_is_opened_once(
    a_campaign: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    vault = Counting(a_campaign.vault.keys)
    other = Ledger.open(another(a_campaign.database), vault, a_clock)

    done, _ = await handed(other, tmp_path / "leaving")
    await other.close()

    opened = Counter(vault.opened)
    assert len(opened) == done.total + 1  # one is suppressed
    assert max(opened.values()) == 2  # a yes once more, by the replay of the log


async def test_nothing_is_left_when_the_ledger_does_not_verify(
    a_campaign: Ledger, tmp_path: Path
) -> None:
    await a_campaign.write(lambda tx: tx.run("UPDATE recipient SET standing = 'opted_in'"))

    with pytest.raises(ProofBroken):
        await handed(a_campaign, tmp_path / "leaving")

    assert not (tmp_path / "leaving").exists()


async def test_a_folder_that_is_there_is_refused(a_ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "leaving").mkdir()
    await ask(a_ledger, *await admit(a_ledger, "an@voorbeeld.example"))

    with pytest.raises(FileRefused, match="exists already"):
        await handed(a_ledger, tmp_path / "leaving")
