"""Detect processes that end and are restarted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from forewarn_local.supervision import ProcessInfo
from forewarn_local.supervisord import LASTING_S

KEEPS_ENDING: Final = 4  # exits without a lasting run in between
EXIT_BAD_SETTINGS: Final = 2  # every service's exit code for wrong settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process has ended; ``times`` without a lasting run, ``exit_code`` −1 for a signal."""

    name: str
    times: int
    exit_code: int

    @property
    def is_hopeless(self) -> bool:
        """Return whether another start is unlikely to help."""
        return self.exit_code == EXIT_BAD_SETTINGS or self.times >= KEEPS_ENDING

    @property
    def reason(self) -> str:
        """Return how it ended, in words."""
        if self.exit_code == EXIT_BAD_SETTINGS:
            return "cannot start with its settings (exit code 2)"
        how = "killed by a signal" if self.exit_code < 0 else f"exit code {self.exit_code}"
        return f"keeps ending ({how}, {self.times} times)" if self.is_hopeless else f"ended ({how})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasts:
    """A process that kept ending has run for a while now."""

    name: str


@dataclass(slots=True)
class _Runs:
    pid: int
    start_s: int
    ends: int = 0
    is_reported: bool = False


@dataclass(slots=True)
class Restarts:
    """Compare the supervisor's process list with the previous one."""

    _histories: dict[str, _Runs] = field(default_factory=dict)

    def look(self, infos: Sequence[ProcessInfo]) -> Iterator[Ended | Lasts]:
        """Yield the events since the last look; a hopeless process is reported once."""
        for info in infos:
            known = self._histories.setdefault(info.name, _Runs(pid=info.pid, start_s=info.started_s))
            too_short_to_be_seen = info.pid == known.pid == 0 and info.started_s != known.start_s
            has_ended = (known.pid and info.pid != known.pid) or too_short_to_be_seen
            known.pid, known.start_s = info.pid, info.started_s
            if has_ended:
                known.ends += 1
                ended = Ended(name=info.name, times=known.ends, exit_code=info.exit_code)
                if not known.is_reported:
                    known.is_reported = ended.is_hopeless
                    yield ended
            elif known.ends and info.pid and info.now_s - info.started_s >= LASTING_S:
                if known.is_reported:
                    yield Lasts(name=info.name)
                known.ends, known.is_reported = 0, False
