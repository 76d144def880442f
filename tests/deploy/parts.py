"""What `deploy/` and the docs already count on, and another part of this release still brings."""

from __future__ import annotations

# Each must go from here once its part is in; a test says so then. Empty in a release.
NOT_YET_HERE = frozenset({"PostgreSQL", "REPERMIT_DATABASE_PASSWORD"})
NOT_YET_COMMANDS = frozenset({"backup", "restore", "keys rotate", "keys revoke-links"})
NOT_YET_DOCS = frozenset({"backup.md", "keys.md"})
