"""One person, for the desk: what is on file, what they saw, a letter, erasing and correcting."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.journeys.campaign import (
    ACCEPTED,
    ADMITTED,
    LISTED,
    SOURCES,
    Campaign,
    Later,
    Templates,
    address,
    everybody,
    write_list,
)
from tests.journeys.relay import Relay
from tests.journeys.terminal import typed
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


AFTERWARDS = Later(timedelta(days=40))


@pytest.fixture(scope="module")
def template(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Number 6, who reads German, said yes, and an export carried that out."""
    campaign = templates.asked.copied(tmp_path_factory.mktemp("answered"))
    link = next(taken for taken in campaign.mails if taken.mailbox == address(6)).content
    with campaign.serving():
        mailbox(link).press("yes")
    campaign.here("export", "--out", campaign.outside / "yes.csv")
    (campaign.outside / "yes.csv").unlink()
    return campaign


@pytest.fixture
def answered(template: Campaign, tmp_path: Path) -> Iterator[Campaign]:
    """A copy of it, for this test alone."""
    campaign = template.copied(tmp_path / "answered")
    yield campaign
    campaign.end()


def test_the_desk_reads_what_happened_and_what_comes_next(answered: Campaign) -> None:
    told = answered.run("person", "--json", stdin=address(6)).json
    shown = answered.run("person", stdin=address(6))

    events = [each["event"] for each in told["timeline"]]
    assert events == ["admitted", "moved", "moved", "answered", "exported"]
    assert all(each["says"] in shown.out for each in told["timeline"])
    assert (told["policy"]["outcome"], told["policy"]["reason"]) == ("ask", "allowed")
    assert told["policy"]["written_reason"] in shown.out
    assert [each["what"] for each in told["next"]] == ["withdrawal", "kept"]
    assert set(told) == set(answered.here("person", "--json", stdin=address(7)).json)
    assert "repermit person --shown DIR" in shown.err
    assert address(6) not in shown.err
    silent = answered.here("person", "--json", stdin=address(7)).json["next"]
    assert [each["what"] for each in silent] == ["answer", "purge", "code"]
    assert silent[0]["at"]


def test_a_part_of_an_address_finds_one_or_asks_which(answered: Campaign) -> None:
    told = answered.here("person", "--json", stdin="LID-00006")
    several = answered.here("person", "--json", stdin="lid-0090", expect=1)
    number = several.json["matches"][0]["number"]
    chosen = answered.here("person", "--json", stdin=f"lid 0090\n{number}\n").json

    assert told.json["on_file"]["address"] == address(6)
    assert f"{ADMITTED} rows to open" in told.err
    assert [each["masked"] for each in several.json["matches"]] == ["li•••@ontvangers.example"] * 2
    assert address(900) not in several.err + several.out
    assert chosen["on_file"]["id"] == number


def test_at_a_terminal_one_is_chosen_from_the_list(answered: Campaign) -> None:
    """By whole addresses only after asking; a single match needs no number, and nobody is erased
    before that is confirmed."""
    number = answered.here("person", "--json", stdin=address(900)).json["on_file"]["id"]
    words = ("--config", answered.config, "person")
    asks = [("a part of it", "lid-0090"), ("Show their addresses", "n"), ("Number", str(number))]
    masked = typed(words, asks, cwd=answered.outside)
    asks[1] = ("Show their addresses", "y")
    named = typed(words, asks, cwd=answered.outside)
    single = [("a part of it", "lid-00007"), ("Erase this person", "n")]
    kept = typed((*words, "--erase"), single, cwd=answered.outside, code=1)

    assert address(901) not in masked
    assert f"{number}  li•••@" in masked
    assert address(901) in named
    assert f"number: {number}" in masked
    assert "nobody was erased" in kept
    assert answered.status()["erased"] == 0


