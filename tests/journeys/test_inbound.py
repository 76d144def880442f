"""What comes back of a campaign, by each way in."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.cli import main
from repermit.cli.incoming import Sources, read_all
from repermit.cli.running import read_inbound
from repermit.domain.clock import SystemClock
from repermit.inbound.maildir import Maildir
from repermit.ledger.locks import Lock
from repermit.runtime import Runtime
from tests.inbound.desks import put
from tests.inbound.dovecot import PASSWORD, USER, dovecot
from tests.journeys.campaign import LISTED, Campaign, Later, Running, wait_until
from tests.journeys.relay import Relay
from tests.journeys.returned import bounce, complaint, reply, sent, stranger

pytestmark = pytest.mark.journey


def waiting(campaign: Campaign) -> list[Path]:
    """Return what lies in our own spool."""
    spool = Maildir(campaign.folder / "inbound")
    return spool.waiting() if spool.is_there else []


def with_maildir(campaign: Campaign) -> Path:
    """Let what comes back come into a maildir, and return it."""
    box = campaign.outside / "Maildir"
    Maildir(box).make()
    campaign.edit('#maildir = ".*"', f'maildir = "{box}"')
    return box


def piped(campaign: Campaign, message: bytes, *, expect: int = 0, **environment: str) -> str:
    """Let an MTA hand over a message; when it is kept, nothing is printed. Returns what was."""
    campaign.environment = environment
    done = campaign.run("inbound", "-", stdin=message.decode(), expect=expect)
    campaign.environment = {}
    assert expect or not done.out + done.err, "some MTAs take that for a failure"
    return done.err


def test_a_maildir_is_read_and_status_shows_it(approved: Campaign, relay: Relay) -> None:
    box = with_maildir(approved)
    mails = sent(approved, relay)
    put(
        box,
        *(bounce(mails[0]), bounce(mails[1], "4.2.2", "Mailbox full"), complaint(mails[2])),
        *(reply(mails[3], "nee"), reply(mails[4], "Wie bent u?"), stranger()),
    )

    looked = approved.run("inbound", "--dry-run", "--json").json
    assert approved.standings()["asked"] == LISTED
    done = approved.run("inbound", "--json").json
    again = approved.run("inbound", "--json").json

    assert looked["read"] == done["read"] == 6
    kinds = {each["kind"]: each for each in looked["messages"]}
    assert (kinds["hard"]["status"], kinds["hard"]["why"]) == ("5.1.1", "")
    assert kinds["hard"]["recipient"].isdigit()
    assert sum(each["recipient"] == "nobody" for each in looked["messages"]) == 1
    assert done["by_outcome"]["settled"] == 3
    assert (done["quarantined"], done["waiting"], again["read"]) == (1, 0, 0)
    standings = approved.standings()
    assert (standings["undeliverable"], standings["opted_out"]) == (1, 2)
    assert list(Maildir(box).waiting()) == []
    approved.run("proof", "verify")


def test_without_a_domain_for_bounces_the_message_id_tells_whose_it_was(
    approved: Campaign, relay: Relay
) -> None:
    box = with_maildir(approved)
    mails = sent(approved, relay, verp=False)
    put(box, *(bounce(mail) for mail in mails[:3]))

    told = approved.run("inbound")

    assert told.out.startswith("3 messages read: 3 dead addresses\n")
    assert approved.standings()["undeliverable"] == 3


def test_an_mta_hands_each_message_over(approved: Campaign, relay: Relay) -> None:
    mails = sent(approved, relay)
    bare = bounce(mails[0]).replace(mails[0].sender.encode(), b"repermit@localhost")
    headless = bare.partition(b"--edge\nContent-Type: text/rfc822-headers")[0]

    piped(approved, headless, ORIGINAL_RECIPIENT=mails[0].sender, RECIPIENT="repermit@localhost")
    local, _, domain = mails[1].sender.partition("@")
    piped(
        approved,
        b"From MAILER-DAEMON Sun Nov 22 10:00:00 2026\n"
        + bounce(mails[1])
        .replace(mails[1].sender.encode(), b"x@y")
        .partition(b"--edge\nContent-Type: text/rfc")[0],
        LOCAL_PART=local,
        DOMAIN=domain,
    )

    assert approved.standings()["undeliverable"] == 2
    assert waiting(approved) == []
    assert (approved.folder / "inbound").stat().st_mode & 0o777 == 0o700


def test_a_message_that_was_kept_is_handled_once_it_can_be(
    approved: Campaign, relay: Relay
) -> None:
    """The keys are away, and the ledger; the MTA is told that all is well, for it is kept."""
    mails = sent(approved, relay)
    keys, ledger = approved.folder / "keys", approved.ledger
    for mail, away in ((mails[0], keys), (mails[1], ledger)):
        away.rename(approved.outside / away.name)
        ended = approved.start("inbound", "-", stdin=bounce(mail).decode()).ended()
        assert (ended.code, ended.out + ended.err) == (0, "")
        (approved.outside / away.name).rename(away)
    assert len(waiting(approved)) == 2

    assert approved.run("inbound", "--json").json["by_kind"] == {"hard": 2}

    assert approved.standings()["undeliverable"] == 2
    assert waiting(approved) == []


def test_a_message_that_cannot_be_kept_stays_with_the_mta(approved: Campaign, relay: Relay) -> None:
    """75, whatever the cause: a wrong option and a wrong config, too, would lose it with any
    other code."""
    mails = sent(approved, relay)
    (approved.folder / "inbound").write_bytes(b"")
    told = piped(approved, bounce(mails[0]), expect=os.EX_TEMPFAIL)
    assert "the message cannot be kept (" in told
    (approved.folder / "inbound").unlink()

    assert approved.run("inbound", "-", "--no-such-option", expect=os.EX_TEMPFAIL)
    config = approved.config.read_text("utf-8")
    approved.config.write_text("[", "utf-8")
    piped(approved, bounce(mails[0]), expect=os.EX_TEMPFAIL)
    approved.config.write_text(config, "utf-8")
    piped(approved, bounce(mails[0]))

    assert approved.standings()["undeliverable"] == 1


def test_many_at_once_settle_each_message_once(approved: Campaign, relay: Relay) -> None:
    """Pipes, and readers of the same maildir, all at the same time."""
    box = with_maildir(approved)
    mails = sent(approved, relay)
    put(box, *(bounce(mail) for mail in mails[:12]))
    messages = [approved.outside / f"{number}.eml" for number in range(6)]
    for path, mail in zip(messages, mails[12:18], strict=True):
        path.write_bytes(bounce(mail))

    running: list[Running] = []
    for path in messages:
        with path.open("rb") as file:
            running.append(approved.start("inbound", "-", "--json", stdin=file.fileno()))
    running += [approved.start("inbound", "--json") for _ in range(3)]
    ended = [each.ended() for each in running]

    assert [each.code for each in ended] == [0] * len(ended), ended
    assert approved.standings()["undeliverable"] == 18
    assert waiting(approved) == []
    assert list(Maildir(box).waiting()) == []
    assert sum(each.json["by_outcome"].get("settled", 0) for each in ended) == 18
    approved.run("proof", "verify")


def test_a_mailbox_is_read_by_imap(approved: Campaign, relay: Relay) -> None:
    mails = sent(approved, relay)
    with dovecot() as server:
        approved.edit('#imap = ".*"', f'imap = "imap://{USER}@127.0.0.1:{server.port}"')
        refused = approved.run("inbound", "--json", expect=1).json
        assert refused["error"] == "the mailbox wants a password and none is given"
        approved.environment = {"REPERMIT_IMAP_PASSWORD": PASSWORD}
        server.put(bounce(mails[0]), complaint(mails[1]), stranger())

        done = approved.run("inbound", "--json").json

        assert done["by_kind"] == {"complaint": 1, "hard": 1}
        assert server.subjects(which="UNSEEN") == ["Sunday"]
    standings = approved.standings()
    assert (standings["undeliverable"], standings["opted_out"]) == (1, 1)
    gone = approved.run("inbound", "--imap", "--json", expect=1).json
    assert gone["error"] == "the mail server 127.0.0.1 cannot be reached"


def test_one_message_from_a_file_is_read_and_left(approved: Campaign, relay: Relay) -> None:
    mails = sent(approved, relay)
    path = approved.outside / "bounce.eml"
    path.write_bytes(bounce(mails[0]))

    looked = approved.run("inbound", path, "--dry-run").out
    done = approved.run("inbound", path).out

    assert looked.startswith("1. dead address (5.1.1), recipient ")
    assert done.startswith("1 message read: 1 dead address\n  1 moved somebody\n")
    assert path.exists()
    assert approved.standings()["undeliverable"] == 1
    refused = approved.run("inbound", approved.outside, expect=1).err
    assert "`repermit inbound --maildir DIR`" in refused


def test_many_files_at_once_are_refused_with_what_to_do(approved: Campaign) -> None:
    refused = approved.run("inbound", "a.eml", "b.eml", "c.eml", expect=2).err

    assert "one FILE at a time" in " ".join(refused.split())
    assert "--maildir DIR" in " ".join(refused.split())


def test_what_is_wrong_with_a_mailbox_is_told_and_the_rest_is_read(
    approved: Campaign, relay: Relay
) -> None:
    mails = sent(approved, relay)
    nothing = approved.run("inbound", expect=1).err
    assert nothing.startswith("repermit: nothing says where bounces and replies come in\n")
    put(approved.folder / "inbound", bounce(mails[0]))
    box = with_maildir(approved)
    for folder in ("new", "cur"):
        (box / folder).rmdir()

    refused = approved.run("inbound", "--json", expect=1).json

    assert refused["error"] == "Maildir is no maildir: it has no folders `new` and `cur`"
    assert (refused["read"], refused["by_kind"]) == (1, {"hard": 1})
    assert approved.standings()["undeliverable"] == 1


def test_run_reads_what_comes_back_and_lives_on_when_it_cannot(
    approved: Campaign, relay: Relay
) -> None:
    box = with_maildir(approved)
    mails = sent(approved, relay)
    (box / "new").rename(box / "away")
    running = approved.start("run")
    wait_until(lambda: "is no maildir" in running.err.read_text("utf-8"))
    put(approved.folder / "inbound", bounce(mails[0]))
    (box / "away").rename(box / "new")
    put(box, bounce(mails[1]))

    wait_until(lambda: approved.standings().get("undeliverable") == 2, seconds=120)

    running.signal(signal.SIGTERM)
    ended = running.ended()
    assert ended.code == 0
    assert "message read" in ended.err or "messages read" in ended.err


def test_what_lies_in_quarantine_is_told_wherever_a_person_looks(
    approved: Campaign, relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    box = with_maildir(approved)
    sent(approved, relay)
    assert approved.run("status", "--json").json["inbound"]["quarantined"] == {
        "messages": 0,
        "folder": "inbound/quarantine",
        "until": None,
    }
    put(box, stranger())
    first = approved.run("inbound").err
    put(box, b"Subject: x\n" * 6_000)
    runtime = Runtime.of(approved.config, SystemClock())
    capsys.readouterr()
    stop = asyncio.Event()
    asyncio.run(read_inbound(runtime, stop))
    running = capsys.readouterr().err
    asyncio.run(read_inbound(runtime, stop))

    assert capsys.readouterr().err == "", "what lies there is told when more of it comes"
    found = approved.run("status", "--json").json["inbound"]["quarantined"]
    assert found["messages"] == 2
    lines = approved.run("status").out.splitlines()
    (told,) = [line for line in lines if "inbound/quarantine" in line]
    assert told.startswith("2 messages lie in inbound/quarantine, forged, unreadable, not of")
    assert found["until"] in told
    assert told in running.splitlines()
    assert "1 message lies in inbound/quarantine, " in first


def test_what_was_in_quarantine_for_thirty_days_goes_without_a_reader_too(
    approved: Campaign, relay: Relay
) -> None:
    mails = sent(approved, relay)
    quarantine = approved.folder / "inbound" / "quarantine"
    late = Later(timedelta(days=31))
    piped(approved, stranger())
    assert len(list(quarantine.iterdir())) == 2
    approved.at(late, "inbound", "-", stdin=bounce(mails[0]).decode())
    assert list(quarantine.iterdir()) == []

    piped(approved, stranger())
    asyncio.run(read_inbound(Runtime.of(approved.config, late), asyncio.Event()))
    assert list(quarantine.iterdir()) == []


def test_only_what_was_read_to_its_end_counts_as_read(approved: Campaign, relay: Relay) -> None:
    box = with_maildir(approved)
    mails = sent(approved, relay)
    put(box, bounce(mails[0]))
    runtime = Runtime.of(approved.config, SystemClock())
    sources, lock = Sources.configured(runtime), Lock(approved.ledger, "inbound-maildir")

    asyncio.run(read_all(runtime, sources, patience=0, stopped=lambda: True))
    assert lock.acquire()
    asyncio.run(read_all(runtime, sources, patience=0))
    lock.release()
    other = Lock(approved.ledger, "inbound-spool")
    assert other.acquire()
    piped(approved, bounce(mails[1]))
    other.release()

    assert approved.status()["inbound"]["last"] is None
    approved.run("inbound")
    assert approved.status()["inbound"]["last"] is not None


def test_after_an_erasing_it_is_told_which_messages_may_be_theirs(
    approved: Campaign, relay: Relay
) -> None:
    box = with_maildir(approved)
    mails = sent(approved, relay)
    nothing = approved.run("person", "--erase", stdin=f"{mails[0].mailbox}\n").err
    put(box, stranger())
    approved.run("inbound")
    put(approved.folder / "inbound", reply(mails[1], "nee"), reply(mails[1], "nee!"))

    told = approved.run("person", "--erase", stdin=f"{mails[1].mailbox}\n").err

    assert "may be theirs" not in nothing
    assert (
        "Messages that may be theirs lie there still: 2 in inbound/new and 1 in inbound/quarantine."
        " Look through them.\n"
    ) in told
    for path in waiting(approved):
        path.unlink()
    (approved.folder / "inbound" / "new").rmdir()
    told = approved.run("person", "--erase", stdin=f"{mails[2].mailbox}\n").err
    assert "lie there still: 1 in inbound/quarantine." in told


def test_the_spool_is_read_by_one_at_a_time_by_whatever_name(
    approved: Campaign, relay: Relay
) -> None:
    mails = sent(approved, relay)
    spool = approved.folder / "inbound"
    put(spool, bounce(mails[0]))
    runtime, lock = (
        Runtime.of(approved.config, SystemClock()),
        Lock(approved.ledger, "inbound-spool"),
    )
    named = Sources(spool=False, maildir=spool)
    assert lock.acquire()

    assert asyncio.run(read_all(runtime, named, patience=0)).read == 0
    lock.release()
    assert asyncio.run(read_all(runtime, named, patience=0)).read == 1


def test_the_code_of_an_mta_is_that_of_one_command() -> None:
    assert main(["inbound", "-", "--nonsense"]) == os.EX_TEMPFAIL
    for words in ("suppress - --reason inbound", "inbound - --dry-run", "inbound review -"):
        assert main([*words.split(), "--nonsense"]) == 2


def test_the_help_shows_both_ways(approved: Campaign) -> None:
    shown = approved.run("inbound", "--help").out

    assert "FILE" in shown
    assert "--maildir" in shown
    assert json.loads(approved.run("inbound", "-", "--dry-run", "--json", stdin="x: y").out)


def test_mails_that_come_back_because_of_us_stop_the_sending(
    approved: Campaign, relay: Relay
) -> None:
    box = with_maildir(approved)
    mails = sent(approved, relay)
    put(box, bounce(mails[0], "5.7.1", "Message rejected due to DMARC policy"))

    told = approved.run("inbound")

    assert told.out == "1 message read: 1 refused because of us\n"
    assert told.err.count("sending has stopped: a mail came back") == 1
    assert told.err.count("`repermit send --continue`") == 1
    assert "read the report, which lies in inbound/quarantine" in told.err
    (report,) = (approved.folder / "inbound" / "quarantine").glob("*.about_us.eml")
    report.unlink()
    assert approved.standings()["asked"] == LISTED
    assert approved.status()["stopped"]["code"] == "about_us"
    put(box, bounce(mails[0]))
    assert approved.run("inbound", "--json").json["stopped"] is None


def test_what_settles_nobody_is_told_apart(approved: Campaign, relay: Relay) -> None:
    mails = sent(approved, relay)
    signed = mails[0].sender.partition("@")[0].partition(".")[2]
    bare = bounce(mails[0]).partition(b"--edge\nContent-Type: text/rfc822-headers")[0]
    parts = b"Content-Type: multipart/mixed; boundary=e\n\n" + b"--e\n\nx\n" * 800
    path = approved.outside / "message.eml"
    for message, says in (
        (bare.replace(signed.encode(), b"0" * len(signed)), "forged"),
        (stranger(), "not about this campaign"),
        (b"", "not about this campaign"),
        (parts, "unreadable"),
    ):
        path.write_bytes(message)
        for words in ((), ("--dry-run",)):
            told = approved.run("inbound", path, *words).out
            assert f"1 message read: 1 settled nobody (1 {says})\n" in told
        assert approved.run("inbound", path, "--json").json["by_kind"] == {}
    path.write_bytes(bounce(mails[0]))
    approved.run("inbound", path)
    again = approved.run("inbound", path).out
    assert again == "1 message read: 1 settled nobody (1 came again)\n"


def test_a_dry_run_tells_whose_address_an_unsigned_reply_came_from(
    approved: Campaign, relay: Relay
) -> None:
    mails = sent(approved, relay)
    path = approved.outside / "message.eml"
    path.write_bytes(stranger().replace(b"From: ", f"From: {mails[0].mailbox}\nX-Was: ".encode()))

    looked = approved.run("inbound", path, "--dry-run").out
    told = approved.run("inbound", path, "--dry-run", "--json").json["messages"]

    assert looked.startswith(f"1. other reply, recipient {told[0]['recipient']}: it names no mail")
    assert looked.endswith("\n1 message read: 1 other reply\n")
    assert approved.run("inbound", path, "--json").json["by_outcome"] == {"listed": 1}


def test_a_mailbox_that_cannot_be_read_does_not_look_empty(approved: Campaign) -> None:
    box = with_maildir(approved)
    (box / "new").rename(box / "away")

    refused = approved.run("inbound", expect=1)

    assert "is no maildir" in refused.err
    assert refused.out == ""
