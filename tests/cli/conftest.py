"""Fixtures: those of the journeys."""

from __future__ import annotations

from tests.journeys.conftest import approved, asked, begun, relay, templates

__all__ = ["approved", "asked", "begun", "relay", "templates"]
