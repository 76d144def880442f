"""What must hold between keys, checked on the file as it is, so that a fault elsewhere hides none.

What has the wrong type is skipped: `tables` names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from repermit.config.lines import Loc
from repermit.domain import policy

Fault = tuple[Loc, str]

_CODE = re.compile(r"[a-z]{2}")


def faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield where *raw* contradicts itself, and how."""
    yield from _languages(_table(raw, "campaign"))
    yield from _notice(_table(raw, "controller"))
    yield from _purposes(_elements(raw, "purposes"), _codes(_table(raw, "campaign")))
    yield from _signing(_table(raw, "relay"))
    yield from _in_the_clear(_table(raw, "relay"))
    yield from _inbound(_table(raw, "inbound"))
    yield from _overrides(_table(raw, "policy"))
    yield from _told(_table(raw, "notices"))
    if raw.get("purposes") == []:
        yield ("purposes",), "is empty; expected one to twenty tables [[purposes]]"


def _told(notices: Mapping[str, Any]) -> Iterator[Fault]:
    named = notices.get("to")
    to = named if isinstance(named, list) else []
    people = [each.strip().casefold() for each in to if isinstance(each, str)]
    if len(set(people)) < len(people):
        yield ("notices", "to"), "names an address twice; expected each address once"


def _languages(campaign: Mapping[str, Any]) -> Iterator[Fault]:
    codes, default = _codes(campaign), campaign.get("default_language")
    if campaign.get("languages") == []:
        yield ("campaign", "languages"), "is empty; expected at least one language"
    if len(set(codes)) < len(codes):
        yield ("campaign", "languages"), "names a language twice; expected each language once"
    if codes and isinstance(default, str) and default not in codes:
        message = "is not a language of the campaign; expected one of campaign.languages"
        yield ("campaign", "default_language"), message


def _notice(controller: Mapping[str, Any]) -> Iterator[Fault]:
    url, file = controller.get("privacy_url"), controller.get("privacy_file")
    if url and file:
        message = "stands beside privacy_url; expected only one of the two"
        yield ("controller", "privacy_file"), message
    if controller and not url and not file:
        message = "is missing; expected the privacy notice as privacy_url or as privacy_file"
        yield ("controller", "privacy_url"), message


def _purposes(elements: list[tuple[int, Any]], codes: list[str]) -> Iterator[Fault]:
    ids = set()
    for index, element in elements:
        for key in ("text", "frequency"):
            if texts := _table(element, key):
                for code in sorted(set(codes) - set(texts)):
                    message = "is missing; expected a text for every language of the campaign"
                    yield ("purposes", index, key, code), message
        if isinstance(name := element.get("id"), str):
            if name in ids:
                message = "names two purposes; expected another id for each"
                yield ("purposes", index, "id"), message
            ids.add(name)


def _overrides(rules: Mapping[str, Any]) -> Iterator[Fault]:
    reasons = _table(rules, "reasons")
    for cell, outcome in _table(rules, "override").items():
        relationship = cell.partition(".")[2]
        if policy.is_cell(cell) and outcome == "ask" and not reasons.get(relationship):
            message = "asks without a reason; expected a sentence in policy.reasons."
            yield ("policy", "override", cell), message + relationship


def _signing(relay: Mapping[str, Any]) -> Iterator[Fault]:
    for key, other in (("dkim_selector", "dkim_key"), ("dkim_key", "dkim_selector")):
        if relay.get(key) and not relay.get(other):
            yield ("relay", key), f"stands alone; expected relay.{other} beside it"


def _in_the_clear(relay: Mapping[str, Any]) -> Iterator[Fault]:
    url = relay.get("url")
    if relay.get("without_tls") is True and isinstance(url, str):
        if url.startswith("smtps://"):
            message = "contradicts smtps:// in relay.url; expected only one of the two"
            yield ("relay", "without_tls"), message
        elif "@" in url:
            message = "would send the password in the clear; expected no user in relay.url"
            yield ("relay", "without_tls"), message


def _inbound(inbound: Mapping[str, Any]) -> Iterator[Fault]:
    if inbound.get("maildir") and inbound.get("imap"):
        yield ("inbound", "imap"), "stands beside maildir; expected only one of the two"


def _codes(campaign: Mapping[str, Any]) -> list[str]:
    codes = campaign.get("languages")
    texts = [code for code in codes if isinstance(code, str)] if isinstance(codes, list) else []
    return [code for code in texts if _CODE.fullmatch(code)]


def _table(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def _elements(raw: Mapping[str, Any], name: str) -> list[tuple[int, Any]]:
    value = raw.get(name)
    elements = list(enumerate(value)) if isinstance(value, list) else []
    return [(index, each) for index, each in elements if isinstance(each, Mapping)]