def test_the_mail_and_the_page_are_written_as_they_saw_them(answered: Campaign) -> None:
    folder = answered.outside / "seen"
    told = answered.run("person", "--shown", folder, "--json", stdin=address(6)).json
    taken = next(taken for taken in answered.mails if taken.mailbox == address(6))
    sent = message_from_bytes(taken.content, policy=policy.default)
    text = sent.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it has one

    assert sorted(told["shown"]) == sorted(path.name for path in folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    seen = (folder / "mail.txt").read_text("utf-8")
    assert sent["subject"] in seen
    without_links = re.compile(r"(?<=/)(yes|no)/\S+")
    assert without_links.sub("", " ".join(text.split())) in without_links.sub(
        "", " ".join(seen.split())
    )
    (page,) = folder.glob("page-*.html")
    assert "li•••@ontvangers.example" in page.read_text("utf-8")
    assert "<!doctype html" in (folder / "mail.html").read_text("utf-8").lower()


def test_the_privacy_notice_that_an_answer_points_to_is_written_too(
    approved: Campaign, relay: Relay
) -> None:
    approved.use(relay.port)
    approved.edit("privacy_url = .*", "")
    approved.edit("#privacy_file = .*", 'privacy_file = "privacy.txt"')
    notice = "Wij bewaren uw adres.\nWij delen het niet.\n"
    (approved.folder / "privacy.txt").write_text(notice, "utf-8")
    approved.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    approved.here("send", "--limit", "1")
    (taken,) = relay.taken
    with approved.serving():
        mailbox(taken.content).press("yes")
    folder = approved.outside / "seen"
    told = approved.here("person", "--shown", folder, "--json", stdin=taken.mailbox).json

    (written,) = folder.glob("notice-*.txt")
    assert written.read_text("utf-8").split() == notice.split()
    assert written.name in told["shown"]


@pytest.mark.parametrize("kind", ["complaint", "access"])
def test_a_letter_is_in_the_language_of_the_person(answered: Campaign, kind: str) -> None:
    printed = answered.here("person", "--letter", kind, stdin=address(6))
    told = answered.here("person", "--letter", kind, "--json", stdin=address(6)).json["letter"]

    assert printed.out == told["text"]
    assert (told["kind"], told["languages"]) == (kind, ["de"])
    assert address(6) in printed.out
    assert "Guten Tag" in printed.out
    assert "DSGVO" in printed.out
    assert "Read it before you sign" in printed.err
    assert address(6) not in printed.err


def test_the_letter_about_an_erasure_is_written_with_it(answered: Campaign) -> None:
    """In the language that was on file; afterwards in every language of the campaign."""
    out = answered.outside / "letter.txt"
    told = answered.run(
        "person", "--erase", "--letter", "erasure", "--out", out, "--json", stdin=address(6)
    ).json
    again = answered.here("person", "--letter", "erasure", stdin=address(6))
    twice = answered.here("person", "--erase", stdin=address(6), expect=1)

    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_text("utf-8") == told["letter"]["text"]
    letter = " ".join(told["letter"]["text"].split())
    assert "Artikel 17 Absatz 3" in letter
    assert "Artikel 19" in letter
    assert told["exported"]
    assert (told["on_file"], told["suppressed"]["source"]) == (None, "erased")
    assert all(word in again.out for word in ("Geachte", "Madame", "Guten Tag", "Dear Sir"))
    assert "In every language of the campaign" in again.err
    assert "only an unreadable code" in twice.err


def test_after_the_purge_a_letter_says_that_only_a_code_is_kept(asked: Campaign) -> None:
    asked.at(AFTERWARDS, "purge", "--at-most", str(LISTED), *ACCEPTED)
    asked.edit("languages = .*", 'languages = ["nl"]')
    shown = asked.at(AFTERWARDS, "person", stdin=address(6)).out
    letters = [
        asked.at(AFTERWARDS, "person", "--letter", kind, stdin=address(6)).out
        for kind in ("complaint", "access", "erasure")
    ]
    stranger = asked.at(AFTERWARDS, "person", "--letter", "access", stdin=address(4242)).out

    purged = AFTERWARDS.now().astimezone(ZoneInfo("Europe/Brussels"))
    again = purged.date() + timedelta(days=1095)
    assert f"asked once, purged on {purged.date()}" in shown
    assert f"kept to {again} at least" in shown
    assert "only an unreadable code is kept" in shown
    assert str(again.year) in letters[1]
    for letter in letters:
        assert "onleesbare code" in letter
        assert "We vroegen u één keer per mail" in letter
    assert "staat niet op die lijst" in " ".join(stranger.split())


def test_a_correction_counts_and_is_told(approved: Campaign) -> None:
    """Whoever had no mail yet is screened anew, and their approval does not stand any more."""
    approved.here("person", "--correct", stdin=f"{address(0)}\nsource=de markt\n")
    told = approved.run("person", "--correct", "--json", stdin=f"{address(0)}\nlanguage=fr").json

    assert told["corrected"] == "language"
    assert told["on_file"]["language"] == "fr"
    assert told["on_file"]["evidence"]["source"] == "de markt"
    assert [each["event"] for each in told["timeline"]][-2:] == ["corrected", "corrected"]
    assert approved.here("proof", "verify", "--json").json["holds"] is True
    assert "approv" in approved.here("send", expect=1).err


def test_what_a_list_holds_does_not_steer_the_terminal(begun: Campaign) -> None:
    """A source with control characters, put into the ledger by hand, is shown as marks."""
    begun.here("import", write_list(begun.outside / "a.csv", everybody()))
    begun.change_ledger("UPDATE recipient SET language = 'n' || char(27) || '[2J' || char(0x9b)")
    shown = begun.here("person", stdin=address(0)).out
    told = begun.here("person", "--json", stdin=address(0))

    assert "language: n�[2J�" in shown
    assert "\x9b" not in told.out + shown
    assert told.json["on_file"]["language"] == "n\x1b[2J\x9b"


@pytest.mark.parametrize("given", [None, b"", b"\xff\xfe\n"])
def test_no_standard_input_is_no_address(begun: Campaign, given: bytes | None) -> None:
    begun.here("import", write_list(begun.outside / "a.csv", everybody()))
    command = [sys.executable, "-m", "repermit", "--config", str(begun.config), "person"]
    closed = ["bash", "-c", 'exec "$@" <&-', "-", *command]
    ended = subprocess.run(
        closed if given is None else command,
        input=given,
        capture_output=True,
        env={"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        timeout=60,
        check=False,
    )

    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr
    assert b"what to do" in ended.stderr
    assert ended.stdout == b""
