"""The privacy notice is kept when the campaign is approved, and a change of it is called by a
person."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import pytest

from repermit.domain.notice import normalised, text_of_page
from repermit.ledger.store.snapshots import snapshot_hash
from repermit.report import verifier
from tests.cli.refusals import assert_explained
from tests.journeys.campaign import LISTED, Campaign, Result, address
from tests.journeys.relay import Relay, free_port
from tests.journeys.terminal import typed
from tests.journeys.web import mailbox

pytestmark = pytest.mark.journey
_APPROVE = ("approve", "--by", "An Peeters", "--informed", "Jan Claes")
FIRST = "<title>Club</title><h1>Privacy</h1><p>Wij bewaren uw adres. Wij delen het niet.</p>"
TYPO = FIRST.replace("delen het niet", "delen het met niemand")
SECOND = TYPO.replace("Wij delen", "\x1b[2J Wij bewaren het tien jaar. Wij delen")


@dataclass
class Notice:
    """A privacy notice on the web of this machine."""

    url: str
    html: str = FIRST

    @property
    def hash(self) -> str:
        """Return the content hash that it is kept under."""
        return snapshot_hash(text_of_page(self.html))


@pytest.fixture
def notice() -> Iterator[Notice]:
    """A server that shows it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(shown.html.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        shown = Notice(f"http://127.0.0.1:{server.server_port}/privacy")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield shown
        server.shutdown()
        thread.join()


def approve(campaign: Campaign, *words: str, expect: int = 0) -> Result:
    """Approve what there is now."""
    return campaign.here(*_APPROVE, *words, expect=expect)


def sheets(campaign: Campaign) -> int:
    """Return how many approvals were printed."""
    return len(list(campaign.folder.glob("approval-*.html")))


def use(campaign: Campaign, notice: Notice) -> None:
    """Let the campaign name that notice."""
    campaign.edit("privacy_url = .*", f'privacy_url = "{notice.url}"')


def use_file(campaign: Campaign, text: str) -> Path:
    """Let the campaign have its notice in a file."""
    campaign.edit("privacy_url = .*", "")
    campaign.edit("#privacy_file = .*", 'privacy_file = "privacy.txt"')
    file = campaign.folder / "privacy.txt"
    file.write_text(text, "utf-8")
    return file


def test_what_was_approved_is_kept_and_each_answer_points_to_it(
    approved: Campaign, relay: Relay, notice: Notice
) -> None:
    """Approve, change the notice, call it, ask, answer, and check the evidence of it."""
    approved.use(relay.port)
    use(approved, notice)
    assert "the mail (" in approved.here("send", expect=1).err
    approved.run(*_APPROVE)
    page = (approved.folder / "approval-2.html").read_text("utf-8")
    assert notice.url in page
    assert notice.hash in page
    assert "kept as evidence" in page
    first, notice.html = notice.hash, TYPO

    refused = approved.run(*_APPROVE, expect=1)

    assert_explained(refused, why="the privacy notice has changed since it was approved")
    assert "  -Wij delen het niet." in refused.err
    assert "  +Wij delen het met niemand." in refused.err
    assert "--notice-change material" in refused.err
    stands = approved.run(*_APPROVE, "--notice-change", "not  material: clearer words")
    assert stands.out == "approval 2 stands: nothing else has changed\n"
    assert sheets(approved) == 2
    typo = notice.hash
    approved.here("send", "--limit", "4")

    notice.html = SECOND
    again = approve(approved, "--notice-change", "Material")

    assert "what was approved before is void" in again.err
    assert "\x1b" not in again.err
    assert "+?[2J Wij bewaren het tien jaar." in again.err
    assert sheets(approved) == 3
    approved.here("send")
    assert len(relay.taken) == LISTED
    with approved.serving():
        person = mailbox(relay.taken[0].content)
        person.press("yes")
    out, one = approved.outside / "all.zip", approved.outside / "one.zip"
    whose = relay.taken[0].mailbox
    approved.here("proof", "bundle", "--out", out)
    approved.here("proof", "bundle", "--out", one, "--only", stdin=whose)
    assert verifier.main([str(out)]) == verifier.main([str(one)]) == 0
    with ZipFile(out) as bundle:
        texts = [bundle.read(f"shown/{each}.txt").decode() for each in (first, typo, notice.hash)]
        (consent,) = map(json.loads, bundle.read("consents.jsonl").splitlines())
    assert texts == [text_of_page(each) for each in (FIRST, TYPO, SECOND)]
    named = consent["record"]["dpv:hasNotice"][-1]
    assert named["dct:identifier"] == f"sha256:{notice.hash}"
    with ZipFile(one) as bundle:
        assert f"shown/{notice.hash}.txt" in bundle.namelist()
        assert f"shown/{first}.txt" not in bundle.namelist()
        assert f"shown/{notice.hash}.txt" in bundle.read("index.html").decode()


def test_at_a_terminal_a_person_is_asked_what_to_call_it(
    approved: Campaign, notice: Notice
) -> None:
    use(approved, notice)
    approve(approved)
    notice.html = TYPO

    shown = typed(
        ["--config", approved.config, *_APPROVE],
        [
            ("not material: REASON", "no"),
            ('called "material"', "not material: "),
            ('called "material"', f"not material: {address(1)} said so"),
            ('called "material"', "not material: a typing error"),
        ],
        cwd=approved.outside,
    )

    assert "+Wij delen het met niemand." in shown
    assert "approval 2 stands" in shown
    assert approved.here("proof", "verify", "--json").json["holds"] is True


def test_a_change_that_is_not_material_does_not_carry_other_changes(
    approved: Campaign, notice: Notice
) -> None:
    use(approved, notice)
    approve(approved)
    notice.html = TYPO
    approved.edit("answer_days = 30", "answer_days = 21")

    said = approve(approved, "--notice-change", "not material: a typing error")

    assert "approved: " in said.out
    assert "void" not in said.err.replace("void this approval", "")
    assert sheets(approved) == 3


@pytest.mark.parametrize("call", ["", "yes", "not material", "not material:", "immaterial: x"])
def test_what_is_no_call_is_wrong_usage(approved: Campaign, call: str) -> None:
    refused = approve(approved, "--notice-change", call, expect=2)

    assert 'a change is called "material", or "not material: "' in refused.err
    assert sheets(approved) == 1


def test_a_call_of_nothing_is_told(approved: Campaign, notice: Notice) -> None:
    use(approved, notice)
    assert "there is nothing to call" in approve(approved, "--notice-change", "material").err
    assert "there is nothing to call" in approve(approved, "--notice-change", "material").err
    assert sheets(approved) == 3


def test_a_trial_goes_without_and_says_so(approved: Campaign) -> None:
    """The template was approved with the address of the example; here, nobody answers."""
    first = (approved.folder / "approval-1.html").read_text("utf-8")
    assert "This is a trial and goes without" in first
    assert "still the address of the example" in first
    use(approved, Notice(f"http://127.0.0.1:{free_port()}/privacy"))

    said = approve(approved)

    assert "A trial: the privacy notice at http://127.0.0.1:" in said.err
    assert "is not kept (the connection is refused)" in said.err
    page = (approved.folder / "approval-2.html").read_text("utf-8")
    assert "This is a trial and goes without" in page


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:9/privacy", "it is not https"),
        ("https://127.0.0.1:{port}/privacy", "the connection is refused"),
    ],
)
def test_what_real_people_read_must_be_kept(approved: Campaign, url: str, why: str) -> None:
    """The pages are where people reach them, so this is no trial."""
    approved.edit('public_url = ".*"', 'public_url = "https://answer.example.org"')
    use(approved, Notice(url.format(port=free_port())))

    refused = approve(approved, expect=1)

    assert_explained(refused, why=f"cannot be kept as evidence: {why}")
    assert "controller.privacy_file" in refused.err
    assert sheets(approved) == 1


def test_a_notice_in_a_file_is_held_to_what_was_approved(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)
    text = "Wij bewaren uw adres.\r\nWij delen het niet.\r\n"
    file = use_file(approved, text)
    approve(approved)
    page = (approved.folder / "approval-2.html").read_text("utf-8")
    assert snapshot_hash(normalised(text)) in page
    approved.here("send", "--limit", "2")
    file.write_text(text.replace("\r\n", "\n\n"), "utf-8")
    approved.here("send", "--limit", "2")
    file.write_text("Wij verkopen uw adres.", "utf-8")

    for command in ("send", "serve"):
        refused = approved.here(command, expect=1)
        assert "the privacy notice (privacy.txt)" in refused.err

    said = approve(approved, "--notice-change", "material")
    assert "-Wij bewaren uw adres." in said.err
    approved.here("send")
    assert len(relay.taken) == LISTED
