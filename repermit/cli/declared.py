"""What a paper says: what the config declares, what is held, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from repermit import __version__
from repermit.domain.deadline import last_day
from repermit.domain.policy import EEA
from repermit.report.papers import Gap

if TYPE_CHECKING:
    from repermit.config import Config
    from repermit.config.tables import Processor
    from repermit.ledger.store.holdings import Holdings
    from repermit.ledger.verify import Verified
    from repermit.runtime import Runtime

_NEEDED = {  # by which papers; a register needs everything
    "breach": {"dpo", "processors", "relay", "altered", "keyless"},
    "notice": {"dpo", "processors", "relay", "outside", "language", "altered", "keyless"},
}


def gaps(config: Config, held: Holdings, kind: str, written_in: tuple[str, ...]) -> list[Gap]:
    """Return what the paper *kind* needs, and *config* lacks or cannot be opened."""
    found = [*_missing(config), *_languages(config, written_in), *_unopened(held)]
    needed = _NEEDED.get(kind, {gap.code for gap in found} - {"language"})
    return [gap for gap in found if gap.code in needed]


def names_relay(config: Config) -> bool:
    """Return whether a processor is named that sends the mails, or nobody else does."""
    named = any("relay" in each.role.lower() for each in config.processors)
    return named or config.relay.is_on_this_machine


def outside(config: Config) -> tuple[str, ...]:
    """Return the processors outside the EEA, each with its country."""
    return tuple(
        f"{each.name} ({each.country})" for each in config.processors if each.country not in EEA
    )


def facts(
    runtime: Runtime, held: Holdings, found: Verified, language: str, *, checkpoint: str
) -> dict[str, Any]:
    """Return what the papers say, in *language* where the config has it."""
    config, said, figures = runtime.config, runtime.config.controller, held.figures
    return {
        "made": runtime.clock.now(),
        "release": __version__,
        "campaign": {
            "name": config.campaign.name,
            "id": figures.campaign,
            "answer_days": config.campaign.answer_days,
            "sensitive": config.campaign.sensitive,
        },
        "controller": {
            "name": said.name,
            "postal_address": ", ".join(
                filter(None, map(str.strip, said.postal_address.split("\n")))
            ),
            "registration": said.registration,
            "email": said.email,
            "dpo": said.dpo,
            "dpia": said.dpia,
            "authority": said.authority,
            "privacy_url": said.privacy_url or f"{config.web.public_url}/privacy",
        },
        "purposes": list(_purposes(config, held, language)),
        "policy": {
            "table": config.policy.table,
            "accepted_by": config.policy.accepted_by,
            "accepted_on": config.policy.accepted_on,
            "reasons": list(config.policy.reasons.items()),
        },
        "relay": {
            "host": config.relay.host,
            "tls": config.relay.tls,
            "here": config.relay.is_on_this_machine,
        },
        "web": {"local": config.web.is_local, "keep_until": config.web.keep_until},
        "origin_days": config.web.origin_days,
        "processors": [_processor(each) for each in config.processors],
        "held": {
            **{name: value for name, value in vars(held).items() if name != "figures"},
            "people": sum(figures.standings.values()),
            "standings": [(name, count) for name, count in figures.standings.items() if count],
            "fields": list(held.fields.items()),
            "suppressed_total": sum(held.suppressed.values()),
            "exports": [vars(each) for each in held.exports],
        },
        "figures": {
            "admitted": figures.admitted,
            "purged": figures.purged,
            "erased": figures.erased,
            "last_day": figures.last_due and last_day(figures.last_due, zone=config.campaign.zone),
        },
        "key_files": sorted(each.name for each in runtime.keys.burn.glob("*.key")),
        "log": {
            "size": found.size,
            "root": found.root,
            "holds": found.holds,
            "faults": found.faults,
        },
        "verbatim": checkpoint,
    }


def _purposes(config: Config, held: Holdings, language: str) -> Iterator[Mapping[str, Any]]:
    known = language if language in config.campaign.languages else config.campaign.default_language
    for each in config.purposes:
        yield {
            "text": each.text[known],
            "frequency": each.frequency[known],
            "agreed": held.agreed.get(each.id, 0),
        }


def _processor(each: Processor) -> Mapping[str, Any]:
    return {
        "name": each.name,
        "role": each.role,
        "country": each.country,
        "outside": each.country not in EEA,
        "agreement": each.agreement,
        "date": each.date,
    }


def _missing(config: Config) -> Iterator[Gap]:
    said, policy = config.controller, config.policy
    wanted = {
        "registration": ("controller.registration", said.registration),
        "dpo": ("controller.dpo", said.dpo),
        "dpia": ("controller.dpia", said.dpia or not config.campaign.sensitive),
        "accepted": ("policy.accepted_by", policy.accepted_by),
        "accepted_on": ("policy.accepted_on", policy.accepted_on),
        "tls": ("relay.without_tls", config.relay.tls != "none" or config.relay.is_on_this_machine),
        "keep_until": ("web.keep_until", config.web.keep_until),
        "processors": ("[[processors]]", config.processors),
        "relay": ("[[processors]]", not config.processors or names_relay(config)),
    }
    yield from (Gap(code, key) for code, (key, value) in wanted.items() if not value)
    for each in config.processors:
        if not each.agreement:
            yield Gap("agreement", "processors.agreement", each.name)
        if each.date is None:
            yield Gap("date", "processors.date", each.name)
        if each.country not in EEA:
            yield Gap("outside", "", f"{each.name}, {each.country}")


def _languages(config: Config, written_in: tuple[str, ...]) -> Iterator[Gap]:
    for language in config.campaign.languages:
        if language not in written_in:
            yield Gap("language", "", language)


def _unopened(held: Holdings) -> Iterator[Gap]:
    counts = {"altered": held.altered, "keyless": held.keyless}
    yield from (Gap(code, "", str(count)) for code, count in counts.items() if count)
