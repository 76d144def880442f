"""What a template may use, and every sentence that may be reworded."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, meta, nodes

from tests.docs.reference.markdown import MADE, code, table

FOLDER = Path(__file__).parents[3] / "templates"
_WHAT = {
    "mail": "The mails. `question` is the one reconfirmation mail; the others answer a press, or tell "
    "the operator.",
    "page": "The answer pages.",
    "notice": "What the operator and the person informed are told, by mail.",
    "letter": "The answers that `repermit person --letter` writes, for a person to sign.",
    "papers": "What `repermit papers` writes, and the report of a purge.",
    "handover": "The README of `repermit handover`.",
    "report": "What a person reads on screen or prints: the preview, the approval, the front page of the "
    "evidence.",
}
_HEAD = f"""# Templates and sentences
{MADE}
What you may reword. A campaign has its own words in the folder `templates/` beside its config: any file of the
same name takes the place of the one that comes with repermit, and a `wording/LANGUAGE.toml` there changes single
sentences and leaves the rest. The template language is Jinja2, in a sandbox; HTML is escaped; what is not in the
lists below does not exist, and a template that uses it is refused before a mail leaves. After a change: `repermit
preview`, then `repermit approve` anew.

A name with a point is a part of the thing before it: `said.question` is the question of `said`.
"""


def page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for folder in sorted({path.parent for path in FOLDER.rglob("*.j2")}):
        name = folder.relative_to(FOLDER).as_posix()
        parts.append(f"\n## {name}/\n\n{_WHAT.get(name, '')}".rstrip() + "\n\n")
        rows = [(code(shown), _list(used)) for shown, used in _templates(folder)]
        parts.append(table(("template", "may use"), rows))
    return "".join([*parts, *_wording()])


def _templates(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each template with what it uses; those that differ in the language only together."""
    families: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.j2")):
        name = re.sub(r"\.(nl|fr|de|en)\.", ".LANGUAGE.", path.name)
        families.setdefault(name, set()).update(_used(path))
    for name, used in families.items():
        yield name, sorted(used)


def _used(path: Path) -> Iterator[str]:
    """Yield what a template takes from outside, with the parts of it that it names."""
    tree = _environment().parse(path.read_text("utf-8"))
    outside = meta.find_undeclared_variables(tree)
    named = set[str]()
    for each in tree.find_all(nodes.Getattr):
        if isinstance(each.node, nodes.Name) and each.node.name in outside:
            named.add(each.node.name)
            yield f"{each.node.name}.{each.attr}"
    yield from outside - named


def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True)


def _wording() -> Iterator[str]:
    sentences = tomllib.loads((FOLDER / "wording" / "en.toml").read_text("utf-8"))
    yield "\n## wording/LANGUAGE.toml\n\nEvery sentence that recipients read, as the English file has it. What "
    yield "stands in braces is filled in; a sentence may use what the shipped one uses.\n"
    for section, content in sentences.items():
        rows = [(code(key), str(text)) for key, text in content.items() if isinstance(text, str)]
        yield f"\n### [{section}]\n\n{table(('key', 'sentence'), rows)}"


def _list(names: list[str]) -> str:
    return ", ".join(code(name) for name in names)
