"""Renders the templates of mails and pages: the campaign's own first, then the release's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, select_autoescape
from jinja2.sandbox import SandboxedEnvironment

from repermit.errors import WordingIncomplete

_FAILURES = (  # what a template of the operator's own may raise
    *(TemplateError, ArithmeticError, AttributeError, LookupError, OSError, RecursionError),
    *(MemoryError, TypeError, ValueError),
)


class Templates:
    """The templates of a campaign, in a sandbox; HTML is escaped, and nothing may be undefined."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._environment = SandboxedEnvironment(
            loader=FileSystemLoader(folders),
            undefined=StrictUndefined,
            autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """Return the template *name* ("page/question.html.j2") filled from *context*.

        Raises: WordingIncomplete naming the template when it is missing, broken, or uses
        something that there is not.
        """
        try:
            return self._environment.get_template(name).render(context)
        except _FAILURES as failure:
            reason = " ".join(str(failure).split())
            raise WordingIncomplete([f"template {name}: {reason}"]) from failure
