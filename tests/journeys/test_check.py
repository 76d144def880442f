"""Everything that must hold before the first mail; and whether bounces come back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dns import TXT_ONLY, NameServer, Said
from tests.journeys.campaign import SOURCES, Campaign, Result, wait_until
from tests.journeys.relay import Relay, Taken, always, free_port
from tests.journeys.terminal import typed

pytestmark = pytest.mark.journey

_DOMAIN = "bounces.tuinvrienden.example"


def reads(campaign: Campaign, *, envelope_domain: str = _DOMAIN) -> Path:
    """Let *campaign* read a maildir, and return it."""
    box = campaign.folder / "Maildir"
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    campaign.edit('#maildir = ".*"', 'maildir = "Maildir"')
    if envelope_domain:
        campaign.edit("#envelope_domain = .*", f'envelope_domain = "{envelope_domain}"')
    return box


def bounces_into(box: Path, code: str = "5.1.1") -> Callable[[Taken], None]:
    """Return what sends each mail back as undeliverable, into *box*."""

    def bounce(mail: Taken) -> None:
        head = mail.content.decode("ascii").partition("\r\n\r\n")[0]
        report = (
            f"Return-Path: <>\nDelivered-To: {mail.sender}\nFrom: MAILER-DAEMON@mx.example\n"
            f"To: {mail.sender}\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
            "--b\nContent-Type: text/plain\n\nI could not deliver your message.\n\n"
            "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
            f"Final-Recipient: rfc822; {mail.mailbox}\nAction: failed\nStatus: {code}\n"
            f"Diagnostic-Code: smtp; {code[0]}50 {code} sorry\n\n"
            f"--b\nContent-Type: text/rfc822-headers\n\n{head}\n\n--b--\n"
        )
        path = box / "tmp" / uuid.uuid4().hex
        path.write_text(report.replace("\r\n", "\n"), "ascii")
        path.rename(box / "new" / path.name)

    return bounce


def found(result: Result, code: str) -> dict[str, Any]:
    """Return what a check found of one thing."""
    (one,) = [each for each in result.json["checks"] if each["code"] == code]
    assert isinstance(one, dict)
    return one


def tried(campaign: Campaign, *words: str, expect: int = 1) -> dict[str, Any]:
    """Return what `check` says of bounces; nobody serves the pages, so it ends with 1."""
    return found(campaign.here("check", "--json", *words, expect=expect), "bounces")


def test_all_holds_and_the_bounce_of_a_dead_address_comes_back(
    approved: Campaign, relay: Relay
) -> None:
    relay.hands_on = bounces_into(reads(approved))
    approved.use(relay.port)
    before = approved.standings()
    plan = approved.here("send", "--plan").out
    assert "first: whether bounces come back was never seen: `repermit check` tries it" in plan

    with approved.serving():
        said = approved.run("check")

    (mail,) = relay.taken
    assert mail.mailbox.startswith("no-such-mailbox-")
    assert mail.mailbox.endswith("@tuinvrienden.example")
    assert mail.sender.startswith("c+1.")
    assert mail.sender.endswith(f"@{_DOMAIN}")
    assert b"\r\nMessage-ID: <c1." in mail.content
    lines = said.out.splitlines()
    assert "  ok    bounces come back      a mail to a dead address came back after" in said.out
    assert not any(line.startswith("  fail") for line in lines)
    assert max(map(len, lines)) <= 80
    assert lines[0] == "campaign"
    assert re.fullmatch(r"\d+ things looked at: 0 fail, \d+ warn", lines[-1])
    assert "One mail leaves through the relay, to an address that does not exist" in said.err
    assert approved.standings() == before
    assert "bounces: the mail that tried it at" in approved.here("status").out
    assert "bounces come back" not in approved.here("send", "--plan").out


def test_an_approval_says_that_bounces_were_never_seen(approved: Campaign) -> None:
    words = ("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    assert "bounces" not in approved.here(*words).err
    reads(approved)
    assert "Whether bounces come back was never seen: `repermit check`" in approved.here(*words).err


def test_without_a_domain_for_bounces_it_is_known_by_what_it_returns(
    approved: Campaign, relay: Relay
) -> None:
    relay.hands_on = bounces_into(reads(approved, envelope_domain=""))
    approved.use(relay.port)

    assert tried(approved)["ok"] is True
    assert relay.taken[0].sender == "nieuws@tuinvrienden.example"


def test_a_relay_that_refuses_dead_addresses_at_once_cannot_be_tried_so(
    approved: Campaign, relay: Relay
) -> None:
    """Neither at the own domain, nor at a name that cannot exist; which is no failure."""
    reads(approved)
    asked: list[str] = []

    def refuse(mailbox: str) -> str:
        asked.append(mailbox)
        return "550 5.1.1 no such user"

    relay.to_mailbox = refuse
    approved.use(relay.port)

    bounces = tried(approved)

    assert bounces["ok"] is None
    assert "refuses dead addresses at once (550 5.1.1)" in bounces["says"]
    assert [mailbox.rpartition(".")[2] for mailbox in asked] == ["example", "invalid"]
    assert relay.taken == []
    assert approved.status()["bounce_check"] == {"left": None, "seen": None, "kind": None}
    assert "bounces:" not in approved.here("status").out


def test_where_the_own_domain_is_refused_a_name_that_cannot_exist_is_tried(
    approved: Campaign, relay: Relay
) -> None:
    relay.hands_on = bounces_into(reads(approved))
    relay.to_mailbox = lambda mailbox: (
        "250 2.1.5 fine" if mailbox.endswith(".invalid") else "550 5.1.1 no such user"
    )
    approved.use(relay.port)

    assert tried(approved)["ok"] is True
    assert [mail.mailbox.rpartition(".")[2] for mail in relay.taken] == ["invalid"]


def test_a_bounce_that_never_comes_is_found_and_one_that_comes_late_is_told(
    approved: Campaign, relay: Relay
) -> None:
    box = reads(approved)
    approved.use(relay.port)

    bounces = tried(approved, "--wait", "1")

    assert bounces["ok"] is False
    assert "no bounce came within 1 s" in bounces["says"]
    assert f"the MX of {_DOMAIN}" in bounces["do"]
    told = approved.here("status").out
    assert "has not come back\n  what to do: `repermit inbound` reads what is there by now" in told
    bounces_into(box)(relay.taken[0])
    approved.here("inbound")
    told = approved.here("status").out
    assert "came back after" in told
    assert "what to do: `repermit inbound`" not in told
    counts = approved.status()["inbound"]
    assert (counts["hard"], counts["check"]) == (0, 1)
    tried(approved, "--wait", "0")
    assert "has not come back; an earlier one had, at 20" in approved.here("status").out
    assert approved.status()["bounce_check"]["seen"] is not None


@pytest.mark.parametrize(
    ("code", "says", "do"),
    [
        ("5.7.26", "because of us, not of its address (5.7.26)", "SPF, DKIM and DMARC must pass"),
        ("4.4.1", "as put off only (4.4.1)", "ask the relay's operator"),
        ("5.3.0", "without saying why (5.3.0)", "delivery reports with codes"),
    ],
)
def test_a_bounce_that_does_not_say_that_the_address_is_dead_is_not_ok(
    approved: Campaign, relay: Relay, code: str, says: str, do: str
) -> None:
    """Nor is sending stopped by it: none has begun that anybody could let go on."""
    relay.hands_on = bounces_into(reads(approved), code)
    approved.use(relay.port)

    bounces = tried(approved)

    assert bounces["ok"] is False
    assert bounces["says"].endswith(says)
    assert do in bounces["do"]
    assert f"s, {says}" in approved.here("status").out
    assert f"s, {says}" in approved.here("send", "--plan").out
    assert approved.status()["stopped"] is None


def test_without_a_mailbox_for_bounces_nothing_leaves_and_nothing_is_known(
    approved: Campaign, relay: Relay
) -> None:
    """Unless somebody wants to wait: the MTA may hand the bounce to `inbound -`."""
    approved.use(relay.port)

    bounces = tried(approved)

    assert bounces["ok"] is None
    assert "nothing that comes back is read" in bounces["says"]
    assert "`repermit inbound -`" in bounces["do"]
    assert relay.taken == []
    assert tried(approved, "--wait", "0")["says"] == "not waited for"
    assert len(relay.taken) == 1
    waited = tried(approved, "--wait", "1")
    assert waited["ok"] is None
    assert "[inbound] names nothing to read" in waited["says"]
    assert waited["do"].startswith("set maildir or imap under [inbound]")


def test_a_wait_that_is_interrupted_sends_nobody_to_mail_again(
    approved: Campaign, relay: Relay
) -> None:
    reads(approved)
    approved.use(relay.port)
    running = approved.start("check", "--wait", "60")
    wait_until(lambda: "waiting for it to come back" in running.err.read_text("utf-8"))
    running.signal(signal.SIGINT)
    ended = running.ended()

    assert ended.code == 130
    assert "repermit: stopped: that mail has left\n" in ended.err
    assert "what to do: `repermit status` says when it has come back" in ended.err


@pytest.mark.parametrize(
    ("to_sender", "to_mailbox", "ok", "says"),
    [
        ("550 5.7.1 not you", "250 2.1.5 fine", False, "the relay refuses the sender (550 5.7.1)"),
        ("250 2.1.0 fine", "451 4.7.1 later", None, "the relay takes no mail now (451 4.7.1)"),
    ],
)
def test_a_relay_that_takes_no_mail_of_ours(
    approved: Campaign, relay: Relay, to_sender: str, to_mailbox: str, ok: bool | None, says: str
) -> None:
    reads(approved)
    relay.to_sender, relay.to_mailbox = always(to_sender), always(to_mailbox)
    approved.use(relay.port)

    bounces = tried(approved)

    assert bounces["ok"] is ok
    assert says in bounces["says"]


def test_a_mailbox_that_cannot_be_read_is_found_before_the_wait_is_over(
    approved: Campaign, relay: Relay
) -> None:
    reads(approved)
    approved.edit('maildir = ".*"', 'maildir = "nowhere"')
    approved.use(relay.port)

    bounces = tried(approved)

    assert bounces["ok"] is False
    assert "what comes back is not read" in bounces["says"]


def test_a_person_at_the_terminal_may_keep_that_mail_back(approved: Campaign, relay: Relay) -> None:
    reads(approved)
    approved.use(relay.port)
    words = ("--config", approved.config, "check")

    kept = typed(words, [("send one mail", "n")], cwd=approved.outside, code=1)

    assert "warn  bounces come back      not tried" in kept
    assert relay.taken == []
    typed([*words, "--yes", "--wait", "0"], [], cwd=approved.outside, code=1)
    assert len(relay.taken) == 1


def test_what_does_not_hold_is_named_with_what_to_do(begun: Campaign, relay: Relay) -> None:
    """Before there is a ledger; and nothing is sent while the relay cannot be reached."""
    begun.edit('accepted_by = ".*"', 'accepted_by = ""')
    said = begun.run("check", expect=1)
    told = " ".join(said.out.split())
    assert "fail your own config nobody has accepted the policy table" in told
    assert "what to do: read it, then put your name in policy.accepted_by" in told
    assert "fail ledger there is no ledger yet; not looked at: who is listed" in told
    assert "do not hold" in said.err

    begun.edit('accepted_by = ""', 'accepted_by = "An Peeters"')
    begun.here("suppress", "--none", "we never mailed them before")
    begun.use(free_port())
    content = begun.here("check", "--json", "--wait", "5", expect=1)

    assert content.json["error"].endswith("do not hold")
    assert found(content, "relay")["says"].startswith("the relay cannot be reached")
    assert found(content, "people")["says"] == "nobody is listed: there is nobody to ask"
    assert "nobody has approved this campaign yet" in found(content, "approval")["says"]
    assert found(content, "bounces")["says"].startswith("not tried: ")
    assert relay.taken == []


def test_a_service_that_came_to_synchronise_the_folder_later_is_found(
    approved: Campaign, relay: Relay
) -> None:
    approved.use(relay.port)
    (approved.folder / ".stfolder").mkdir()
    content = approved.here("check", "--json", "--wait", "0", expect=1)

    one = found(content, "keys")
    assert (one["state"], one["says"]) == (
        "fail",
        "the key folder lies in a synchronised folder (Syncthing)",
    )


def test_open_keys_and_words_that_changed_are_found(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)
    approved.edit('privacy_url = ".*"', 'privacy_url = "https://other.example/privacy"')
    content = approved.here("check", "--json", expect=1)
    assert "what was approved has changed since" in found(content, "approval")["says"]

    (approved.folder / "keys" / "keep").chmod(0o755)
    content = approved.here("check", "--json", expect=1)
    (approved.folder / "keys" / "keep").chmod(0o700)

    assert found(content, "keys")["ok"] is False
    assert relay.taken == []


def test_a_word_of_an_offer_fails_until_a_reason_is_given(approved: Campaign, relay: Relay) -> None:
    """The reason is part of what is approved: giving one, and changing it, voids the approval."""
    approved.use(relay.port)
    approved.edit("text.en = .*", 'text.en = "our free newsletter"')
    one = found(approved.here("check", "--json", expect=1), "offers")
    assert (one["state"], one["ok"], one["group"]) == ("fail", False, "words")
    assert 'free (en) in "our free newsletter"' in one["says"]
    assert "campaign.offers_reason" in one["do"]

    approved.edit("#offers_reason = .*", 'offers_reason = "It costs nothing, ever."')
    content = approved.here("check", "--json", expect=1)

    assert found(content, "offers")["state"] == "warn"
    assert "your reason: It costs nothing, ever." in found(content, "offers")["says"]
    told = 'campaign.offers_reason was "", is "It costs nothing, ever."'
    assert told in found(content, "approval")["says"]


def test_what_is_here_is_looked_at_too(approved: Campaign, relay: Relay) -> None:
    """In a trial nothing is asked of the DNS, and no link of the example is opened."""
    reads(approved)
    approved.use(relay.port)
    approved.edit('signed_up_no_proof = ".*"', 'signed_up_no_proof = "we want to"')
    content = approved.here("check", "--json", "--wait", "0", expect=1)

    states = {each["code"]: each["state"] for each in content.json["checks"]}
    trials = ("spf", "dkim", "dmarc", "alignment", "mx", "links", "processors", "reasons")
    assert {states[code] for code in trials} == {"warn"}
    assert states["mailbox"] == "ok"
    assert found(content, "mailbox")["says"] == "Maildir: 0 messages waiting"
    assert "no PIPELINING: sending takes about twice as long" in found(content, "offer")["says"]
    assert "says little" in found(content, "reasons")["says"]
    assert content.json["fail"] == content.json["not_ok"] == 2  # approval, page


_WITH_A_NAME_SERVER = """
import sys
from dns.asyncresolver import Resolver
from repermit.cli import main

def ours():
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], int(sys.argv[1])
    return resolver

sys.exit(main(sys.argv[2:], resolver=ours))
"""


def test_a_fresh_process_looks_at_the_dns(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)
    approved.edit("from = .*", 'from = "Tuinvrienden <nieuws@voorbeeld.be>"')
    names = {
        "voorbeeld.be": TXT_ONLY,
        "_dmarc.voorbeeld.be": Said({"TXT": ('"v=DMARC1; p=none"',)}),
    }
    with NameServer(names).in_a_thread() as server:
        words = ["--config", str(approved.config), "check", "--json", "--wait", "0"]
        ended = subprocess.run(
            [sys.executable, "-c", _WITH_A_NAME_SERVER, str(server.port), *words],
            capture_output=True,
            cwd=approved.folder,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            check=False,
        )
    content = Result((), ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    assert content.code == 1, content
    assert found(content, "dmarc")["says"] == "none, from _dmarc.voorbeeld.be"
    assert found(content, "spf")["says"].startswith("the record is fine")
    assert "has neither an MX nor a host" in found(content, "mx")["says"]
