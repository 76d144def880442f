"""What a check found, as a table."""

from __future__ import annotations

from repermit.cli.finding import Finding, State, together
from repermit.cli.findingtable import table, verdict

FOUND = [
    Finding("bounces", "bounces come back", State.WARN, "not tried", "try it"),
    Finding("spf", "SPF", State.FAIL, "it is broken " * 6, "publish v=DKIM1;" + "A" * 90),
    Finding("keys", "key folder", State.OK, do="nothing"),
    Finding("machine", "machine with-a-rather-long-name", State.OK, "the same"),
]


def test_it_is_read_without_colour_in_80_columns_and_in_one_order() -> None:
    lines = list(table(FOUND))

    heads = [line for line in lines if not line.startswith(" ")]
    assert heads == ["campaign", "keys and disk", "sender's domain", "what comes back"]
    assert lines[1:5] == [
        "  ok    machine with-a-rather-long-name",
        f"{'':31}the same",
        "keys and disk",
        "  ok    key folder             it holds",
    ]
    assert lines[-1] == f"{'':31}what to do: try it"
    whole = [line for line in lines if len(line) > 80]
    assert [line.strip() for line in whole] == ["v=DKIM1;" + "A" * 90]  # to be copied


def test_the_last_line_counts() -> None:
    assert verdict(FOUND) == "4 things looked at: 1 fail, 1 warn"
    assert verdict(FOUND[2:]) == "2 things looked at, and everything holds"


def test_of_several_remarks_the_worst_comes_first() -> None:
    said = together([(State.OK, "a", ""), (State.WARN, "b", "do b"), (State.FAIL, "c", "do c")])
    assert said == (State.FAIL, "c; b", "do c; do b")
    assert together([]) == (State.OK, "", "")
