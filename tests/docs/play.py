"""Plays a document: does what it shows, and returns it with what really was printed."""

from __future__ import annotations

from pathlib import Path

from tests.docs.document import PROMPT, Block, Note, parts
from tests.docs.stage import Stage

DOCS = Path(__file__).parents[2] / "docs"


def played_documents() -> list[Path]:
    """Return the documents that have something to play."""
    return [
        path for path in sorted(DOCS.rglob("*.md")) if "<!-- stage: " in path.read_text("utf-8")
    ]


def played(text: str, stage: Stage) -> str:
    """Return *text* with what each command printed on *stage*."""
    shown = ""
    for part in parts(text):
        if isinstance(part, Note):
            verb, *words = part.words
            getattr(stage, verb.replace("-", "_"))(*words)
        elif isinstance(part, Block):
            part = _done(part, stage)
        shown += part.text
    stage.stop()
    return shown


def _done(block: Block, stage: Stage) -> Block:
    if block.language != "console":
        stage.take(block.language, "".join(f"{line}\n" for line in block.lines))
        return block
    commands = list(block.commands)
    code, lines = stage.expect(0), list[str]()
    for number, command in enumerate(commands, start=1):
        stage.expect(code if number == len(commands) else 0)
        lines += f"{PROMPT}{command}".split("\n")
        lines += [line.rstrip() for line in stage.play(command).splitlines()]
    return Block("console", tuple(lines))
