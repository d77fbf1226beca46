"""A call is repeated while its problem passes, and no longer."""

import threading

import pytest

from forewarn.adapters.retrying import retry


class Failing:
    """Fails so many times."""

    def __init__(self, failures, problem=TimeoutError):
        self.failures = failures
        self.problem = problem
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.problem(f"call {self.calls}")
        return self.calls


def passes(problem):
    return isinstance(problem, TimeoutError)


def test_a_passing_problem_is_waited_out():
    seen = []
    assert retry(Failing(2), passes, on_wait=lambda problem: seen.append(str(problem)), pause_s=0.001) == 3
    assert seen == ["call 1", "call 2"]


def test_another_problem_is_raised_at_once():
    call = Failing(1, ValueError)
    with pytest.raises(ValueError, match="call 1"):
        retry(call, passes, pause_s=0.001)
    assert call.calls == 1


def test_the_last_problem_is_raised_when_patience_ends():
    with pytest.raises(TimeoutError):
        retry(Failing(10_000), passes, pause_s=0.001, patience_s=0.02)


def test_a_stop_ends_the_pause():
    stop = threading.Event()
    call = Failing(10_000)
    with pytest.raises(TimeoutError, match="call 2"):
        retry(call, passes, pause_s=60, stop=stop, on_wait=lambda _: stop.set())
