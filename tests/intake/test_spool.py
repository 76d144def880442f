"""What waits outside the ledger until a list is read."""

from __future__ import annotations

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import FileRefused
from repermit.intake.spool import Spool
from repermit.ledger.store.admission import Newcomer


def a_candidate(
    lookup: bytes, *, richness: int = 1, mailbox: str = "an@x.example"
) -> tuple[object, ...]:
    """Return the fields of somebody who asks to be admitted."""
    evidence = (None, "{}", richness, None, "BE", None, 202503)
    return tuple(Newcomer(lookup, (b"h",), mailbox, *evidence, "listed", "BE.customer", "allowed"))


_LOOKUPS = st.binary(min_size=2, max_size=3)


@given(st.lists(st.tuples(_LOOKUPS, st.integers(0, 3))), st.sampled_from([1, 3, 1000]))
def test_each_address_comes_back_once_in_order_with_the_first_row_that_says_most(
    rows: list[tuple[bytes, int]], in_memory: int
) -> None:
    with Spool(in_memory=in_memory) as kept:
        for number, (lookup, richness) in enumerate(rows):
            kept.put(a_candidate(lookup, richness=richness, mailbox=str(number)), lookup[0])
        found = list(kept.newcomers())

    best: dict[bytes, tuple[int, int]] = {}
    for number, (lookup, richness) in enumerate(rows):
        if lookup not in best or richness > best[lookup][0]:
            best[lookup] = (richness, number)
    assert [one.lookup for one in found] == sorted(best)
    assert {one.lookup: int(one.mailbox) for one in found} == {
        lookup: number for lookup, (_, number) in best.items()
    }
    assert kept.duplicates == len(rows) - len(best)


def test_promise_8_what_waits_on_disk_is_sealed() -> None:
    with Spool(in_memory=1) as kept:
        kept.put(a_candidate(b"\x01", mailbox="an.peeters@voorbeeld.example"), 1)
        assert kept.file is not None
        kept.file.seek(0)
        assert b"peeters" not in kept.file.read()
        assert [one.mailbox for one in kept.newcomers()] == ["an.peeters@voorbeeld.example"]


def test_no_room_in_the_temporary_folder_is_said_in_words() -> None:
    """A limit on the size of files stands for the full folder."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Spool(in_memory=1) as kept:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
        try:
            with pytest.raises(FileRefused, match="temporary folder cannot be used") as caught:
                kept.put(a_candidate(b"\x01"), 1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert "TMPDIR" in caught.value.hint
