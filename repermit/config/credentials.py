"""Secrets, which never stand in the config."""

from __future__ import annotations

import os
from pathlib import Path

from repermit.errors import ConfigInvalid


def secret(name: str) -> str | None:
    """Return the secret *name*, or None when nobody set it; an empty one counts as not set.

    The environment comes first, then the file of that name in `$CREDENTIALS_DIRECTORY`, which
    systemd makes for `LoadCredential=`.

    Raises: ConfigInvalid when the file is there but cannot be read as text.
    """
    if value := os.environ.get(name):
        return value
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    try:
        return Path(folder, name).read_text(encoding="utf-8").rstrip("\r\n") or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise ConfigInvalid(
            [f"the secret {name} in the credentials folder cannot be read as text"],
            hint="check LoadCredential= in the unit, and who may read the file",
        ) from None
