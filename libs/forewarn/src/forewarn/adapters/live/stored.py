"""An asset's newest data from the database, packed until requested."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from types import MappingProxyType
from typing import Final

import numpy as np

from forewarn.contracts.answers.assets import LiveJudgement
from forewarn.contracts.frames import JudgementSummary, Phase
from forewarn.ports.history import Latest
from forewarn.ports.live import JudgementInShort, NewestReading

_NOTHING: Final[Mapping[str, float | None]] = MappingProxyType({})
_NO_CODES: Final[Mapping[str, int]] = MappingProxyType({})

Names = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class StoredState:
    """A ``Latest`` whose mappings are packed: 1 kB an asset instead of 7."""

    rest: Latest
    names: Names
    numbers: bytes

    @classmethod
    def of(cls, latest: Latest) -> "StoredState":
        """Pack a row from the database."""
        parts = (latest.values, latest.quality, latest.expected, latest.residual)
        numbers = (math.nan if n is None else n for n in chain.from_iterable(part.values() for part in parts))
        rest = replace(latest, values=_NOTHING, quality=_NO_CODES, expected=_NOTHING, residual=_NOTHING)
        return cls(rest, _shared(tuple(map(tuple, parts))), np.fromiter(numbers, dtype=np.float64).tobytes())

    def reading(self) -> NewestReading:
        """Return the newest reading."""
        values, quality, _, _ = self._parts()
        return NewestReading(
            ts=self.rest.ts,
            received_at=self.rest.received_at,
            findings=self.rest.findings,
            values=values,
            quality={tag: int(code) for tag, code in quality.items() if code is not None},
        )

    def judgement(self) -> LiveJudgement:
        """Return the newest judgement.

        The database keeps no contributions, and the judged reading's own values only if it is the newest.
        """
        latest = self.rest
        values, _, expected, residual = self._parts()
        judged_at = latest.judged_at or latest.ts
        return LiveJudgement(
            ts=judged_at,
            values=values if judged_at == latest.ts else {},
            expected=expected,
            residual=residual,
            contribution={},
            **dict(self._summary),
        )

    def judgement_in_short(self) -> JudgementInShort:
        """Return the newest judgement without the tags."""
        judged = self._summary
        phase = Phase.LIVE if judged.phase == "live" else Phase.BASELINE
        return JudgementInShort(score=judged.score, flag=judged.flag, phase=phase)

    @property
    def _summary(self) -> JudgementSummary:
        if self.rest.judgement is None:
            raise ValueError(f"{self.rest.asset_id} was not judged")
        return self.rest.judgement

    def _parts(self) -> list[dict[str, float | None]]:
        numbers: Iterator[float | None] = (
            None if math.isnan(n) else n for n in np.frombuffer(self.numbers, dtype=np.float64).tolist()
        )
        return [dict(zip(names, islice(numbers, len(names)), strict=True)) for names in self.names]


@lru_cache(maxsize=512)
def _shared(names: Names) -> Names:
    """Return one tuple of names for all assets of a class."""
    return names
