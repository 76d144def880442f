"""The verifier: what holds is found to hold, and whatever was altered is named."""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import re
import struct
import sys
import zipfile
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repermit.ledger import merkle
from repermit.ledger.checkpoint import Signing
from repermit.report import verifier
from repermit.report.bundle import VERIFIER
from tests.report.bundles import Given
from tests.report.conftest import ADDRESS, Made

# RFC 8032 section 7.1: TEST 1, 2, 3 and SHA(abc), as key, message, signature
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
            "cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
            "0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
            "84dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66"
            "431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
)
_ORDER = 2**252 + 27742317777372353535851937790883648493


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the verifier has said; it is plain ASCII, one line a check."""
    out = capsys.readouterr().out
    assert out.isascii()
    return out


# Ed25519, and the tree


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc(key: str, message: str, signature: str) -> None:
    known, text, signed = map(bytes.fromhex, (key, message, signature))

    assert verifier.is_signed(known, text, signed)
    assert not verifier.is_signed(known, text + b"x", signed)
    assert not verifier.is_signed(known, text, signed[:-1] + bytes([signed[-1] ^ 1]))
    assert not verifier.is_signed(known, text, signed[:63])
    assert not verifier.is_signed(b"\xff" * 32, text, signed)


def test_a_signature_has_one_form() -> None:
    """Section 5.1.7: s is below the order of the group, or the signature is none."""
    key, _, signed = (bytes.fromhex(each) for each in VECTORS[0])
    s = int.from_bytes(signed[32:], "little") + _ORDER

    assert not verifier.is_signed(key, b"", signed[:32] + s.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 511))
def test_a_signature_is_taken_as_openssl_takes_it(seed: bytes, text: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    signature, key = private.sign(text), private.public_key().public_bytes_raw()
    altered = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")

    assert verifier.is_signed(key, text, signature)
    assert not verifier.is_signed(key, text, altered)


@given(st.integers(1, 70), st.data())
def test_the_tree_is_that_of_the_log(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    tree, frontier = merkle.Tree(leaves), verifier.Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion(index)

    assert frontier.root() == tree.root()
    assert verifier.root_with(leaves[index], index, size, path) == tree.root()
    old, stranger = data.draw(st.integers(1, size)), merkle.leaf_hash(b"nobody's")
    before, root, proof = tree.root(old), tree.root(), tree.consistency(old)
    assert verifier.is_consistent(old, before, size, root, proof)
    assert not verifier.is_consistent(old, stranger, size, root, proof)
    assert not verifier.is_consistent(old, before, size, stranger, proof)
    assert not verifier.is_consistent(old, before, size, root, [*proof, stranger])
    assert not verifier.is_consistent(size + 1, before, size, root, proof)
    for at in range(len(proof)):
        for changed in ([*proof[:at], stranger, *proof[at + 1 :]], proof[:at] + proof[at + 1 :]):
            assert not verifier.is_consistent(old, before, size, root, changed)
    other = data.draw(st.integers(-1, size).filter(lambda each: each != index))
    assert verifier.root_with(leaves[index], other, size, path) != tree.root()
    assert verifier.root_with(leaves[index], index, size, [*path, leaves[0]]) is None


def test_it_needs_nothing_but_the_standard_library_of_python_3_9() -> None:
    tree = ast.parse(VERIFIER.read_text("utf-8"), feature_version=(3, 9))
    imported = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])

    assert imported <= sys.stdlib_module_names


# What holds


def test_both_bundles_hold(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert made.whole.holds(tmp_path / "whole.zip")
    whole = said(capsys)
    assert "consents: 2 stand" in whole
    assert "false" not in whole
    assert made.one.holds(tmp_path / "one.zip", "--address", ADDRESS.upper())
    assert "those of that address" in said(capsys)


def test_void_presses_leave_the_yes_before_them(made: Made) -> None:
    """The person pressed Yes to more, and seconds later No: the first yes counts."""
    acts = [each for each in made.one.lines("entries.jsonl") if each["kind"] == "answered"]
    (own,) = made.one.lines("consents.jsonl")
    (said,) = [json.loads(each["payload"]) for each in acts if each["index"] == own["entry"]]

    assert own["entry"] == acts[-3]["index"]
    assert [each["dct:identifier"] for each in own["record"]["dpv:hasProcess"]] == said["covers"]
    assert said["covers"] == ["newsletter"]
    assert own["entry"] in [each["entry"] for each in made.whole.lines("consents.jsonl")]


def test_a_bundle_may_lie_in_a_folder(made: Made, tmp_path: Path) -> None:
    assert verifier.main([str(made.whole.folder(tmp_path / "whole"))]) == 0
    assert verifier.main([str(made.one.folder(tmp_path / "one"))]) == 0


def test_the_key_and_a_checkpoint_may_come_from_elsewhere(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "mail.txt"
    kept.write_bytes(b"Dear Jan,\r\n\r\n" + made.whole.files["checkpoint.txt"] + b"\r\nAn\r\n")
    key = made.whole.files["key.txt"].decode()

    assert made.whole.holds(tmp_path / "a.zip", "--key", key, "--checkpoint", str(kept))
    out = said(capsys)
    assert "Not checked: whose key" not in out
    assert "Not checked: that" not in out
    assert not made.one.holds(tmp_path / "b.zip", "--checkpoint", str(kept))
    assert "NOT CHECKED: the bundle of one person cannot compare" in said(capsys)
    kept.write_bytes(made.one.files["checkpoint.txt"])
    assert made.one.holds(tmp_path / "b.zip", "--checkpoint", str(kept))


def test_a_bundle_of_one_person_is_held_to_the_checkpoint_of_the_approval(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is the one that left the operator's hands."""
    kept, signing, path = tmp_path / "approval.txt", made.whole.signing, tmp_path / "a.zip"
    log = [verifier.Entry.read(each) for each in made.whole.files["log.jsonl"].splitlines()]
    (approved,) = (each.number for each in log if each.kind == "approved")
    root = merkle.root_of([each.leaf for each in log[: approved + 1]])
    approval = signing.sign(approved + 1, root)

    kept.write_text(approval, "utf-8")
    for bundle in made:
        assert bundle.holds(path, "--checkpoint", str(kept), "--key", signing.verifying.text)
        assert "of this very log" in said(capsys)
    kept.write_text(approval + "\n" + signing.sign(approved + 1, b"r" * 32), "utf-8")
    assert not made.one.holds(path, "--checkpoint", str(kept))
    assert "is not that of the checkpoint" in said(capsys)
    kept.write_text(signing.sign(9_999, root), "utf-8")
    assert not made.one.holds(path, "--checkpoint", str(kept))
    assert "an older copy" in said(capsys)
    forged = made.one.with_json("consistency.json", lambda told: told[0].update(root="0" * 64))
    assert not forged.forged().holds(path)
    assert "not that of an earlier log" in said(capsys)
    assert not made.one.with_json("consistency.json", list.clear).forged().holds(path)


