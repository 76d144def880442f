"""The least that a page can cost: Starlette and jinja2 under uvicorn, with nothing on file.

`python -m bench.bare PORT TEMPLATE` serves that page; a POST reads its form and shows it again.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from bench.ports import LOOPBACK


def app(page: str) -> Starlette:
    """Return a server of one page."""
    template = Environment(autoescape=True).from_string(page)

    async def answer(request: Request) -> HTMLResponse:
        nonce = request.path_params["token"]
        if request.method == "POST":
            async with request.form() as form:
                nonce = form["nonce"]
        return HTMLResponse(template.render(nonce=nonce))

    return Starlette(routes=[Route("/yes/{token}", answer, methods=["GET", "POST"])])


if __name__ == "__main__":
    uvicorn.run(
        app(Path(sys.argv[2]).read_text("utf-8")),
        host=LOOPBACK,
        port=int(sys.argv[1]),
        access_log=False,
        log_level="warning",
        http="h11",
        loop="asyncio",
    )
