"""``make abuse``: every attack against one running platform; prints the table of infra/docs/hostile-input.md.

The exit code is not zero if a process ended, passed its memory ceiling, or a neighbour was stopped.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

import numpy as np  # noqa: E402  # importable without the path, but belongs below it

from bench.abuse import by_http, by_kafka  # noqa: E402  # only importable now
from bench.abuse.plant import Plant  # noqa: E402
from bench.abuse.watch import Watch  # noqa: E402
from bench.installation import BenchError, Installation  # noqa: E402
from bench.progress import say  # noqa: E402
from forewarn.contracts.limits import MEMORY_CEILING_MIB  # noqa: E402
from support.platform import start_platform  # noqa: E402

Attack = Callable[[Plant], str]

ATTACKS: dict[str, Attack] = {
    "M4-M7": by_http.values_at_the_edge,
    "C2": by_kafka.command_before_the_first_year,
    "M8": by_kafka.corrupt_frames,
    "C1": by_kafka.list_of_two_million,
    "H4": by_kafka.names_of_four_megabytes,
    "H7": by_kafka.old_rows_of_many_assets,
    "M1": by_http.validations_beside_scenarios,
    "H2": by_http.headers_without_end,
    "M2": by_http.half_open_connections,
    "H3": by_kafka.junk_of_eight_megabytes,
}

_HEAD = (
    "| | outcome | neighbours pass after | slowest `/livez` | highest memory [MiB] | ended |",
    "|---|---|---|---|---|---|",
)


def main(wanted: list[str]) -> int:
    """Run the wanted attacks, or all."""
    directory = Path(tempfile.mkdtemp(prefix="forewarn-abuse-"))
    directory.chmod(0o711)
    failed = False
    rows = []
    with Installation(directory, heap_mb=512) as installation:
        platform = start_platform(
            installation.spawn,
            bootstrap=installation.bootstrap,
            prefix="",
            database_url=installation.database.url,
            plant="demo",
        )
        plant = Plant(installation, platform, np.random.default_rng(7))
        plant.settle()
        for name in wanted or ATTACKS:
            say(f"{name}: {ATTACKS[name].__doc__}")
            row, well = _attacked(plant, name, ATTACKS[name])
            failed |= not well
            rows.append(row)
            say(row)
        plant.close()
    print("\n".join([*_HEAD, *rows]))  # noqa: T201  # the command's output
    say(f"logs: {directory}")
    return int(failed)


def _attacked(plant: Plant, name: str, attack: Attack) -> tuple[str, bool]:
    """A row of the table, and whether all held."""
    stopped = False
    with Watch(plant.platform) as watch:
        try:
            outcome = attack(plant)
            after = f"{plant.settle():.1f} s"
        except BenchError as problem:
            outcome, after, stopped = str(problem), "never", True
    over = {name for name, mib in watch.peak_mib.items() if mib > MEMORY_CEILING_MIB[name]}
    high = sorted(watch.peak_mib.items(), key=lambda item: -item[1])[:3]
    memory = ", ".join(
        f"{'**' if one in over else ''}{one} {mib:.0f}{'**' if one in over else ''}" for one, mib in high
    )
    ended = ", ".join(sorted(watch.ended)) or "none"
    row = f"| {name} | {outcome} | {after} | {max(watch.live_ms):.0f} ms | {memory} | {ended} |"
    return row, not (stopped or over or watch.ended)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
