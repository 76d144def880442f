"""What a form says, in either encoding (RFC 8058 section 3.2 allows both)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from repermit.domain.standing import Answer

LARGEST_BODY = 16_384  # bytes; a form of ours is about 200
_MOST_FIELDS = 100  # a box for each purpose, of which there are at most 20
TOO_LARGE = 413

Form = Mapping[str, Sequence[str]]


async def form_of(request: Request) -> Form:
    """Return the fields of a form in either encoding; anything else is an empty form.

    Raises: HTTPException 413 when the body goes on after the largest size.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise HTTPException(TOO_LARGE, "too large", {"Connection": "close"})
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(bytes(body))
    return await _multipart(request, bytes(body)) if kind == "multipart/form-data" else {}


def answer_in(form: Form) -> Answer | None:
    """Return the one answer that a form gives, or None."""
    answers = form.get("answer", ())
    return Answer(answers[0]) if len(answers) == 1 and answers[0] in frozenset(Answer) else None


def first_in(form: Form, name: str) -> str:
    """Return the first value of a field, empty without one."""
    return next(iter(form.get(name, ())), "")


def _urlencoded(body: bytes) -> Form:
    try:
        return parse_qs(body.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}


async def _multipart(request: Request, body: bytes) -> Form:
    async def whole() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    fields: dict[str, list[str]] = {}
    try:
        async with Request(request.scope, whole).form(
            max_files=0, max_fields=_MOST_FIELDS, max_part_size=4096
        ) as data:
            for name, value in data.multi_items():
                if isinstance(value, str):
                    fields.setdefault(name, []).append(value)
    except (MultiPartException, ValueError, KeyError):  # not what it says it is
        return {}
    return fields
