"""A pluggable anomaly detector for the rows of one asset."""

from typing import Protocol

from forewarn.domain.frames.frame import FloatArray


class Detector(Protocol):
    """Scores rows against the healthy rows that it has learned.

    Rows are of shape (rows, features), finite, float64. Given the same seed, the same calls give the
    same scores. No method changes its arguments. ``fit`` may take seconds and is called in the loop's thread.
    """

    @property
    def name(self) -> str:
        """Return the name for settings and reports."""
        ...

    @property
    def online(self) -> bool:
        """Return whether it learns continuously: rows must then be scored and learned one after another."""
        ...

    @property
    def protected(self) -> bool:
        """Return whether an online detector must not learn from rows that look anomalous."""
        ...

    def fit(self, healthy: FloatArray) -> None:
        """Learn from healthy rows and forget everything before."""
        ...

    def score(self, rows: FloatArray) -> FloatArray:
        """Score rows, shape (rows,), higher is more anomalous; NaN until it has learned enough."""
        ...

    def learn(self, rows: FloatArray) -> None:
        """Learn from rows that have been scored; does nothing unless ``online``."""
        ...

    def dump(self) -> bytes:
        """Return the learned state as plain numbers: nothing in it is executed on loading."""
        ...

    def load(self, data: bytes) -> None:
        """Restore what ``dump`` of a detector of the same name and seed returned; scores are then the same.

        Raises ValueError if the bytes are something else.
        """
        ...


class DetectorUnavailable(Exception):  # noqa: N818  # a state of the installation, not a mistake
    """The detector exists but cannot run here; the message says what to install."""
