"""The config: one TOML file in, one frozen `Config` out, or every problem at once.

    text ──► lines (where each key stands)
         └─► tables (the shape; its values in values) ─► consistency ─► problems ─► Config

Secrets never stand in the file: `secret` takes them from the environment or from systemd.
"""

from repermit.config.credentials import secret
from repermit.config.file import Config, load, read
from repermit.config.values import Mailbox

__all__ = ["Config", "Mailbox", "load", "read", "secret"]
