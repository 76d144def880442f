from __future__ import annotations

import hmac
from io import BytesIO
from pathlib import Path

import pytest

from repermit.domain.address import parse
from repermit.errors import KeysUnusable, LedgerUnusable, ListUnreadable
from repermit.intake.hashes import HashList, Looked, read_hashes, written
from repermit.intake.listfile import ListFile, Reading, open_lists
from repermit.intake.suppress import SuppressedList, suppress_hashes, suppress_list
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, erasing, reading, suppression
from tests.builders import (
    a_newcomer,
    admit,
    ask,
    asked,
    claim,
    standings,
    take_in,
    verified,
)
from tests.databases import another

AN, JAN, ELS = "an@voorbeeld.example", "jan@voorbeeld.example", "els@voorbeeld.example"
THEIR_KEY = b"t" * 32


def a_list(folder: Path, text: str) -> ListFile:
    path = folder / "list.csv"
    path.write_text(text, "utf-8")
    (opened,) = open_lists(path, Reading())
    return opened


async def suppress(ledger: Ledger, folder: Path, text: str) -> SuppressedList:
    with a_list(folder, text) as source:
        return await suppress_list(ledger, source, reason="their list")


# --- lists of addresses ---


async def test_every_address_is_suppressed_and_recipients_are_moved(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """Also one that is on its way; the lines that are no address are named."""
    listed, leaving = await admit(a_ledger, AN, JAN)
    await claim(a_ledger, leaving)
    text = f"email\n{AN.upper()}\n<{JAN}>\n{ELS}\n{AN}\nnobody\nno one\n"
    done = await suppress(a_ledger, tmp_path, text)

    assert (done.added, done.known, done.moved, done.leaving) == (3, 1, 2, 1)
    assert (done.rejected, done.lines, done.lines_named) == (2, [6, 7], "6, 7")
    assert await standings(a_ledger) == dict.fromkeys((listed, leaving), "opted_out")
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize(
    ("column", "stopped", "stays"),
    [("uitgeschreven", "ja", "nee"), ("newsletter", "no", "yes"), ("opt-out", "2021-05-04", "")],
)
async def test_where_a_column_says_who_stopped_only_those_are_suppressed(
    a_ledger: Ledger, tmp_path: Path, column: str, stopped: str, stays: str
) -> None:
    text = f"email;{column}\n{AN};{stopped}\n{JAN};{stays}\n{ELS};{stays}\n"
    done = await suppress(a_ledger, tmp_path, text)

    assert (done.added, done.passed_over) == (1, 2)
    assert await a_ledger.read(suppression.is_suppressed, AN)
    assert not await a_ledger.read(suppression.is_suppressed, JAN)


async def test_a_long_list_is_taken_in_parts_and_names_the_first_lines_only(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    rows = [f"r{n}@voorbeeld.example\nnobody {n}" for n in range(700)]
    done = await suppress(a_ledger, tmp_path, "email\n" + "\n".join(rows))

    assert (done.added, done.rejected, len(done.lines)) == (700, 700, 20)
    assert done.lines_named.endswith("41 ...")
    assert (await verified(a_ledger)).holds


async def test_a_list_counts_as_the_answer_to_who_opted_out_also_when_it_adds_nobody(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    await a_ledger.write(suppression.suppress, [parse(AN)], source="answer", reason="")
    assert not await a_ledger.read(campaign.knows_opt_outs)
    done = await suppress(a_ledger, tmp_path, f"email\n{AN}\n")

    assert (done.added, done.known) == (0, 1)
    assert await a_ledger.read(campaign.knows_opt_outs)


@pytest.mark.parametrize(
    "rows", [f"email;uitgeschreven\n{AN};nee\n", f"email;nieuwsbrief\n{AN};ja\n"]
)
async def test_a_list_that_says_that_nobody_stopped_is_no_answer(
    a_ledger: Ledger, tmp_path: Path, rows: str
) -> None:
    await a_ledger.write(campaign.state_no_opt_outs, "nobody did")

    with pytest.raises(ListUnreadable, match="says of nobody that they stopped"):
        await suppress(a_ledger, tmp_path, rows)
    said = await a_ledger.read(campaign.earlier_opt_outs)
    assert (said.statement, said.lists) == ("nobody did", 0)


async def test_an_old_column_of_opt_ins_excuses_only_who_said_yes(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    done = await suppress(a_ledger, tmp_path, f"email;nieuwsbrief\n{AN};\n{JAN};ja\n")

    assert (done.added, done.passed_over) == (1, 1)


async def test_a_list_without_an_address_is_no_answer(a_ledger: Ledger, tmp_path: Path) -> None:
    await a_ledger.write(campaign.state_no_opt_outs, "nobody did")

    with pytest.raises(ListUnreadable, match=r"holds no address .*lines 2, 3"):
        await suppress(a_ledger, tmp_path, "email\nnobody\nno one\n")
    said = await a_ledger.read(campaign.earlier_opt_outs)
    assert (said.statement, said.lists) == ("nobody did", 0)


async def test_a_list_takes_the_statement_back(a_ledger: Ledger, tmp_path: Path) -> None:
    await a_ledger.write(campaign.state_no_opt_outs, "nobody did")
    first = await suppress(a_ledger, tmp_path, f"email\n{AN}\n")
    second = await suppress(a_ledger, tmp_path, f"email\n{JAN}\n")

    assert (first.statement_fell, second.statement_fell) == (True, False)
    assert (await a_ledger.read(campaign.earlier_opt_outs)).statement is None


# --- lists of keyed hashes ---


def hashes_of(
    *addresses: str, keys: tuple[bytes, ...] = (THEIR_KEY,), under: bytes | None = None
) -> HashList:
    """Return what another campaign exported."""
    used = under or keys[0]
    hashed = [hmac.digest(used, address.encode(), "sha256") for address in addresses]
    text = "".join(written(keys, sorted(hashed), count=len(hashed)))
    return read_hashes("theirs.txt", Looked(BytesIO(text.encode())))


async def take_over(ledger: Ledger, source: HashList) -> SuppressedList:
    with source:
        return await suppress_hashes(ledger, source, reason="theirs")


async def test_keyed_hashes_of_another_campaign_are_taken_in_with_their_key(
    a_ledger: Ledger,
) -> None:
    done = await take_over(a_ledger, hashes_of(AN, JAN, JAN))
    again = await take_over(a_ledger, hashes_of(AN, JAN))

    assert (done.added, done.known, done.new_keys) == (2, 1, 1)
    assert (again.added, again.known, again.new_keys) == (0, 2, 0)
    kept = keys.load(a_ledger.vault.keys.folder)
    assert kept.foreign_suppression == (THEIR_KEY,)
    found = await a_ledger.read(reading.suppressed, parse(AN))
    assert found is not None
    assert (found.source, found.reason) == ("list", "theirs")
    assert await a_ledger.read(campaign.knows_opt_outs)
    assert (await verified(a_ledger)).holds


async def test_our_own_export_comes_back_without_a_new_key(a_ledger: Ledger) -> None:
    own = a_ledger.vault.keys.suppression
    done = await take_over(a_ledger, hashes_of(AN, keys=(own,)))

    assert (done.added, done.new_keys) == (1, 0)
    assert keys.load(a_ledger.vault.keys.folder).foreign_suppression == ()
    assert await a_ledger.read(suppression.is_suppressed, AN)


async def test_an_export_of_a_campaign_that_took_in_others_brings_all_their_keys(
    a_ledger: Ledger,
) -> None:
    ours, older = a_ledger.vault.keys.suppression, b"o" * 32
    done = await take_over(a_ledger, hashes_of(AN, keys=(THEIR_KEY, older, ours), under=older))

    assert done.new_keys == 2
    assert await a_ledger.read(suppression.is_suppressed, AN)


async def test_promise_2_recipients_who_are_on_it_are_opted_out_wherever_they_stand(
    a_ledger: Ledger,
) -> None:
    """The ledger was opened before the key came; slices, and an older generation, included."""
    crowd = [f"r{n}@voorbeeld.example" for n in range(700)]
    await a_ledger.write(take_in, [a_newcomer(address) for address in crowd])
    (withheld,) = await admit(a_ledger, AN, country="GB")
    (leaving, taken) = await admit(a_ledger, JAN, ELS)
    await claim(a_ledger, leaving)
    await ask(a_ledger, taken)
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    gone = [crowd[0], crowd[299], crowd[300], crowd[699]]
    done = await take_over(a_ledger, hashes_of(*gone, AN, JAN, ELS, "nobody@voorbeeld.example"))

    assert (done.added, done.moved, done.leaving) == (8, 7, 1)
    moved = {one for one, at in (await standings(a_ledger)).items() if at == "opted_out"}
    assert moved == {1, 300, 301, 700, withheld, leaving, taken}
    assert (await verified(a_ledger)).holds


async def test_promise_2_whoever_is_on_it_is_not_admitted_later(a_ledger: Ledger) -> None:
    await take_over(a_ledger, hashes_of(AN))
    tally = await a_ledger.write(take_in, [a_newcomer(AN), a_newcomer(JAN)])

    assert (tally.admitted, tally.suppressed) == (1, 1)


async def test_taking_keyed_hashes_in_again_finishes_what_was_cut_off(a_ledger: Ledger) -> None:
    """The key and the hashes were there; nobody was moved yet."""
    (one,) = await asked(a_ledger, AN)
    hashed = hmac.digest(THEIR_KEY, AN.encode(), "sha256")
    await a_ledger.write(suppression.suppress_hashes, [hashed], source="list", reason="")
    done = await take_over(a_ledger, hashes_of(AN))

    assert (done.added, done.known, done.moved) == (0, 1, 1)
    assert await standings(a_ledger) == {one: "opted_out"}


async def test_keyed_hashes_take_the_statement_back(a_ledger: Ledger) -> None:
    await a_ledger.write(campaign.state_no_opt_outs, "nobody did")

    assert (await take_over(a_ledger, hashes_of(AN))).statement_fell


async def test_a_list_of_no_hashes_is_no_answer_and_brings_no_key(a_ledger: Ledger) -> None:
    with pytest.raises(ListUnreadable, match=r"theirs\.txt: holds no address"):
        await take_over(a_ledger, hashes_of())
    assert keys.load(a_ledger.vault.keys.folder).foreign_suppression == ()
    assert not await a_ledger.read(campaign.knows_opt_outs)


async def test_keyed_hashes_wait_for_an_import(a_ledger: Ledger) -> None:
    """Its people are not in the ledger yet, where they would be looked for."""
    other = another(a_ledger.database)
    lock = other.lock("import")
    assert lock.acquire()
    try:
        with pytest.raises(LedgerUnusable, match="import is running"):
            await take_over(a_ledger, hashes_of(AN))
    finally:
        lock.release()
        other.close()
    assert keys.load(a_ledger.vault.keys.folder).foreign_suppression == ()


async def test_nothing_is_suppressed_when_the_key_cannot_be_kept(a_ledger: Ledger) -> None:
    a_ledger.vault.keys.file.chmod(0o644)

    with pytest.raises(KeysUnusable):
        await take_over(a_ledger, hashes_of(AN))
    assert await a_ledger.read(suppression.count_suppressed) == 0
