"""The alarm state machine: facts, then rules that hold for any sequence of events."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from forewarn.contracts.alarms import AlarmState, Priority, Transition
from forewarn.contracts.asset_class import AlarmRule
from forewarn.domain.alarms.evaluation import Evaluation, Level, evaluate_value
from forewarn.domain.alarms.lifecycle import NORMAL, Refused, acknowledge, step, withdraw

START = datetime(2026, 11, 20, 20, tzinfo=UTC)
ASSET = "P-101"


def a_rule(**changes):
    values = {
        "id": "hot",
        "source": "threshold",
        "column": "bearing_temp_c",
        "high": 90.0,
        "deadband": 2.0,
        "on_delay_s": 0.0,
        "off_delay_s": 0.0,
        "priority": Priority.HIGH,
        "message": "Hot",
        "action": "Cool it",
    }
    return AlarmRule(**{**values, **changes})


def at(seconds):
    return START + timedelta(seconds=seconds)


def run(rule, samples, state=NORMAL):
    """Feed (second, value) pairs and return the state and all alerts."""
    alerts = []
    for second, value in samples:
        state, new = step(state, evaluate_value(value, rule, "Cel"), ASSET, rule, at(second))
        alerts += new
    return state, alerts


def transitions(alerts):
    return [alert.transition.value for alert in alerts]


def test_a_value_on_the_limit_raises_and_below_the_deadband_it_returns():
    state, alerts = run(a_rule(), [(0, 89.9), (1, 90.0), (2, 88.0), (3, 87.9)])
    assert transitions(alerts) == ["raised", "returned"]
    assert alerts[0].at == at(1)
    assert state.alarm.state is AlarmState.RETURNED_UNACKNOWLEDGED


def test_a_low_limit_mirrors_a_high_one():
    rule = a_rule(high=None, low=10.0)
    state, alerts = run(rule, [(0, 10.1), (1, 10.0), (2, 7.0), (3, 12.0), (4, 12.1)])
    assert transitions(alerts) == ["raised", "returned"]
    assert state.alarm.value == 7.0
    assert state.alarm.limit == 10.0


def test_the_on_delay_runs_in_event_time_and_starts_anew_after_a_dip():
    rule = a_rule(on_delay_s=10)
    assert run(rule, [(0, 95), (9, 95)])[1] == []
    assert transitions(run(rule, [(0, 95), (10, 95)])[1]) == ["raised"]
    assert run(rule, [(0, 95), (5, 89), (6, 95), (15, 95)])[1] == []


def test_the_off_delay_starts_anew_when_the_value_comes_back_even_into_the_deadband():
    rule = a_rule(off_delay_s=10)
    _, alerts = run(rule, [(0, 95), (1, 80), (10, 80), (10.5, 89), (11, 80), (20, 80), (21, 80)])
    assert transitions(alerts) == ["raised", "returned"]
    assert alerts[-1].at == at(21)


def test_an_unknown_value_neither_raises_nor_clears():
    rule = a_rule(off_delay_s=5)
    assert run(rule, [(0, None), (1, None)])[0] is NORMAL
    state, alerts = run(rule, [(0, 95), (1, None), (60, None)])
    assert transitions(alerts) == ["raised"]
    assert state.alarm.active


def test_the_worst_value_is_kept():
    state, _ = run(a_rule(), [(0, 91), (1, 97), (2, 93)])
    assert state.alarm.value == 97


def test_to_return_before_the_acknowledgement_keeps_it_open_until_then():
    state, alerts = run(a_rule(), [(0, 95), (1, 80)])
    occurrence = alerts[0].alarm.occurrence_id
    state, more = acknowledge(state, occurrence, "ann", "seen", at(30))
    assert transitions(more) == ["acknowledged", "closed"]
    assert more[0].by == "ann"
    assert state.alarm is None


def test_to_acknowledge_before_it_returns_closes_it_then():
    state, alerts = run(a_rule(), [(0, 95)])
    state, _ = acknowledge(state, alerts[0].alarm.occurrence_id, "ann", "", at(5))
    assert state.alarm.state is AlarmState.ACKNOWLEDGED
    state, more = run(a_rule(), [(10, 80)], state)
    assert transitions(more) == ["returned", "closed"]
    assert state is NORMAL


def test_closing_has_one_identity_whichever_of_return_and_acknowledgement_is_handled_first():
    state, alerts = run(a_rule(), [(0, 95)])
    occurrence = alerts[0].alarm.occurrence_id
    acked, _ = acknowledge(state, occurrence, "ann", "", at(30))
    _, first = run(a_rule(), [(10, 80)], acked)
    returned, _ = run(a_rule(), [(10, 80)], state)
    _, second = acknowledge(returned, occurrence, "ann", "", at(30))
    assert first[-1].alert_id == second[-1].alert_id
    assert first[-1].at == second[-1].at == at(30)


def test_to_occur_again_unacknowledged_counts_and_stays_one_alarm():
    state, alerts = run(a_rule(), [(0, 95), (1, 80), (2, 95)])
    assert transitions(alerts) == ["raised", "returned", "raised"]
    assert state.alarm.occurrences == 2
    assert len({alert.alarm.occurrence_id for alert in alerts}) == 1
    assert len({alert.alert_id for alert in alerts}) == 3


def test_an_older_occurrence_cannot_be_acknowledged():
    state, alerts = run(a_rule(), [(0, 95), (1, 80)])
    old = alerts[0].alarm.occurrence_id
    state, _ = acknowledge(state, old, "ann", "", at(2))
    state, _ = run(a_rule(), [(3, 95)], state)
    with pytest.raises(Refused, match="is not the open one"):
        acknowledge(state, old, "ann", "", at(4))


def test_nothing_open_cannot_be_acknowledged():
    with pytest.raises(Refused, match="no alarm is open"):
        acknowledge(NORMAL, "x", "ann", "", at(0))


def test_the_first_acknowledgement_stands_and_its_repetition_changes_nothing():
    state, alerts = run(a_rule(), [(0, 95)])
    occurrence = alerts[0].alarm.occurrence_id
    state, _ = acknowledge(state, occurrence, "ann", "", at(1), "c-1")
    assert state.alarm.acknowledged_command == "c-1"
    assert acknowledge(state, occurrence, "ann", "", at(1), "c-1") == (state, ())
    with pytest.raises(Refused, match=r"ann acknowledged occurrence .* before bob"):
        acknowledge(state, occurrence, "bob", "", at(2), "c-2")


def test_an_alarm_whose_rule_is_gone_returns_but_waits_for_its_acknowledgement():
    state, _ = run(a_rule(), [(0, 95)])
    state, alerts = withdraw(state, at(1))
    assert transitions(alerts) == ["returned"]
    assert state.alarm is not None
    assert withdraw(state, at(2)) == (state, ())


@pytest.mark.parametrize("deadband", [0.5, 2.0])
def test_noise_smaller_than_the_deadband_gives_one_alarm(deadband):
    rule = a_rule(deadband=deadband)
    noise = [0.9 * deadband * ((7919 * k) % 101 / 100 - 1) for k in range(2_000)]
    _, alerts = run(rule, [(k, 90.0 + deadband * 0.3 + value) for k, value in enumerate(noise)])
    assert transitions(alerts) == ["raised"]


ALLOWED = {
    (None, "raised"): AlarmState.UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, "acknowledged"): AlarmState.ACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, "returned"): AlarmState.RETURNED_UNACKNOWLEDGED,
    (AlarmState.ACKNOWLEDGED, "returned"): AlarmState.NORMAL,
    (AlarmState.RETURNED_UNACKNOWLEDGED, "raised"): AlarmState.UNACKNOWLEDGED,
    (AlarmState.RETURNED_UNACKNOWLEDGED, "acknowledged"): AlarmState.NORMAL,
    (AlarmState.NORMAL, "closed"): None,
}


class Alarms(RuleBasedStateMachine):
    """Any observations and acknowledgements, in any order, with any delays."""

    def __init__(self):
        super().__init__()
        self.rule = a_rule(on_delay_s=4, off_delay_s=6)
        self.state = NORMAL
        self.now = 0.0
        self.model = None
        self.ids = []

    @rule(delta=st.floats(0.1, 8), level=st.sampled_from(Level))
    def observe(self, delta, level):
        self.now += delta
        value = {Level.OVER: 95.0, Level.WITHIN: 89.0, Level.CLEAR: 50.0}.get(level)
        evaluation = Evaluation(level=level, value=value, limit=90.0)
        self.state, alerts = step(self.state, evaluation, ASSET, self.rule, at(self.now))
        self.follow(alerts)

    @precondition(lambda self: self.state.alarm is not None)
    @rule()
    def acknowledge_open(self):
        self.now += 0.1
        self.state, alerts = acknowledge(self.state, self.state.alarm.occurrence_id, "ann", "", at(self.now))
        self.follow(alerts)

    @rule()
    def acknowledge_another(self):
        before = self.state
        with pytest.raises(Refused):
            acknowledge(self.state, "another", "ann", "", at(self.now))
        assert self.state == before

    def follow(self, alerts):
        for alert in alerts:
            self.model = ALLOWED[(self.model, alert.transition.value)]  # KeyError: not allowed
            assert alert.alarm.state is (self.model or AlarmState.NORMAL)
            self.ids.append(alert.alert_id)

    @invariant()
    def the_alarm_is_open_exactly_as_its_transitions_say(self):
        assert (self.state.alarm is None) == (self.model is None)
        if self.state.alarm is not None:
            assert self.state.alarm.state is self.model

    @invariant()
    def no_transition_has_the_identity_of_another(self):
        assert len(self.ids) == len(set(self.ids))


TestAlarms = Alarms.TestCase


def test_every_transition_is_named():
    assert {name for _, name in ALLOWED} == {t.value for t in Transition} - {"escalated"}
