"""One DMARC record, read as RFC 9989 writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.published.dmarc import DmarcRecord, parsed


def test_every_tag_is_read() -> None:
    read = parsed(
        "v = DMARC1 ; p=Reject; sp=quarantine; np=none; psd=n; adkim=s; aspf=s; t=y; pct=50;"
        " rua=mailto:a@voorbeeld.be!10m, https://x.be/; x-own=1;"
    )

    assert read == DmarcRecord(
        *("reject", "quarantine", "none", "n"),
        is_strict_dkim=True,
        is_strict_spf=True,
        is_testing=True,
        has_reports=True,
        old=("pct",),
    )


@pytest.mark.parametrize("text", ["v=DMARC2; p=none", "p=none; v=DMARC1", "v=spf1", "v=DMARC1p"])
def test_a_record_that_does_not_begin_with_its_version_is_none(text: str) -> None:
    assert parsed(text) is None


def read(text: str) -> DmarcRecord:
    found = parsed(f"v=DMARC1; {text}")
    assert found is not None
    return found


def test_a_flag_is_one_letter() -> None:
    assert read("p=none; psd=yn").psd == "u"


@pytest.mark.parametrize(
    ("text", "applied", "policy"),
    [
        ("p=reject", True, "reject"),
        ("", False, "none"),
        ("p=nonsense", False, "none"),
        ("p=nonsense; rua=mailto:a@b.be", True, "none"),
        ("p=reject; sp=nonsense; rua=mailto:a@b.be", True, "none"),
        ("p=reject; psd=frob; adkim=; t=n", True, "reject"),
    ],
)
def test_a_wrong_policy_counts_as_none_where_reports_are_asked_for(
    text: str, applied: bool, policy: str
) -> None:
    """Else receivers pass the record over."""
    found = read(text)
    assert (found.is_applied, found.policy(below=False, exists=True)) == (applied, policy)


@pytest.mark.parametrize(
    ("text", "exists", "policy"),
    [
        ("p=reject", True, "reject"),
        ("p=reject; sp=none", True, "none"),
        ("p=reject; sp=none", False, "none"),
        ("p=none; sp=quarantine; np=reject", False, "reject"),
        ("p=none; np=reject", True, "none"),
    ],
)
def test_below_the_organisation_sp_holds_and_np_for_what_does_not_exist(
    text: str, exists: bool, policy: str
) -> None:
    assert read(text).policy(below=True, exists=exists) == policy


@given(st.text() | st.text(alphabet="vpsnrtua=;:,!@.DMARC1oe ").map("v=DMARC1;".__add__))
def test_whatever_stands_there_is_a_record_or_none(text: str) -> None:
    found = parsed(text)
    if found is not None:
        assert found.policy(below=True, exists=False) in ("none", "quarantine", "reject")
