"""Whole columns at once decide what one row after the other does, to the last identifier."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.assets import AcknowledgeAlarm
from forewarn.contracts.frames import FrameKind
from forewarn.domain.alarms.asset import acknowledge_alarm
from forewarn.domain.alarms.evaluation import Evaluation, Level, levels, limit_for
from forewarn.domain.alarms.lifecycle import NORMAL, acknowledge, step
from forewarn.domain.alarms.rows import observe_frame
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.physics.unit_symbols import quantity, unit_of_difference
from forewarn.domain.time import to_datetime
from forewarn.testing.frames import START_US, anomaly_frame

PUMP = load_catalogue()["centrifugal_pump"]
BOTH_LIMITS = PUMP.alarms[0].model_copy(update={"id": "both", "low": 0.6, "on_delay_s": 3.0, "off_delay_s": 4.0})
CLASS = PUMP.model_copy(update={"alarms": (*PUMP.alarms, BOTH_LIMITS)})


class RowByRow:
    """The plain reading of the rules: each row through each rule's state machine."""

    def __init__(self):
        self.rules, self.alerts, self._seen = {}, [], {}

    def apply(self, frame):
        sources = ["threshold"] + (["anomaly"] if frame.kind is FrameKind.ANOMALY else [])
        for row, asset in enumerate(frame.assets.to_list()):
            time = int(frame.arrays["ts"][row])
            if frame.arrays["late"][row] or frame.arrays["historical"][row]:
                continue
            for source in sources:
                if time <= self._seen.get((asset, source), time - 1):
                    continue
                self._seen[asset, source] = time
                for rule in frame.asset_class.alarms:
                    if rule.source == source:
                        self._step(asset, rule, judged(frame, rule, row), to_datetime(time))

    def _step(self, asset, rule, evaluation, at):
        before = self.rules.get((asset, rule.id), NORMAL)
        self.rules[asset, rule.id], raised = step(before, evaluation, asset, rule, at)
        self.alerts += raised

    @property
    def busy(self):
        return {key: state for key, state in self.rules.items() if not state.idle}


def judged(frame, rule, row):
    if rule.source == "anomaly":
        score = float(frame.arrays["score"][row])
        if not np.isfinite(score):
            return Evaluation(level=Level.UNKNOWN, value=None, limit=None)
        flag = frame.arrays["flag"][row]
        culprit = frame.strings["culprit"].to_list()[row]
        headline = _deviation(frame, row, culprit) if flag and culprit else ""
        level = Level.OVER if flag else Level.CLEAR
        return Evaluation(level=level, value=score, limit=None, unit="1", headline=headline)
    value = float(frame.arrays[rule.column][row])
    level = Level(int(levels(np.array([value]), rule)[0]))
    known = None if level is Level.UNKNOWN else value
    return Evaluation(level=level, value=known, limit=limit_for(rule, known), unit=CLASS.units[rule.column])


def _deviation(frame, row, culprit):
    title, unit = CLASS.titles[culprit], CLASS.units[culprit]
    measured, expected = (float(frame.arrays[name][row]) for name in (culprit, f"expected_{culprit}"))
    if not measured - expected:
        return f"{title} deviates most"
    way = "above" if measured > expected else "below"
    distance = quantity(abs(measured - expected), unit_of_difference(unit), digits=2)
    return f"{title} {quantity(measured, unit)}, {distance} {way} expected"


@st.composite
def frames(draw):
    """Readings of three pumps around all limits; late, repeated and out of order; before and after scoring."""
    count = draw(st.integers(1, 40))

    def column(values):
        return draw(st.lists(st.sampled_from(values), min_size=count, max_size=count))

    kind = draw(st.sampled_from([FrameKind.VALID, FrameKind.ANOMALY]))
    columns = {
        "vibration_mm_s": column([0.5, 0.8, 1.0, 4.3, 4.6, 5.0, 6.8, 7.5, 9.0, float("nan")]),
        "bearing_temp_c": column([60.0, 89.0, 95.0]),
        "late": column([False, False, False, True]),
        "historical": column([False, False, False, True]),
    }
    scored = {"flag": column([False, True]), "score": column([5.0, 60.0, 90.0, float("nan")])}
    steps = draw(st.lists(st.sampled_from([1, 1, 2, 5, 40, 0, -3]), min_size=count, max_size=count))
    return anomaly_frame(
        CLASS,
        column(["P-1", "P-1", "P-2", "P-3"]),
        START_US + (draw(st.integers(0, 200)) + np.cumsum(steps)) * 1_000_000,
        columns | (scored if kind is FrameKind.ANOMALY else {}),
        culprit=column([None, "power_kw"]),
        kind=kind,
    )


@pytest.mark.parametrize("acknowledging", [False, True])
@given(course=st.lists(frames(), min_size=1, max_size=5))
def test_a_frame_at_once_decides_what_its_rows_decide_one_by_one(acknowledging, course):
    plain, states, seen, alerts = RowByRow(), {}, Seen(), []
    for frame in course:
        plain.apply(frame)
        result = observe_frame(states, seen, frame)
        states.update(result.states)
        alerts += result.alerts
        if acknowledging:
            acknowledge_everything(plain, states)
    found = {(asset, rule): state for asset, alarms in states.items() for rule, state in alarms.rules.items()}
    assert found == plain.busy
    assert sorted(alerts, key=lambda alert: alert.alert_id) == sorted(plain.alerts, key=lambda alert: alert.alert_id)


def acknowledge_everything(plain, states):
    for (asset, rule), state in plain.busy.items():
        if state.alarm is not None:
            at = state.alarm.last_active_at
            plain.rules[asset, rule], _ = acknowledge(state, state.alarm.occurrence_id, "ann", "", at)
            body = AcknowledgeAlarm(alarm_id=state.alarm.alarm_id, occurrence_id=state.alarm.occurrence_id)
            states[asset], _ = acknowledge_alarm(states[asset], body, "ann", at)
