"""The bundles themselves: what is in them, what is not, and what a failure leaves."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from repermit.cli.evidence import make_bundle, without_users
from repermit.domain.provider import NO_CAPS
from repermit.domain.skeleton import place
from repermit.errors import FileRefused, PersonUnknown
from repermit.ledger.store import answering, campaign, sending, snapshots
from repermit.ledger.store.sending import Intent
from repermit.ledger.transaction import Transaction
from repermit.report import verifier
from repermit.report.bundle import VERIFIER
from tests.builders import EVERYTHING, FakeClock, a_press, admit, asked
from tests.report.bundles import Given
from tests.report.conftest import ADDRESS, Made, approve
from tests.respond.builders import Site, served

COMMON = {"approvals.json", "checkpoint.txt", "consents.jsonl", "index.html", "key.txt"}
COMMON |= {"manifest.txt", "policy.json", "verify.py"}


def beside(files: dict[str, bytes]) -> set[str]:
    """Return the names that lie in no folder."""
    return {name for name in files if "/" not in name}


def test_what_is_in_them(made: Made) -> None:
    assert beside(made.whole.files) == COMMON | {"config.toml", "log.jsonl", "purges.json"}
    assert beside(made.one.files) == COMMON | {"consistency.json", "entries.jsonl", "who.json"}
    assert made.whole.files["verify.py"] == VERIFIER.read_bytes()
    decided = json.loads(made.whole.files["policy.json"])["decisions"]
    assert sum(each["count"] for each in decided) == 5
    (own,) = json.loads(made.one.files["policy.json"])["decisions"]
    assert own["source"] == "the <fair>"


def test_that_of_one_person_tells_nothing_of_anybody_else(made: Made) -> None:
    everything = b"".join(made.one.files.values()).decode()
    others = {line["recipient"] for line in made.one.lines("entries.jsonl")} - {None, 1}

    assert others == set()
    assert set(re.findall(r"[\w•]+@voorbeeld\.example", everything)) == {"a•••@voorbeeld.example"}


def test_no_bundle_holds_an_address_or_a_link(made: Made) -> None:
    for bundle in made:
        everything = b"".join(bundle.files.values()).decode()
        assert ADDRESS not in everything
        assert not re.search(r"/(?:yes|no|u)/[A-Za-z0-9_-]{4}", everything)


def test_they_saw_what_is_shown_with_their_own_values(made: Made) -> None:
    pages = [text.decode() for name, text in made.one.files.items() if "seen/page" in name]

    assert len(pages) == 5
    assert all("⟦" not in page for page in pages)
    assert any("the &lt;fair&gt;" in page for page in pages)
    assert made.one.files["seen/mail.txt"].decode() == "the mail"


@pytest.mark.parametrize("kind", ["whole", "one"])
def test_the_front_page_is_there_in_four_languages_and_its_links_lead_somewhere(
    made: Made, kind: str
) -> None:
    files: dict[str, bytes] = getattr(made, kind).files
    page = files["index.html"].decode()

    assert re.findall(r'<section id="(..)"', page) == ["nl", "fr", "de", "en"]
    links = set(re.findall(r'href="([^"#]+)"', page))
    assert any(link.startswith("shown/") for link in links)
    assert links <= files.keys()
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    named = set(re.findall(r"<th><code>([a-z.]+)</code></th>", page))
    assert named == beside(files)


def test_the_front_page_has_the_words_of_the_papers(made: Made) -> None:
    """One word for one thing; and nobody was asked whether they want to go on."""
    page = made.whole.files["index.html"].decode()

    assert "ob sie E-Mails erhalten möchten" in page
    assert not re.search(r"[Uu]nterschr|[Gg]enehmig|\bRegister\b|\bregistre\b", page)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('url = "smtp://user:pass@mail.example:587"', 'url = "smtp://…@mail.example:587"'),
        ('url = "smtp://mail.example:587"', 'url = "smtp://mail.example:587"'),
        ('from = "Wij <news@mail.example>"', 'from = "Wij <news@mail.example>"'),
    ],
)
def test_the_config_is_as_written_but_for_who_logs_in(line: str, kept: str) -> None:
    assert without_users(line) == kept


@pytest.fixture
async def a_site(
    campaign_folder: Path, a_clock: FakeClock, a_database_url: str
) -> AsyncIterator[Site]:
    """A campaign in which one person has their mail."""
    async with served(campaign_folder, a_clock, database=a_database_url) as site:
        await asked(site.ledger, ADDRESS)
        await site.ledger.write(campaign.state_no_opt_outs, "nobody ever opted out")
        await approve(site.runtime, site.ledger)
        yield site


def left_in(folder: Path) -> set[str]:
    """Return the names of what lies there, also of what is hidden."""
    return {each.name for each in folder.iterdir()}


def log_size(tx: Transaction) -> int:
    """Return how many entries the log has."""
    return int(tx.value("SELECT size FROM log_head"))


async def test_what_cannot_be_put_together_any_more_is_said(a_site: Site, tmp_path: Path) -> None:
    """The words of that time have a place that this release does not know; a mail of which the
    date is not known."""
    ledger, out = a_site.ledger, tmp_path / "one.zip"

    def part(tx: Transaction) -> None:
        page = snapshots.keep_snapshot(tx, "page", "nl", f"words {place('unknown')}")
        answering.file_answer(tx, 1, a_press(page=page))

    await ledger.write(part)
    ids = await admit(ledger, "jan@voorbeeld.example")
    mail = f"words {place('unknown')}"

    def unknown_mail(tx: Transaction) -> None:
        hashed = snapshots.keep_snapshot(tx, "mail", "nl", mail)
        reserved = sending.reserve(tx, "s", approved_size=EVERYTHING, limit=9, caps=NO_CAPS)
        sending.intend(tx, "s", [Intent(each, tx.now, hashed) for each in reserved], NO_CAPS)

    await ledger.write(unknown_mail)

    await make_bundle(a_site.runtime, out, ADDRESS)
    await make_bundle(a_site.runtime, tmp_path / "jan.zip", "jan@voorbeeld.example")

    one = Given.read(out, a_site.runtime.signing)
    assert ids == [2]
    assert {name for name in one.files if "seen" in name} == {"seen/mail.txt"}
    assert re.search(r"Niet meer samen te stellen.*seen/page-\d+", one.files["index.html"].decode())
    assert verifier.main([str(out)]) == 0
    jan = Given.read(tmp_path / "jan.zip", a_site.runtime.signing)
    assert not [name for name in jan.files if "seen" in name]
    assert "seen/mail.txt" in jan.files["index.html"].decode()
    assert verifier.main([str(tmp_path / "jan.zip")]) == 0


async def test_somebody_who_had_no_mail_has_a_bundle_that_says_so(
    a_site: Site, tmp_path: Path
) -> None:
    await admit(a_site.ledger, "jan@voorbeeld.example")

    await make_bundle(a_site.runtime, tmp_path / "one.zip", "jan@voorbeeld.example")

    files = Given.read(tmp_path / "one.zip", a_site.runtime.signing).files
    assert files["consents.jsonl"] == b""
    assert not [name for name in files if "/" in name]
    assert verifier.main([str(tmp_path / "one.zip")]) == 0


async def test_nobody_has_no_bundle_and_no_file_is_left(a_site: Site, tmp_path: Path) -> None:
    before = await a_site.ledger.read(log_size)
    (tmp_path / "there.zip").write_text("mine")

    with pytest.raises(PersonUnknown):
        await make_bundle(a_site.runtime, tmp_path / "one.zip", "nobody@voorbeeld.example")
    with pytest.raises(FileRefused, match="exists already"):
        await make_bundle(a_site.runtime, tmp_path / "there.zip", None)
    with pytest.raises(FileRefused, match="cannot be written"):
        await make_bundle(a_site.runtime, tmp_path / "nowhere" / "all.zip", None)

    assert left_in(tmp_path) == {"campaign", "there.zip"}
    assert (tmp_path / "there.zip").read_text() == "mine"
    assert await a_site.ledger.read(log_size) == before


async def test_a_bundle_for_which_there_is_no_room_leaves_no_file(
    a_site: Site, tmp_path: Path
) -> None:
    with pytest.raises(FileRefused, match="cannot be written"), a_small_disk():
        await make_bundle(a_site.runtime, tmp_path / "all.zip", None)

    assert left_in(tmp_path) == {"campaign"}


@contextmanager
def a_small_disk() -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes for the length of a block; that of the
    ledger has grown already."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
