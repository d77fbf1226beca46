"""What the benchmark is asked to measure, and how large."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GOAL_RATE = 60_000
LEAST_RATE = 30_000
SECTIONS = ("idle", "micro", "pipeline", "limits", "faust", "import")
DEFAULT_RATES = (1_000, 10_000, 30_000, GOAL_RATE, 100_000)
_QUICK_RATES = (1_000, 5_000)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Sizes of one run.

    ``seconds`` None means 60 s for the goal's rate and 20 s for all others. ``limit_readings`` is what the
    bare copies move, ``comparison_seconds`` how long a Faust worker is measured.
    """

    sections: tuple[str, ...] = SECTIONS
    rates: tuple[int, ...] = DEFAULT_RATES
    seconds: float | None = None
    assets: int = 500
    warm_rate: int = 20_000
    warm_seconds: float = 45.0
    idle_settle_seconds: float = 60.0
    idle_seconds: float = 30.0
    limit_readings: int = 600_000
    comparison_seconds: float = 10.0
    micro_repeats: int = 30
    import_rows: int = 1_000_000
    patience_seconds: float = 30.0
    directory: Path | None = None
    quick: bool = False

    def seconds_of(self, rate: int) -> float:
        """How long a step lasts."""
        if self.seconds is not None:
            return self.seconds
        return 60.0 if rate == GOAL_RATE else 20.0


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure the whole platform on this machine, and what bounds it."
    )
    parser.add_argument("--rates", type=_rates, help="offered readings/s, comma-separated")
    parser.add_argument("--seconds", type=float, help="length of every step (default: 60 at 60000/s, else 20)")
    parser.add_argument("--assets", type=int, help="machines that send (default: 500)")
    parser.add_argument("--only", type=_sections, help=f"comma-separated, of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="tiny: shows that it works, measures nothing of worth")
    parser.add_argument("--directory", type=Path, help="for broker, database and logs; kept afterwards")
    given = parser.parse_args(arguments)
    named = {name: getattr(given, name) for name in ("rates", "seconds", "assets", "directory")}
    chosen = {name: value for name, value in named.items() if value is not None}
    if given.only is not None:
        chosen["sections"] = given.only
    return Options(**({**_QUICK, **chosen} if given.quick else chosen))


_QUICK = {
    "rates": _QUICK_RATES,
    "seconds": 4.0,
    "assets": 60,
    "warm_rate": 2_000,
    "warm_seconds": 3.0,
    "idle_settle_seconds": 10.0,
    "idle_seconds": 5.0,
    "limit_readings": 10_000,
    "comparison_seconds": 3.0,
    "micro_repeats": 5,
    "import_rows": 20_000,
    "patience_seconds": 60.0,
    "quick": True,
}


def _rates(text: str) -> tuple[int, ...]:
    rates = tuple(int(float(part)) for part in text.split(","))
    if not all(rate > 0 for rate in rates):
        raise argparse.ArgumentTypeError(f"rates must be above 0, not {text}")
    return rates


def _sections(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such section: {', '.join(unknown)}")
    return tuple(name for name in SECTIONS if name in names)
