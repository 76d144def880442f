from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import pack

import pytest
from playwright.sync_api import Browser

from tests.browser.builders import Served, a_browser

_SIDE = 64  # pixels of the logo


@pytest.fixture(scope="session")
def a_campaign(empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The answer pages of a campaign for a newsletter."""
    folder = tmp_path_factory.mktemp("one") / "campaign"
    with Served(shutil.copytree(empty_campaign, folder)).running() as served:
        yield served


@pytest.fixture(scope="session")
def a_campaign_of_two(
    empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The answer pages of a campaign for a newsletter and a fair, with a colour and a logo."""
    folder = tmp_path_factory.mktemp("two") / "campaign"
    shutil.copytree(empty_campaign, folder)
    (folder / "logo.png").write_bytes(_png())
    config = {"colour": 'colour = "#a4123f"', "logo": 'logo = "logo.png"'}
    with Served(folder, several=True, config=config).running() as served:
        yield served


@pytest.fixture(scope="session")
def chromium(a_campaign: Served, a_campaign_of_two: Served) -> Iterator[Browser]:
    """The browser; it starts last, because its loop then holds this thread."""
    with a_browser() as browser:
        yield browser


def _png() -> bytes:
    """Return a green square. Source: PNG (ISO/IEC 15948), sections 5.3 and 11.2."""
    rows = (b"\0" + b"\x14\x78\x3c" * _SIDE) * _SIDE
    parts = (
        (b"IHDR", pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    chunks = (
        pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
