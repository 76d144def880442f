"""The words of a privacy notice, and how one text differs from another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.notice import difference, normalised, text_of_page

PAGE = """<!doctype html>
<html lang="nl"><head><title>Privacy | Club</title><style>p { color: red }</style>
<!--[if lt IE 9]><p>old</p><![endif]--></head>
<body><h1>Privacy</h1><p>Wij be<b>war</b>en  uw&nbsp;adres,
en niets <i>anders</i>.<br>Tot u <a href="/x">schrijft</a>.</p>
<script>document.write("<p>never</p>")</script><noscript>Zet scripts aan.</noscript>
<svg><text>logo<svg>x</svg></text></svg></svg><table><tr><td>Wie</td><td>wij &amp; u</td></tr>
"""


def test_the_words_of_a_page_are_those_that_people_read() -> None:
    assert text_of_page(PAGE) == (
        "Privacy\nWij bewaren uw adres, en niets anders.\nTot u schrijft.\nWie\nwij & u"
    )


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", ""),
        ("<script>1</script><noscript>No script, no text.</noscript>", ""),
        ("een <![foo[bar]]> twee", "een twee"),
        ("een <![if x]>twee<![endif]>", "een twee"),
        ("een <p", "een <p"),
        ("</noscript>een<noscript>twee", "een"),
    ],
)
def test_a_page_that_is_no_good_html_is_read_all_the_same(page: str, text: str) -> None:
    assert text_of_page(page) == text


@given(st.text())
def test_any_page_is_read(page: str) -> None:
    text = text_of_page(page)

    assert normalised(text) == text


def test_how_a_text_is_set_makes_no_difference() -> None:
    assert normalised("een  twee\r\n\r\n drie\t vier\n") == normalised("een twee\ndrie vier")


def test_a_difference_names_the_sentences() -> None:
    was = "Wij bewaren uw adres. Wij delen het niet. U kunt het wissen."
    now = "Wij bewaren uw adres. Wij verkopen het. U kunt het wissen."

    assert difference(was, now) == [
        "--- as approved",
        "+++ as it is now",
        "@@ -1,3 +1,3 @@",
        " Wij bewaren uw adres.",
        "-Wij delen het niet.",
        "+Wij verkopen het.",
        " U kunt het wissen.",
    ]
    assert difference(was, was) == []


def test_a_long_difference_is_cut_and_says_so() -> None:
    lines = difference("", "\n".join(f"zin {number}" for number in range(1000)))

    assert len(lines) == 61
    assert lines[-1] == "… and 944 more lines"
    (long,) = (line for line in difference("", "x" * 999) if line.startswith("+x"))
    assert len(long) == 301


@given(st.text(), st.text())
def test_a_difference_has_nothing_that_a_terminal_obeys(was: str, now: str) -> None:
    assert all(line.isprintable() for line in difference(was, now))
