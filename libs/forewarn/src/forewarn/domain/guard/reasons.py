"""Reasons for refusing a reading, in words."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.guard_rules import Cause, PhysicsRule
from forewarn.contracts.readings import RejectionReason
from forewarn.domain.guard.batch import GuardSettings, RawBatch, Rejection
from forewarn.domain.guard.findings import explain, finding_names, may_refuse, seen_by
from forewarn.domain.guard.judge import GuardJudgement
from forewarn.domain.guard.rules import bound_text, measure, unit_of
from forewarn.domain.physics.unit_symbols import quantity
from forewarn.domain.time import S_PER_DAY, US_PER_S

_NO_USABLE_VALUE = "no_usable_value"


class Reasons:
    """Writes the rejections of one batch."""

    def __init__(self, batch: RawBatch, settings: GuardSettings) -> None:
        self._batch = batch
        self._settings = settings
        self._class = batch.asset_class

    def outside_window(self, row: int) -> Rejection:
        """Explain that the reading's time is absurd."""
        ts, received = int(self._batch.ts[row]), int(self._batch.received_at[row])
        distance = f"{_span((received - ts) / US_PER_S)} {'before' if ts < received else 'after'}"
        oldest = "1970" if self._batch.historical[row] else f"{_span(self._settings.max_age_s)} before"
        window = f"{oldest} to {_span(self._settings.max_ahead_s)} after it"
        return Rejection(
            row=row,
            reason=RejectionReason.OUTSIDE_TIME_WINDOW,
            rule=None,
            cause=Cause.DATA,
            values={},
            explanation=f"Time {_time(ts)} is {distance} receipt at {_time(received)}; accepted: {window}",
            recommendation="Check the gateway's clock and time zone; send older data as historical readings",
        )

    def judged(self, judgement: GuardJudgement, position: int, row: int) -> Rejection:
        """Explain why the reading's content is refused."""
        for rule, rows in judgement.broken_rules:
            if rows[position]:
                return self._physics(judgement, position, row, rule)
        flags = judgement.flags[position]
        findings = self._findings(flags)
        said_of_each = (self._problem(finding, judgement, position, row) for finding in findings)
        problems = "; ".join(dict.fromkeys(said_of_each))  # one rule may blame several tags
        if not judgement.usable[position]:
            causes = {explain(finding, self._class).cause for finding in findings}
            return Rejection(
                row=row,
                reason=RejectionReason.NO_VALUE,
                rule=_NO_USABLE_VALUE,
                cause=Cause.SENSOR if Cause.SENSOR in causes else Cause.DATA,
                values=self._known(self._class.tag_names, judgement, position, row),
                explanation=f"No tag has a usable value{f': {problems}' if problems else ''}",
                recommendation="Check the gateway and its connection to the machine's sensors",
            )
        first = self._findings(flags & may_refuse(self._class))[0]
        said = explain(first, self._class)
        return Rejection(
            row=row,
            reason=RejectionReason.STRICT_MODE,
            rule=first.partition(":")[0],
            cause=said.cause,
            values=self._known(self._columns(findings), judgement, position, row),
            explanation=f"Strict mode refuses readings with warnings: {problems}",
            recommendation=said.recommendation,
        )

    def _physics(self, judgement: GuardJudgement, position: int, row: int, rule: PhysicsRule) -> Rejection:
        columns = {name: values[[position]] for name, values in judgement.columns.items()}
        number = float(measure(rule, columns)[0])
        unit = unit_of(rule, self._class.units)
        titles = self._class.titles
        judged = titles[rule.column] if rule.minus is None else f"{titles[rule.column]} − {titles[rule.minus]}"
        values = self._known(seen_by(rule), judgement, position, row)
        others = ", ".join(self._quoted(name, value) for name, value in values.items() if name != rule.column)
        return Rejection(
            row=row,
            reason=RejectionReason.PHYSICS,
            rule=rule.id,
            cause=rule.cause,
            values=values,
            explanation=f"{rule.message}: {judged} is {quantity(number, unit)}, {bound_text(rule, number, unit)}"
            + (f" ({others})" if others else "")
            + f"; suspected: {rule.cause}",
            recommendation=rule.recommendation,
        )

    def _findings(self, flags: NDArray[np.bool_]) -> list[str]:
        names = finding_names(self._class)
        return [finding for i in np.flatnonzero(flags).tolist() for finding in names[i].split(";")]

    def _columns(self, findings: Iterable[str]) -> tuple[str, ...]:
        """Return the columns behind findings."""
        return tuple(dict.fromkeys(name for finding in findings for name in explain(finding, self._class).columns))

    def _problem(self, finding: str, judgement: GuardJudgement, position: int, row: int) -> str:
        said = explain(finding, self._class)
        values = self._known(said.columns, judgement, position, row)
        quoted = ", ".join(self._quoted(name, value) for name, value in values.items())
        return f"{said.message} ({quoted}; suspected: {said.cause})"

    def _known(
        self, columns: Iterable[str], judgement: GuardJudgement, position: int, row: int
    ) -> dict[str, float | None]:
        """Return tags as sent and quantities as derived."""
        values = {name: self._value(name, judgement, position, row) for name in columns}
        return {name: None if np.isnan(value) else value for name, value in values.items()}

    def _value(self, column: str, judgement: GuardJudgement, position: int, row: int) -> float:
        tags = self._class.tag_names
        return float(
            self._batch.values[row, tags.index(column)] if column in tags else judgement.derived[column][position]
        )

    def _quoted(self, column: str, value: float | None) -> str:
        title = self._class.titles[column]
        return f"{title} unknown" if value is None else f"{title} {quantity(value, self._class.units[column])}"


def _span(seconds: float) -> str:
    seconds = abs(seconds)
    if seconds < S_PER_DAY:
        return f"{seconds:.4g} s"
    days = seconds / S_PER_DAY
    return f"{days:.3g} days" if days < 100.0 else f"{days:.0f} days"


def _time(us: int) -> str:
    return f"{np.datetime64(us, 'us')}Z"
