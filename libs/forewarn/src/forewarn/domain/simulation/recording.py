"""Recordings of stories: the messages of one machine in order of arrival, with true labels."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.simulation.delivery import deliver
from forewarn.domain.simulation.machine import Values
from forewarn.domain.simulation.run import simulate, times_us
from forewarn.domain.simulation.story import Story, Truth, truth_of

#: Most rows of a recording: ten years at 5-minute steps.
MOST_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SimulatedRecording:
    """Messages of one machine."""

    story: Story
    stamped_us: NDArray[np.int64]  #: Time stamp of each message [µs since 1970 UTC], shape (n,).
    columns: Values  #: Value per tag, each of shape (n,); NaN where a message has none.
    truth: Truth  #: Labels of the messages.

    @property
    def rows(self) -> int:
        """Return the number of messages."""
        return int(self.stamped_us.shape[0])


def record(story: Story, *, start_s: float, step_s: float, rows: int) -> SimulatedRecording:
    """Record a story from ``start_s``, a reading every ``step_s``; ValueError for no or over ``MOST_ROWS`` rows."""
    if not 1 <= rows <= MOST_ROWS:
        raise ValueError(f"a recording has 1 to {MOST_ROWS:,} readings, not {rows:,}: choose another length or step")
    ts_us = times_us(start_s, step_s, rows)
    columns = simulate(story.run, start_s=start_s, step_s=step_s, rows=rows)
    arrivals = deliver(ts_us, story.delivery, seed=story.run.seed)
    return SimulatedRecording(
        story=story,
        stamped_us=arrivals.stamped_us,
        columns={tag: values[arrivals.rows] for tag, values in columns.items()},
        truth=truth_of(story, ts_us[arrivals.rows]),
    )