def test_every_checkpoint_that_was_kept_is_compared(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, signing = tmp_path / "kept.txt", made.whole.signing
    own = made.whole.files["checkpoint.txt"].decode()
    for first, words in (
        (signing.sign(0, b"r" * 32), "an empty log says nothing"),
        (signing.sign(3, b"r" * 32), "is not that of the checkpoint at 3"),
        (signing.sign(3, b"r" * 32).replace("\n", "\n| "), "cannot be read"),
        (signing.sign(3, b"r" * 32).replace("\n", "\n> "), "is not that of the checkpoint at 3"),
    ):
        for notes in (f"{first}\n{own}", f"{own}\n{first}"):
            kept.write_text(notes, "utf-8")
            assert not made.whole.holds(tmp_path / "a.zip", "--checkpoint", str(kept))
            assert words in said(capsys)


def test_another_history_is_not_that_of_the_checkpoint_kept_elsewhere(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, signing = tmp_path / "kept.txt", made.whole.signing
    for size, words in ((3, "is not that of the checkpoint"), (9_999, "an older copy")):
        kept.write_text(signing.sign(size, b"r" * 32), "utf-8")
        assert not made.whole.holds(tmp_path / "a.zip", "--checkpoint", str(kept))
        assert words in said(capsys)
    for text in ("nothing", Signing("0" * 8 + signing.campaign[8:], b"x" * 32).sign(1, b"r" * 32)):
        kept.write_text(text, "utf-8")
        assert not made.whole.holds(tmp_path / "a.zip", "--checkpoint", str(kept))
        assert "false" in said(capsys)


def test_a_bundle_of_another_campaign_is_named(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Signing(made.whole.signing.campaign, b"o" * 32).verifying.text

    assert not made.whole.holds(tmp_path / "a.zip", "--key", other)
    assert "of another key than the one given" in said(capsys)
    assert not made.whole.holds(tmp_path / "a.zip", "--key", "nonsense")
    assert not made.whole.holds(tmp_path / "a.zip", "--address", ADDRESS)
    assert "only a bundle of one person" in said(capsys)


# What was altered


@pytest.mark.parametrize("kind", ["whole", "one"])
def test_every_file_that_is_altered_left_out_or_added_is_named(
    made: Made, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle: Given = getattr(made, kind)
    for name, content in bundle.files.items():
        for changed in {None, content + b"\n", content[:-2]} - {content}:
            assert not bundle.with_file(name, changed).holds(tmp_path / "a.zip"), (name, changed)
    assert not bundle.with_file("more.txt", b"x").holds(tmp_path / "a.zip")
    assert "more.txt is missing, or was added" in said(capsys)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_every_octet_that_is_altered_is_found(
    made: Made, tmp_path: Path, data: st.DataObject
) -> None:
    bundle = data.draw(st.sampled_from(made))
    name = data.draw(st.sampled_from(sorted(bundle.files)))
    content = bytearray(bundle.files[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))

    altered = bundle.with_file(name, bytes(content))

    assert not altered.holds(tmp_path / "a.zip")


def strange(value: Any) -> list[Any]:
    """Return what *value* may be changed to by who forges it."""
    others: list[Any] = [7, None, []]
    found = [each for each in others if each != value]
    if isinstance(value, str) and value:
        found.append(f"{'0' if value[0] != '0' else '1'}{value[1:]}")
    return found


@pytest.mark.parametrize(("kind", "name"), [("whole", "log.jsonl"), ("one", "entries.jsonl")])
def test_a_log_that_the_operator_alters_and_signs_again_is_named(
    made: Made, kind: str, name: str, tmp_path: Path
) -> None:
    """Every value of every entry; an entry left out, twice, or in another place; the end cut."""
    bundle: Given = getattr(made, kind)
    lines = bundle.lines(name)
    path = tmp_path / "a.zip"
    assert bundle.with_lines(name, lines).forged().holds(path)
    for at, line in enumerate(lines):
        for place, (field, value) in enumerate(line.items()):
            others = strange(value)
            other = others[(at + place) % len(others)]
            changed = [*lines[:at], {**line, field: other}, *lines[at + 1 :]]
            assert not bundle.with_lines(name, changed).forged().holds(path), (at, field, other)
        twice = [*lines[: at + 1], *lines[at:]]
        assert not bundle.with_lines(name, twice).forged().holds(path)
    if kind == "whole":
        for at in range(len(lines)):
            rest = lines[at + 1 :] if at % 2 else []
            assert not bundle.with_lines(name, [*lines[:at], *rest]).forged().holds(path)
    assert not bundle.with_lines(name, lines[::-1]).forged().holds(path)


def test_the_content_of_an_act_can_be_left_out_only_of_who_is_erased(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a withdrawal could be hidden as if it had been erased."""
    lines = made.whole.lines("log.jsonl")
    hidden = 0
    for at, line in enumerate(lines):
        if line["kind"] in ("answered", "opted_out") and line["payload"] is not None:
            changed = [*lines[:at], {**line, "payload": None, "key": None}, *lines[at + 1 :]]
            assert not made.whole.with_lines("log.jsonl", changed).forged().holds(tmp_path / "a")
            assert "false" in said(capsys)
            hidden += 1
    assert hidden > 3
    assert any(line["payload"] is None for line in lines)  # that of who is erased


_PROOF = ("leaf", "leafHash", "logSize", "logRoot", "release")
_GIVEN = ("dpv:isIndicatedAtTime", "schema:text", "dpv:hasIndicationMethod")
_PARTIES = (
    *(("dpv:hasDataController", f"dpv:{each}") for each in ("hasName", "hasAddress", "hasContact")),
    ("dpv:hasDataController", "dct:identifier"),
    ("dpv:hasAuthority", "dpv:hasName"),
    ("dpv:hasRecipient", 0),
    ("dpv:hasStorageCondition", 1, "dpv:hasLocation", 0),
    ("dpv:hasNotice", 2, "schema:url"),
)
_CHECKED = (
    ("@id",),
    ("dct:identifier",),
    ("dct:created",),
    ("dpv:hasNotice", 1, "dct:language"),
    *_PARTIES,
    *(
        ("dpv:hasProcess", 0, *place, 0, each)
        for place in (("dpv:hasPurpose", "dct:description"), ("dpv:hasFrequency",))
        for each in ("@language", "@value")
    ),
    ("dct:language",),
    *(("repermit:proof", f"repermit:{each}") for each in _PROOF),
    ("dpv:hasDataSubject", "dct:identifier"),
    *(("dpv:hasConsentStatus", -1, each) for each in _GIVEN),
    ("dpv:hasProcess", 0, "dct:identifier"),
    *(("dpv:hasNotice", each, "dct:identifier") for each in (0, 1, 2)),
    ("dpv:hasNotice",),
    ("dpv:hasProcess",),
)


@pytest.mark.parametrize("kind", ["whole", "one"])
@pytest.mark.parametrize("path", _CHECKED, ids=lambda path: "/".join(map(str, path)))
def test_a_consent_that_the_operator_alters_and_signs_again_is_named(
    made: Made, kind: str, path: tuple[Any, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle: Given = getattr(made, kind)
    first, *others = bundle.lines("consents.jsonl")
    *way, last = path
    place = first["record"]
    for each in way:
        place = place[each]
    for other in strange(place[last]):
        before, place[last] = place[last], other
        assert (
            not bundle.with_lines("consents.jsonl", [first, *others]).forged().holds(tmp_path / "a")
        )
        assert "false" in said(capsys)
        place[last] = before


def test_a_consent_is_held_to_what_was_approved_before_it(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It states the words and the controller of the approval; and for fewer purposes is as false
    as for more."""
    (own,) = made.one.lines("consents.jsonl")
    entry = next(
        verifier.Entry.read(json.dumps(each).encode())
        for each in made.one.lines("entries.jsonl")
        if each["index"] == own["entry"]
    )
    checks = verifier.Checks(
        verifier.Files(made.one.write(tmp_path / "a.zip")), argparse.Namespace()
    )
    with pytest.raises(verifier.Fault, match="nothing was approved"):
        checks._agree(own["record"], entry)
    own["record"]["dpv:hasProcess"].clear()
    assert not made.one.with_lines("consents.jsonl", [own]).forged().holds(tmp_path / "a.zip")
    assert "has another purpose" in said(capsys)


def test_it_says_what_is_signed_only(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for bundle, is_one in ((made.whole, False), (made.one, True)):
        assert bundle.holds(tmp_path / "a.zip")
        out = said(capsys)
        assert "Not checked: index.html, config.toml, verify.py, and in policy.json" in out
        assert "Of the records: the masked address" in out
        assert ("Not checked: that nothing later about this person is left out" in out) == is_one


def test_an_act_of_one_person_cannot_be_emptied(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a withdrawal could be hidden as if it had been erased."""
    lines = made.one.lines("entries.jsonl")
    (own,) = made.one.lines("consents.jsonl")
    hidden = 0
    for at, line in enumerate(lines):
        if line["kind"] == "answered" and line["index"] != own["entry"]:
            changed = [*lines[:at], {**line, "payload": None, "key": None}, *lines[at + 1 :]]
            bundle = made.one.with_file(f"seen/page-{line['index']}.html", None)
            assert not bundle.with_lines("entries.jsonl", changed).forged().holds(tmp_path / "a")
            assert "the content of one is missing" in said(capsys)
            hidden += 1
    assert hidden > 3


def test_a_file_that_no_such_bundle_has_is_named(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Signed by who forges, with a name that another bundle may have."""
    hashed = next(name[6:70] for name in made.whole.files if name.endswith(".html") and "/" in name)
    others = ["truth.html", "who.json", "entries.jsonl", "consistency.json", "seen/page-1.html"]
    for bundle, names in (
        (made.whole, others),
        (made.one, ["truth.html", "log.jsonl", "config.toml", "seen/mail.html"]),
    ):
        for name in names:
            assert not bundle.with_file(name, b"x\n").forged().holds(tmp_path / "a.zip"), name
            assert "false" in said(capsys)
        page = f"shown/{hashed}.html"
        if page in bundle.files:
            copy = bundle.with_file(f"shown/{hashed}.txt", bundle.files[page])
            assert not copy.forged().holds(tmp_path / "a.zip")
            assert not copy.with_file(page, None).forged().holds(tmp_path / "a.zip")
            capsys.readouterr()
    mail = made.one.with_file("seen/mail.txt", None).with_file("seen/mail.html", b"other words")
    assert not mail.forged().holds(tmp_path / "a.zip")
    assert "false seen:" in said(capsys)


def test_a_mail_with_html_was_seen_with_both_parts(made: Made, tmp_path: Path) -> None:
    skeleton = "Hello ⟦source⟧\n\n<!doctype html>\n<p>Hello ⟦source⟧</p>\n"
    text, markup = b"Hello a & b", b"<!doctype html>\n<p>Hello a &amp; b</p>\n"
    for seen, holds in (
        ({"seen/mail.txt": text, "seen/mail.html": markup}, True),
        ({"seen/mail.txt": text}, False),
        ({"seen/mail.html": markup}, False),
        ({"seen/mail.txt": text, "seen/mail.html": markup.replace(b"amp;", b"")}, False),
        ({"seen/mail.txt": b"Hello a\nb", "seen/mail.html": markup}, False),
    ):
        bundle = made.one.with_file("seen/mail.txt", None)
        for name, content in seen.items():
            bundle = bundle.with_file(name, content)
        files = verifier.Files(bundle.write(tmp_path / "a.zip"))
        assert verifier.Checks(files, argparse.Namespace())._is_mail(skeleton, {*seen}) == holds


@pytest.mark.parametrize("value", ["<h1>x</h1>", "a\nb", "a & b", 'a" b', "&lt", "x" * 301])
def test_a_place_is_filled_with_a_short_text_only(
    made: Made, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Signed by who forges: or the words around it could be anything."""
    acts = [each for each in made.one.lines("entries.jsonl") if each["kind"] == "answered"]
    shown = json.loads(acts[0]["payload"])["page"]
    name, path = f"seen/page-{acts[0]['index']}.html", tmp_path / "a.zip"
    first, mark, rest = made.one.files[f"shown/{shown}.html"].decode().partition("⟦source⟧")
    assert mark
    for words, holds in (("a &amp; b", True), (value, False)):
        text = re.sub("⟦[a-z_]+⟧", "x", f"{first}{words}{rest}")
        assert made.one.with_file(name, text.encode()).forged().holds(path) == holds
        assert (f"false seen: {name}" in said(capsys)) != holds


def test_octets_beside_the_files_are_refused(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They need no key: another program could read them as the bundle."""
    whole, path = made.whole.write(tmp_path / "whole.zip").read_bytes(), tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.html", "other words")
    other = path.read_bytes()
    member = other[: other.index(b"PK\x01\x02")]
    start = int.from_bytes(whole[-6:-2], "little")
    moved = (start + len(member)).to_bytes(4, "little")
    noted = whole[:-2] + b"\x05\x00other"
    for octets in (
        other + whole,
        member + whole,
        whole + b"other",
        whole[:start] + member + whole[start:-6] + moved + whole[-2:],
        noted,
    ):
        path.write_bytes(octets)
        assert verifier.main([str(path)]) == 1
        assert "false" in said(capsys)
    made.whole.write(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"other words"
    assert verifier.main([str(path)]) == 1
    assert "octets that are in none of its files" in said(capsys)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in made.whole.files.items():
            info = zipfile.ZipInfo(name)
            info.extra = b"\xff\xff\x05\x00other"
            archive.writestr(info, content)
    assert verifier.main([str(path)]) == 1
    assert "octets that are in none of its files" in said(capsys)


def test_a_bundle_beyond_what_32_bits_count_is_read(made: Made, tmp_path: Path) -> None:
    """Its end is written in 64 bits (APPNOTE.TXT 4.3.14 to 4.3.16), and has no room either."""
    path = made.whole.write(tmp_path / "a.zip")
    octets = path.read_bytes()
    rest, (count, size, start) = octets[:-22], struct.unpack("<10xH2L2x", octets[-22:])
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, 0xFFFFFFFF, 0)
    for at, holds in ((len(rest), True), (len(rest) + 5, False)):
        where = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
        path.write_bytes(rest + bytes(at - len(rest)) + record + where + end)
        assert (verifier.main([str(path)]) == 0) == holds


def test_a_consent_of_somebody_else_is_named(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a bundle of one person; left out, or twice, in that of the campaign."""
    consents = made.whole.lines("consents.jsonl")
    (own,) = made.one.lines("consents.jsonl")
    other = next(each for each in consents if each["entry"] != own["entry"])

    for lines in ([other], [own, other], [], [{**other, "entry": own["entry"]}]):
        assert not made.one.with_lines("consents.jsonl", lines).forged().holds(tmp_path / "a.zip")
        assert "false consents:" in said(capsys)
    for lines in (consents[:1], consents[1:], [], [*consents, consents[0]], consents[::-1]):
        assert not made.whole.with_lines("consents.jsonl", lines).forged().holds(tmp_path / "a.zip")
        assert "false consents:" in said(capsys)
    assert not made.one.holds(tmp_path / "a.zip", "--address", "jan@voorbeeld.example")
    assert "are not those of that address" in said(capsys)


@pytest.mark.parametrize("kind", ["whole", "one"])
def test_what_was_shown_and_decided_is_held_to_the_log(
    made: Made, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle: Given = getattr(made, kind)
    path = tmp_path / "a.zip"
    shown = [name for name in bundle.files if name.startswith("shown/")]
    for name in shown:
        assert not bundle.with_file(name, None).forged().holds(path)
        assert "is missing" in said(capsys)
        assert not bundle.with_file(name, b"other words").forged().holds(path)
        assert "is not what was shown" in said(capsys)
    stranger = hashlib.sha256(b"new").hexdigest()
    assert not bundle.with_file(f"shown/{stranger}.txt", b"new").forged().holds(path)
    for name in ("approvals.json", "policy.json"):

        def blame(told: Any) -> None:
            (told if isinstance(told, list) else told["screenings"])[0]["said"]["by"] = "Piet"

        assert not bundle.with_json(name, blame).forged().holds(path)
        assert "not those of the log" in said(capsys)
        assert not bundle.with_file(name, b"{}").forged().holds(path)
    seen = [name for name in bundle.files if name.startswith("seen/")]
    assert bool(seen) == (kind == "one")
    for name in seen:
        assert not bundle.with_file(name, b"other words").forged().holds(path)
        assert "false seen:" in said(capsys)


def test_an_answer_names_the_privacy_notice_that_counted_then(made: Made) -> None:
    """Whoever has the keys could have written another into the log itself."""
    for lines in (made.whole.lines("log.jsonl"), made.one.lines("entries.jsonl")):
        entries = [verifier.Entry.read(json.dumps(line).encode()) for line in lines]
        named = {e.said["notice"] for e in entries if e.kind == "answered" and e.said}
        assert len(named) == 2
        for left_out in ("approved", "judged"):
            rest = [entry for entry in entries if entry.kind != left_out]
            with pytest.raises(verifier.Fault, match="another privacy notice than counted then"):
                deque(map(verifier.Replay().read, rest), maxlen=0)


def test_what_an_answer_names_must_have_been_shown(made: Made, tmp_path: Path) -> None:
    files = verifier.Files(made.whole.write(tmp_path / "a.zip"))
    checks = verifier.Checks(files, argparse.Namespace())
    checks.replay.shown = {name[6:70]: name for name in files.names if name.startswith("shown/")}
    assert "each with the hash" in checks.shown()
    checks.replay.seen = {"f" * 64}

    with pytest.raises(verifier.Fault, match=r"ffff\.\.\., which an answer names, is missing"):
        checks.shown()


# Bundles that somebody made to do harm


def test_what_is_no_bundle_ends_in_a_plain_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, text, pipe, loop = (tmp_path / name for name in ("empty", "text", "pipe", "loop"))
    empty.mkdir()
    text.write_text("PK\x03\x04 but nothing more")
    os.mkfifo(pipe)
    loop.symlink_to(loop)

    for path in (empty, text, pipe):
        assert verifier.main([str(path)]) == 1
        first, last = said(capsys).splitlines()
        assert first.startswith("false ")
        assert last == "This bundle does not hold: 1 of 1 checks are false."
    for words in ([str(loop)], [str(tmp_path / "nowhere")], [str(text), "--checkpoint", "nowhere"]):
        with pytest.raises(SystemExit) as ended:
            verifier.main(words)
        assert ended.value.code == 2


@pytest.mark.parametrize(
    "name",
    [
        "../key.txt",
        "/etc/passwd",
        "shown/../../x.txt",
        "a\\b.txt",
        "shown/x.html",
        "KEY.TXT",
        "é.txt",
        "x" * 300,
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(
    made: Made, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not made.whole.with_file(name, b"x").holds(tmp_path / "a.zip")
    assert "a name that no bundle has" in said(capsys)


def test_a_file_that_is_there_twice_is_refused(made: Made, tmp_path: Path) -> None:
    path = made.whole.write(tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("key.txt", "x")

    assert verifier.main([str(path)]) == 1


def test_what_would_fill_the_memory_is_not_unpacked(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not made.whole.with_file("log.jsonl", bytes(1 << 26)).holds(tmp_path / "a.zip")
    assert "unpack to far more" in said(capsys)
    folder = made.whole.folder(tmp_path / "folder")
    with (folder / "log.jsonl").open("wb") as file:
        file.truncate(1 << 26)
    assert verifier.main([str(folder)]) == 1
    assert "cut off, or longer" in said(capsys)


def test_a_folder_that_leads_elsewhere_is_refused(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made.whole.folder(tmp_path / "folder")
    (folder / "config.toml").unlink()
    (folder / "config.toml").symlink_to("/etc/hostname")

    assert verifier.main([str(folder)]) == 1
    assert "no file of a bundle" in said(capsys)


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_ANY = st.recursive(
    _LEAVES,
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3)
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(place=st.integers(0, 99), content=_ANY | st.just(float("nan")))
def test_any_json_where_another_was_meant_ends_in_a_plain_line(
    made: Made, tmp_path: Path, place: int, content: object
) -> None:
    """Signed again, so that nothing but the content is wrong."""
    places = [(each, name) for each in made for name in sorted(each.files) if "json" in name]
    bundle, name = places[place % len(places)]

    altered = bundle.with_file(name, json.dumps(content).encode() + b"\n").forged()

    same = name.endswith(".json") and content == json.loads(bundle.files[name])
    assert altered.holds(tmp_path / "a.zip") == same


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "1" * 5_000, '"\\ud800"', '{"index":1e999}', "NaN"]
)
def test_json_made_to_break_its_reader_ends_in_a_plain_line(
    made: Made, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for bundle in made:
        for name in (each for each in bundle.files if "json" in each):
            assert not bundle.with_file(name, f"{text}\n".encode()).forged().holds(tmp_path / "a")
            assert "false" in said(capsys)
