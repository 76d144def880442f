"""A signed root: read back from wherever it was kept, and refused when it is not ours."""

from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import ProofBroken
from repermit.ledger.checkpoint import Checkpoint, Reported, Signing

CAMPAIGN = "5d0c0c5e-0000-4000-8000-000000000001"
SIGNING = Signing(CAMPAIGN, b"s" * 32)
ROOT = sha256(b"root").digest()


def test_a_checkpoint_is_a_signed_note() -> None:
    """The lines that C2SP tlog-checkpoint and signed-note ask for."""
    note = SIGNING.sign(7, ROOT)

    origin, size, root, blank, signature = note.split("\n")[:5]
    assert (origin, size, root, blank) == (
        f"repermit/{CAMPAIGN}",
        "7",
        b64encode(ROOT).decode(),
        "",
    )
    assert signature.startswith(f"\u2014 repermit/{CAMPAIGN} ")
    assert note.endswith("\n")
    assert note.count("\n") == 5


def test_the_public_key_is_a_verifier_key() -> None:
    name, number, key = SIGNING.verifying.text.split("+", 2)

    assert name == f"repermit/{CAMPAIGN}"
    raw = b"\x01" + SIGNING.verifying.key
    assert key == b64encode(raw).decode()
    assert number == sha256(f"{name}\n".encode() + raw).hexdigest()[:8]


@pytest.mark.parametrize("around", ["{}", "<pre>{}</pre>", "Dear all,\n\n{}\n-- \nAn", "> x\n{}"])
def test_it_is_found_wherever_it_stands(around: str) -> None:
    first, second = SIGNING.sign(12, ROOT), SIGNING.sign(3, ROOT)
    text = around.format(first + "\n" + second)

    found = SIGNING.verifying.found_in(text)

    assert found == [Checkpoint(CAMPAIGN, 3, ROOT), Checkpoint(CAMPAIGN, 12, ROOT)]


def test_the_lines_of_a_mail_may_end_in_crlf() -> None:
    note = SIGNING.sign(7, ROOT).replace("\n", "\r\n")

    assert SIGNING.verifying.found_in(note) == [Checkpoint(CAMPAIGN, 7, ROOT)]


def test_one_of_another_campaign_is_named_for_what_it_is() -> None:
    other = Signing(CAMPAIGN.replace("1", "2"), b"s" * 32).sign(7, ROOT)

    with pytest.raises(ProofBroken, match="another campaign"):
        SIGNING.verifying.found_in(other)


def test_one_that_another_key_signed_is_refused() -> None:
    with pytest.raises(ProofBroken, match="not signed by this campaign"):
        SIGNING.verifying.found_in(Signing(CAMPAIGN, b"t" * 32).sign(7, ROOT))


@given(st.data())
def test_no_character_of_it_may_be_another(data: st.DataObject) -> None:
    note = SIGNING.sign(7, ROOT)
    at = data.draw(st.integers(0, len(note) - 2))
    other = data.draw(st.characters(codec="ascii").filter(lambda each: each != note[at]))
    changed = note[:at] + other + note[at + 1 :]

    try:
        found = SIGNING.verifying.found_in(changed)
    except ProofBroken:
        return
    assert found in ([], [Checkpoint(CAMPAIGN, 7, ROOT)])  # the same in other letters, or none


@pytest.mark.parametrize("around", ["{}", "<pre>{}</pre>", "Dear all,\n\n{}\n-- \nAn"])
def test_the_hash_of_a_report_is_found_wherever_it_stands(around: str) -> None:
    """Beside checkpoints, and as none of them."""
    note, root = SIGNING.sign_report(3, ROOT.hex()), SIGNING.sign(12, ROOT)
    text = around.format(f"{root}\n{note}").replace("\n", "\r\n")

    assert SIGNING.verifying.reports_in(text) == [Reported(CAMPAIGN, 3, ROOT.hex())]
    assert [each.size for each in SIGNING.verifying.found_in(text)] == [12]
    assert SIGNING.verifying.reports_in(root) == []


@pytest.mark.parametrize(
    ("was", "is_now", "why"),
    [
        ("\n3\n", "\n4\n", "the hash of the report of purge 4 is not signed by this campaign"),
        ("\n3\n", "\nthree\n", "cannot be read"),
        (CAMPAIGN, CAMPAIGN.replace("1", "2"), "of another campaign"),
    ],
)
def test_the_hash_of_a_report_that_is_not_ours_is_refused(was: str, is_now: str, why: str) -> None:
    note = SIGNING.sign_report(3, ROOT.hex()).replace(was, is_now)

    with pytest.raises(ProofBroken, match=why):
        SIGNING.verifying.reports_in(note)
