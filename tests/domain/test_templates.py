"""Rendering: the campaign's own template first, in a sandbox, nothing undefined."""

from pathlib import Path

import pytest

from repermit.domain.templates import Templates
from repermit.errors import WordingIncomplete


def templates(*folders: Path) -> Templates:
    """Return the templates of *folders*, the first one first."""
    return Templates(list(folders))


def test_the_campaigns_own_template_comes_first(tmp_path: Path) -> None:
    own, shipped = tmp_path / "own", tmp_path / "shipped"
    for folder, text in ((own, "own {{ who }}"), (shipped, "shipped {{ who }}")):
        folder.mkdir()
        (folder / "a.txt.j2").write_text(text)
    (shipped / "b.txt.j2").write_text("only shipped")
    both = templates(own, shipped)
    assert both.render("a.txt.j2", {"who": "An"}) == "own An"
    assert both.render("b.txt.j2", {}) == "only shipped"


def test_html_is_escaped_and_text_is_not(tmp_path: Path) -> None:
    for name in ("a.html.j2", "a.txt.j2"):
        (tmp_path / name).write_text("{{ who }}")
    assert templates(tmp_path).render("a.html.j2", {"who": "<b>"}) == "&lt;b&gt;"
    assert templates(tmp_path).render("a.txt.j2", {"who": "<b>"}) == "<b>"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{{ nobody }}", "nobody"),
        ("{% if %}", "Expected an expression"),
        ("{{ who.__class__.__mro__ }}", "unsafe"),
        ("{{ who + 1 }}", "str"),
    ],
)
def test_a_template_that_fails_is_named_with_the_reason(
    tmp_path: Path, text: str, named: str
) -> None:
    (tmp_path / "a.txt.j2").write_text(text)
    with pytest.raises(WordingIncomplete, match=named) as raised:
        templates(tmp_path).render("a.txt.j2", {"who": "An"})
    assert "template a.txt.j2" in str(raised.value)


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(WordingIncomplete, match=r"page/question\.html\.j2"):
        templates(tmp_path).render("page/question.html.j2", {})
