"""What the documents show: commands, links, headings and keys of the config."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.exceptions import TyperException

from repermit.cli import app

ROOT = Path(__file__).parents[2]
_PLACES = ("*.md", "docs/**/*.md", "deploy/*.md", "bench/*.md")
ALL = sorted(path for pattern in _PLACES for path in ROOT.glob(pattern))
PROGRAM: Any = typer.main.get_command(app)
_OF_ALL = {option for each in PROGRAM.params for option in each.opts} | {"--help"}
_CALL = r"(?:repermit|compose run --rm --no-deps machine1) (?=[a-z]|--)"
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """A command that a document shows; a whole one can be typed as it stands."""

    text: str
    is_whole: bool


def commands(text: str) -> Iterator[Shown]:
    """Yield each command that *text* shows: in a block, on an indented line, between backticks."""
    for language, block in _FENCED.findall(text):
        yield from _in_block(block, console=language == "console")
    text = re.sub(r"\\\n\s*", "", _FENCED.sub("", text))
    for line in re.findall(r"^(?: {4}|\t)(.*)$", text, re.MULTILINE):
        for found in re.findall(rf"(?:^|(?<=[\s/(\"])){_CALL}(.+)", line):
            yield Shown(found, is_whole=True)
    for span in re.findall(r"`([^`]+)`", text):
        words = " ".join(span.split())
        if found := re.fullmatch(rf"(?:.*[\s/\"])?{_CALL}(.+)", words):
            yield Shown(found[1], is_whole=False)
        elif words.split()[0] in PROGRAM.commands and " --" in words:
            yield Shown(words, is_whole=False)


def _in_block(block: str, *, console: bool) -> Iterator[Shown]:
    """Yield what is typed in a fenced block; of what a command printed, what it tells to type."""
    for line in re.sub(r"\\\n\s*", "", block).splitlines():
        if found := re.search(rf"^(?:\$ )?(?:.*[;|&] *)?{_CALL}(.+)", line):
            yield Shown(found[1], is_whole=line.startswith("$ ") or not console)
        for told in re.findall(r"`([^`]+)`", line if console else ""):
            if found := re.fullmatch(rf"{_CALL}(.+)", told):
                yield Shown(found[1], is_whole=False)


def wrong(shown: Shown) -> str:
    """Return what is wrong with a command; empty when the program takes it, with all its options.

    Nothing is run. Of one between backticks, what must be given may be left out.
    """
    words, command, called = _words(shown.text), PROGRAM, list[str]()
    if "…" in words or "OPTIONS" in words:
        return ""  # one that leaves out which, or says how any is called
    context = typer.Context(PROGRAM, info_name="repermit")
    while words and (words[0] in getattr(command, "commands", {}) or words[0] == "--config"):
        if words[0] == "--config":
            del words[:2]
            continue
        command = command.commands[words[0]]
        called.append(words.pop(0))
    if getattr(command, "commands", {}) and not words:
        return ""  # a family, which shows its help
    if command is PROGRAM and words[0] in _OF_ALL:
        return ""  # such as --install-completion, which would be done if it were parsed
    if getattr(command, "commands", {}) and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        return f"there is no command {' '.join([*called, words[0]])}"
    try:
        command.make_context(called[-1] if called else "repermit", _tried(command, words), context)
    except TyperException as failure:
        said = failure.format_message()
        lacks = said.startswith("Missing ") or "requires an argument" in said
        return f"{' '.join(called)}: {said}" if shown.is_whole or not lacks else ""
    except typer.Exit:  # --help
        return ""
    return ""


def _words(shown: str) -> list[str]:
    """Return the words of a command, up to what the shell does with it."""
    shown = re.split(r"\s#|[;]|\s\||&&|\s>", shown)[0]
    shown = re.sub(r"\[([^\]]*)\]", r"\1", shown)  # what may be left out
    try:
        words = shlex.split(shown)
    except ValueError:
        words = shown.split()
    return [word.strip("().,:\"'") or word for word in words]


def _tried(command: Any, words: list[str]) -> list[str]:
    """Return *words* with a number or a day in the place of a word that stands for one."""
    options = {option: each for each in command.params for option in each.opts}
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    tried, before = list[str](), "-"
    for word in words:
        of = options.get(before) or next(iter(arguments if word.isupper() else []), None)
        typed = (
            of.display_type(typer.Context(command))
            if of and not getattr(of, "is_flag", False)
            else ""
        )
        if re.search(r"\b(int|float)\b", typed) and not word.isdigit():
            word = "14"
        elif "%Y" in typed and not word[:1].isdigit():
            word = "2026-11-02"
        elif "|" in typed and "|" in word:
            word = word.split("|")[0]
        tried.append(word)
        before = word
    return tried


def links(text: str) -> list[str]:
    """Return where the links and pictures of a document lead, without those on the web."""
    targets = re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", text))
    targets += re.findall(r'<(?:img|a)[^>]* (?:src|href)="([^"]+)"', text)
    return [each for each in targets if not re.match(r"[a-z]+:", each)]


def anchors(text: str) -> set[str]:
    """Return the names of the headings, as links lead to them."""
    seen, found = dict[str, int](), set[str]()
    for heading in _HEADING.findall(_FENCED.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = seen[name] = seen.get(name, -1) + 1
        found.add(f"{name}-{number}" if number else name)
    return found


def dangling(doc: Path) -> set[str]:
    """Return the links of a document that lead nowhere: to no file, or to no heading in it."""
    return {each for each in links(doc.read_text("utf-8")) if not _leads_somewhere(doc, each)}


def _leads_somewhere(doc: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = doc.parent / path if path else doc
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text("utf-8"))


def settings(text: str, tables: set[str]) -> set[str]:
    """Return what looks like a key of the config between backticks: `campaign.name`."""
    named = set(re.findall(r"`\[?\[?([a-z]+\.[a-z_]+)(?:\.[a-z_]+)?\]?\]?(?: = [^`]*)?`", text))
    named -= {each for each in named if each.endswith((".json", ".md", ".toml", ".txt"))}
    return {each for each in named if each.partition(".")[0] in tables}
