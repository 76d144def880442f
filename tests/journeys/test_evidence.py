"""The evidence, taken out by the commands and checked by a clean Python that knows no repermit."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from repermit.domain.record import SCHEMA
from tests.journeys.campaign import ACCEPTED, ONE_BY_HAND, Campaign, Later, Templates, address
from tests.journeys.relay import Relay
from tests.journeys.web import mailbox

pytestmark = pytest.mark.journey
AFTER_THE_DEADLINE = Later(timedelta(days=40))


def checked(
    bundle: Path, *words: str | Path, stdin: str = "", expect: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the verifier that lies in *bundle*, outside the sources, without any library."""
    folder = bundle.parent
    (folder / "verify.py").write_bytes(zipfile.ZipFile(bundle).read("verify.py"))
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", bundle.name, *map(str, words)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        env={},
        timeout=60,
        check=False,
    )
    assert ended.returncode == expect, ended
    assert "Traceback" not in ended.stderr
    return ended


@pytest.fixture(scope="module")
def template(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Three said yes, one of them took it back elsewhere; one said no."""
    campaign = templates.asked.copied(tmp_path_factory.mktemp("answered"))
    links = {taken.mailbox: mailbox(taken.content) for taken in campaign.mails}
    with campaign.serving():
        for number in (6, 7, 8):
            links[address(number)].press("yes")
        links[address(9)].press("no")
    campaign.here("suppress", "-", stdin=address(8))
    return campaign


@pytest.fixture
def answered(template: Campaign, tmp_path: Path) -> Iterator[Campaign]:
    """A copy of it, for this test alone."""
    campaign = template.copied(tmp_path / "answered")
    yield campaign
    campaign.end()


def test_the_evidence_of_a_campaign_is_checked_without_repermit(answered: Campaign) -> None:
    out = answered.outside / "evidence.zip"

    made = answered.run("proof", "bundle", "--out", out)

    assert "It names 2 people" in made.err
    assert "written; it names 2 people" in made.out
    assert out.stat().st_mode & 0o777 == 0o600
    said = checked(out).stdout
    assert "This bundle holds" in said
    assert "consents: 2 stand" in said
    with zipfile.ZipFile(out) as bundle:
        front = bundle.read("index.html").decode()
        assert all(f'<section id="{each}"' in front for each in ("nl", "fr", "de", "en"))
        assert "Ja, stuur mij" in front or "Oui" in front
        everything = b"".join(bundle.read(name) for name in bundle.namelist())
    assert address(6).encode() not in everything
    assert answered.here("proof", "verify", "--json").json["holds"] is True
    again = answered.here("proof", "bundle", "--out", out, expect=1)
    assert "exists already" in again.err


def test_a_bundle_after_a_purge_still_verifies(answered: Campaign, relay: Relay) -> None:
    out = answered.outside / "evidence.zip"
    answered.use(relay.port)
    answered.here("send")  # what the outbox owes
    due = answered.at(AFTER_THE_DEADLINE, "purge", "--dry-run", "--json").json["due"]
    answered.at(AFTER_THE_DEADLINE, "purge", "--at-most", str(due), *ACCEPTED)

    answered.at(AFTER_THE_DEADLINE, "proof", "bundle", "--out", out)

    assert due > 0
    assert "purges: 1" in checked(out).stdout
    assert len(zipfile.ZipFile(out).read("consents.jsonl").splitlines()) == 2


def test_the_evidence_of_one_person_holds_nobody_else(answered: Campaign) -> None:
    out = answered.outside / "one.zip"

    made = answered.run("proof", "bundle", "--out", out, "--only", stdin=address(6))

    assert "It names 1 person" in made.err
    said = checked(out, "--address", stdin=f"{address(6).upper()}\n").stdout
    assert "address: the answers are those of that address" in said
    assert "false" in checked(out, "--address", stdin=address(7), expect=1).stdout
    with zipfile.ZipFile(out) as bundle:
        (consent,) = bundle.read("consents.jsonl").splitlines()
        mail, names = bundle.read("seen/mail.txt").decode(), bundle.namelist()
        texts = b"".join(bundle.read(name) for name in names).decode()
        (page,) = (bundle.read(name).decode() for name in names if name.startswith("seen/page"))
    assert "tuindagen" in mail + page
    assert "⟦" not in mail + page
    assert "/yes/…" in mail
    assert address(6) not in texts
    assert json.loads(consent)["record"]["dpv:hasDataSubject"]["schema:email"] in page


def test_a_bundle_is_held_to_a_checkpoint_kept_elsewhere(
    answered: Campaign,
) -> None:
    out, kept = answered.outside / "all.zip", answered.outside / "kept.txt"
    kept.write_text(answered.run("proof", "verify").out, "utf-8")
    answered.here("pause")
    answered.here("proof", "bundle", "--out", out)

    assert "kept elsewhere are of this very log" in checked(out, "--checkpoint", kept).stdout


def test_the_record_of_one_person(answered: Campaign) -> None:
    page, record = answered.outside / "record.html", answered.outside / "record.json"

    shown = answered.run("proof", "receipt", stdin=address(6)).json
    answered.here("proof", "receipt", "--out", page, stdin=address(6))
    answered.here("proof", "receipt", "--out", record, stdin=address(6))

    jsonschema.validate(shown, json.loads(SCHEMA.read_text("utf-8")))
    assert json.loads(record.read_text("utf-8")) == shown
    assert shown["dpv:hasDataSubject"]["schema:email"] in page.read_text("utf-8")
    assert page.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (9, "has no yes that stands: they are opted out"),
        (8, "has no yes that stands: they are opted out"),
        (10, "has no yes that stands: they are asked"),
        (950, "has no yes that stands: they are exempt"),
        (4711, "nothing is on file"),
    ],
)
def test_who_has_no_yes_has_no_record(answered: Campaign, number: int, why: str) -> None:
    refused = answered.here("proof", "receipt", stdin=address(number), expect=1)

    assert why in refused.err
    assert refused.out == ""


def test_a_ledger_that_does_not_verify_gives_no_evidence(answered: Campaign) -> None:
    """Somebody set a row to opted_in by hand."""
    out = answered.outside / "evidence.zip"
    answered.change_ledger(ONE_BY_HAND)

    for words in (["bundle", "--out", out], ["bundle", "--only", "--out", out], ["receipt"]):
        refused = answered.here("proof", *words, stdin=address(6), expect=1)
        assert ": opted_in, but the log says asked" in refused.err
    assert not out.exists()
