"""Slows down who tries links: a bucket for each network, which only bad signatures empty."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

_AT_ONCE = 30  # bad links that a network may open, for whoever copied theirs badly
_SECONDS_EACH = 6.0  # in which it may open one more
_NETWORKS = 10_000  # remembered at once, about 3 MB; who has been quiet longest is forgotten


class Throttle:
    """Counts links with a bad signature, by the network that they come from."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._free_at: OrderedDict[str, float] = OrderedDict()  # when the bucket is full again

    def __len__(self) -> int:
        """Return how many networks are remembered."""
        return len(self._free_at)

    def wait_after(self, network: str) -> int:
        """Count one bad link from *network*; return the seconds until the next may come, 0 as long
        as there were few."""
        now = self._seconds()
        free_at = max(self._free_at.pop(network, now), now) + _SECONDS_EACH
        over = free_at - now - _AT_ONCE * _SECONDS_EACH
        self._free_at[network] = free_at if over <= 0 else free_at - _SECONDS_EACH
        if len(self._free_at) > _NETWORKS:
            self._free_at.popitem(last=False)
        return max(0, math.ceil(over))
