"""Says in plain words why a reading was refused."""

import numpy as np

from forewarn.contracts.asset_class import PhysicsRule
from forewarn.contracts.readings import RejectionReason
from forewarn.domain.guard.batch import GuardSettings, RawBatch, Rejection
from forewarn.domain.guard.findings import explain, finding_names
from forewarn.domain.guard.judge import Judgement
from forewarn.domain.guard.limits import US_PER_S
from forewarn.domain.guard.rules import bound_text

_S_PER_DAY = 86_400.0
_NO_USABLE_VALUE = "no_usable_value"


class Reasons:
    """Writes the rejections of one batch."""

    def __init__(self, batch: RawBatch, settings: GuardSettings) -> None:
        self._batch = batch
        self._settings = settings
        self._class = batch.asset_class

    def outside_window(self, row: int) -> Rejection:
        """The reading's time is absurd."""
        ts, received = int(self._batch.ts[row]), int(self._batch.received_at[row])
        distance = f"{_span((received - ts) / US_PER_S)} {'before' if ts < received else 'after'}"
        window = f"{_span(self._settings.max_age_s)} before to {_span(self._settings.max_ahead_s)} after it"
        return Rejection(
            row=row,
            reason=RejectionReason.OUTSIDE_TIME_WINDOW,
            rule=None,
            explanation=f"Time {_time(ts)} is {distance} the receipt at {_time(received)}; accepted is {window}",
            recommendation="Check the gateway's clock and time zone; send older data as historical readings",
        )

    def judged(self, judgement: Judgement, position: int, row: int) -> Rejection:
        """The reading's content is refused."""
        for rule, rows in judgement.broken_rules:
            if rows[position]:
                return self._physics(judgement, position, row, rule)
        names = finding_names(self._class)
        findings = ";".join(names[i] for i in np.flatnonzero(judgement.flags[position]).tolist()).split(";")
        problems = [self._problem(finding, row) for finding in findings if finding]
        if not judgement.usable[position]:
            detail = f": {'; '.join(problems)}" if problems else ""
            return Rejection(
                row=row,
                reason=RejectionReason.NO_VALUE,
                rule=_NO_USABLE_VALUE,
                explanation=f"No tag has a usable value{detail}",
                recommendation="Check the gateway and its connection to the machine's sensors",
            )
        return Rejection(
            row=row,
            reason=RejectionReason.STRICT_MODE,
            rule=findings[0].partition(":")[0],
            explanation=f"Strict mode refuses readings with warnings: {'; '.join(problems)}",
            recommendation=explain(findings[0], self._class).recommendation,
        )

    def _physics(self, judgement: Judgement, position: int, row: int, rule: PhysicsRule) -> Rejection:
        columns = {**dict(zip(self._class.tag_names, judgement.values[position], strict=True)), **judgement.derived}
        value = np.asarray(columns[rule.column])
        number = float(value if value.ndim == 0 else value[position])
        unit = self._class.units[rule.column]
        blamed = ", ".join(self._value(tag, row) for tag in rule.blames)
        return Rejection(
            row=row,
            reason=RejectionReason.PHYSICS,
            rule=rule.id,
            explanation=f"{rule.message}: {rule.column} is {number:g} {unit}, {bound_text(rule, number, unit)}"
            + (f" ({blamed})" if blamed else ""),
            recommendation=rule.recommendation,
        )

    def _problem(self, finding: str, row: int) -> str:
        column = finding.partition(":")[2]
        message = explain(finding, self._class).message
        return f"{message} ({self._value(column, row)})" if column in self._class.tag_names else message

    def _value(self, tag: str, row: int) -> str:
        value = float(self._batch.values[row, self._class.tag_names.index(tag)])
        return f"{tag} absent" if np.isnan(value) else f"{tag} = {value:g} {self._class.units[tag]}".rstrip()


def _span(seconds: float) -> str:
    seconds = abs(seconds)
    return f"{seconds / _S_PER_DAY:.3g} days" if seconds >= _S_PER_DAY else f"{seconds:.4g} s"


def _time(us: int) -> str:
    return f"{np.datetime64(us, 'us')}Z"
