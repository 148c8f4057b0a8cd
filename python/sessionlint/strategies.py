"""Strategies for hypothesis: streams that conform, and streams that break a rule.

This module needs the package `hypothesis`.
"""

import json
from typing import Any, Optional

from hypothesis import strategies

from ._native import Protocol, generate

__all__ = ["events", "recordings"]

_SEEDS = strategies.integers(min_value=0, max_value=2**32 - 1)


def recordings(*, protocol: Optional[Protocol] = None, breaks: Optional[str] = None, **options: Any) -> Any:
    """Return a strategy for recordings, as bytes with one event a line.

    `breaks`: a rule that each recording breaks; without it, they conform. `options`: those of `sessionlint.generate`,
    except `seed`.
    """
    return _SEEDS.map(lambda seed: generate(protocol=protocol, seed=seed, breaks=breaks, **options))


def events(*, protocol: Optional[Protocol] = None, breaks: Optional[str] = None, **options: Any) -> Any:
    """Return a strategy for recordings, as lists of events, each a dict. The arguments are those of `recordings`."""
    lines = recordings(protocol=protocol, breaks=breaks, **options).map(bytes.splitlines)
    return lines.map(lambda lines: [json.loads(line) for line in lines])
