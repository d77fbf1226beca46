"""One row of a frame on its own: some hundred bytes that keep nothing of the frame alive, read when asked for."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import (
    FrameKind,
    Hint,
    Phase,
    contribution_column,
    expected_column,
    quality_column,
    residual_column,
)
from forewarn.domain.time import to_datetime
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.live import JudgementInShort, LiveJudgement, LiveReading

_JUDGEMENT_NUMBERS: Final = ("deviation", "phase", "regime", "model_version", "score", "p_value", "flag", "hint")
_PHASES: Final = frozenset({Phase.BASELINE, Phase.LIVE})
_HINTS: Final = frozenset({Hint.NONE, Hint.ASSET_FAULT, Hint.SENSOR_FAULT})


@dataclass(frozen=True, slots=True)
class RowShape:
    """Which columns make a row of one kind and class, in the order of its numbers."""

    kind: FrameKind
    asset_class: AssetClass
    numbers: tuple[str, ...]
    text: str


@lru_cache(maxsize=512)
def row_shape(kind: FrameKind, asset_class: AssetClass) -> RowShape:
    """The shape of rows of kind VALID or ANOMALY."""
    columns = asset_class.column_names
    if kind is FrameKind.VALID:
        qualities = map(quality_column, asset_class.tag_names)
        return RowShape(kind, asset_class, ("ts", "received_at", *columns, *qualities), "findings")
    per_response = (expected_column, residual_column, contribution_column)
    of_responses = (name(response) for name in per_response for response in asset_class.twin.responses)
    return RowShape(kind, asset_class, ("ts", *columns, *of_responses, *_JUDGEMENT_NUMBERS), "culprit")


@dataclass(frozen=True, slots=True)
class PackedRow:
    """Numbers as float64, which holds every type of a frame exactly, times [µs] until the year 2255 included."""

    shape: RowShape
    numbers: bytes
    text: str | None

    def read(self) -> LiveReading | LiveJudgement:
        """Meaning of the row."""
        return self.reading() if self.shape.kind is FrameKind.VALID else self.judgement()

    def reading(self) -> LiveReading:
        """Meaning of a row of kind VALID.

        Raises
        ------
        InvalidFrame
            If it holds what no reading can.
        """
        asset_class = self.shape.asset_class
        numbers = self._numbers()
        ts, received_at = _time(next(numbers)), _time(next(numbers))
        values = _named(asset_class.column_names, numbers)
        quality = {tag: _code(value) for tag, value in zip(asset_class.tag_names, numbers, strict=True)}
        return LiveReading(ts=ts, received_at=received_at, findings=self.text, values=values, quality=quality)

    def judgement(self) -> LiveJudgement:
        """Meaning of a row of kind ANOMALY.

        Raises
        ------
        InvalidFrame
            If it holds what no judgement can.
        """
        asset_class = self.shape.asset_class
        responses = asset_class.twin.responses
        numbers = self._numbers()
        ts = _time(next(numbers))
        values = _named(asset_class.column_names, numbers)
        expected, residual, contribution = (_named(responses, numbers) for _ in range(3))
        deviation, phase, regime, version, score, p_value, flag, hint = numbers
        if phase not in _PHASES or hint not in _HINTS:
            raise InvalidFrame(f"no such phase or hint: {phase}, {hint}")
        return LiveJudgement(
            ts=ts,
            values=values,
            expected=expected,
            residual=residual,
            contribution=contribution,
            deviation=deviation,
            phase=_code(phase),
            regime=_code(regime),
            model_version=_code(version),
            score=score,
            p_value=p_value,
            flag=bool(flag),
            culprit=self.text,
            hint=_code(hint),
        )

    def in_short(self) -> JudgementInShort:
        """A row of kind ANOMALY without the tags."""
        last = self.numbers[-len(_JUDGEMENT_NUMBERS) * np.dtype(np.float64).itemsize :]
        _, phase, _, _, score, _, flag, _ = np.frombuffer(last, dtype=np.float64).tolist()
        return JudgementInShort(score=score if math.isfinite(score) else None, flag=bool(flag), phase=_code(phase))

    def _numbers(self) -> Iterator[float | None]:
        """In the order of the shape; None for what is unknown."""
        return (n if math.isfinite(n) else None for n in np.frombuffer(self.numbers, dtype=np.float64).tolist())


def _named(names: Sequence[str], numbers: Iterator[float | None]) -> Mapping[str, float | None]:
    return dict(zip(names, islice(numbers, len(names)), strict=True))


def _time(microseconds: float | None) -> datetime:
    try:
        return to_datetime(_code(microseconds))
    except OverflowError as exc:
        raise InvalidFrame(f"{microseconds} µs is not a time") from exc


def _code(number: float | None) -> int:
    if number is None:
        raise InvalidFrame("a status code or time is null")
    return int(number)
