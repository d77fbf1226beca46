"""How often the offline detector flags healthy rows it has not seen, on plants nobody tuned on.

    .venv/bin/python tests/bench/false_alarms.py [--data ../shared/data]

Every line learns from one time of a machine and is judged on another. A nominal share of 1 % is asked for; the promise
is to stay below 2 %. The last column is the share of rows flagged when one tag reads two of its standard deviations
too high. The second table has plants with load and weather, judged without and with these named as drivers.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from forewarn.adapters.scoring.readings import Readings, open_table, readings_of
from forewarn.adapters.scoring.scores import score_readings
from forewarn.adapters.scoring.training import Request, learn_readings
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import Profile
from support.driven_plants import DRIVEN_PLANTS, recording
from support.plants import PLANTS, healthy

FAR = 0.01
SIZES = ((500, 6), (3_000, 1), (10_000, 10), (10_000, 40))
TEST_ROWS = 10_000
SEEDS = 3  # of plants with drivers
DAY_S, STEP_S = 86_400.0, 60.0
TRAIN_DAYS, TEST_DAYS = 7, 4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Case:
    """Healthy rows to learn from and healthy rows to judge."""

    name: str
    train: Readings
    test: Readings


def readings(values: np.ndarray, step_s: float = 1.0, unit: np.ndarray | None = None) -> Readings:
    """Rows as if read from a file."""
    return named({f"tag{number}": column for number, column in enumerate(values.T)}, step_s, unit)


def named(tags: dict[str, np.ndarray], step_s: float, unit: np.ndarray | None = None) -> Readings:
    """Tags as if read from a file."""
    rows = len(next(iter(tags.values())))
    return Readings(
        stamps=range(rows),
        times=np.arange(rows) * step_s,
        moments=False,
        unit=np.zeros(rows, dtype=np.intp) if unit is None else unit,
        tags=tags,
    )


def synthetic() -> Iterator[Case]:
    """Every plant in every size, two seeds each."""
    for plant in PLANTS:
        for rows, tags in SIZES:
            for seed in (1, 2):
                train, test = healthy(plant, seed, rows, tags), healthy(plant, 100 + seed, TEST_ROWS, tags)
                yield Case(name=f"{plant}, {rows:,} × {tags}", train=readings(train), test=readings(test))


def simulated() -> Iterator[Case]:
    """The machines of the simulator: a week of one-minute rows, and four days after it."""
    for name, kind in KINDS.items():
        rng, design, state, profile = np.random.default_rng(5), kind.design(), kind.start, Profile()
        rows = []
        for number in range(int((TRAIN_DAYS + TEST_DAYS) * DAY_S / STEP_S)):
            around = profile.at(np.array([number * STEP_S]))
            state, values = kind.step(design, state, dt_s=STEP_S, surroundings=around, faults={}, rng=rng)
            rows.append([float(np.asarray(value).ravel()[0]) for value in values.values()])
        table, cut = np.array(rows), int(TRAIN_DAYS * DAY_S / STEP_S)
        yield Case(name=f"simulated {name}", train=readings(table[:cut], STEP_S), test=readings(table[cut:], STEP_S))


def recorded(data: Path) -> Iterator[Case]:
    """Real and published data: parts known to be healthy."""
    path = data / "skab" / "data" / "anomaly-free" / "anomaly-free.csv"
    table = open_table(path, "datetime", None)
    tags = [name for name in table.names if name != "datetime"]
    whole = readings_of(table, "datetime", None, tags, sort=False)
    values = np.column_stack(list(whole.tags.values()))
    yield Case(name="SKAB anomaly-free, first 60 %", train=readings(values[:5600]), test=readings(values[5600:]))
    for subset in ("FD001", "FD003"):
        table = open_table(data / "cmapss" / f"train_{subset}.csv.gz", None, "machine_number")
        unit, _ = table.codes("machine_number")
        names = [n for n in table.names if n not in ("machine_number", "uptime")]
        values = np.column_stack([table.numbers(n) for n in names])
        life = np.bincount(unit)[unit]
        early = table.numbers("uptime") <= 0.4 * life
        first, second = early & (unit < 50), early & (unit >= 50)
        yield Case(
            name=f"C-MAPSS {subset}, early life of 50 engines, then of 50 others",
            train=readings(values[first], unit=unit[first]),
            test=readings(values[second], unit=unit[second]),
        )


def driven(seeds: int) -> Iterator[tuple[Case, tuple[str, ...]]]:
    """Plants with drivers, and what these are."""
    for plant in DRIVEN_PLANTS:
        for seed in range(seeds):
            found = recording(plant, seed)
            train, test = (named(tags, found.step_s) for tags in found.split())
            yield Case(name=plant, train=train, test=test), found.drivers


def shares(case: Case, drivers: tuple[str, ...] = ()) -> tuple[float, float]:
    """Share of flagged rows, healthy and with one tag biased."""
    model = learn_readings(case.train, Request(path=Path(case.name), time="time", drivers=drivers, far=FAR), {}).model
    flagged = score_readings(model, case.test).flag.mean()
    tag = model.detector.twin.responses[0]
    biased = {**case.test.tags, tag: case.test.tags[tag] + 2.0 * np.nanstd(case.train.tags[tag])}
    wrong = Readings(stamps=case.test.stamps, times=case.test.times, moments=False, unit=case.test.unit, tags=biased)
    return float(flagged), float(score_readings(model, wrong).flag.mean())


def say(text: str) -> None:
    """Write a line of the table."""
    sys.stdout.write(text + "\n")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measured false-alarm shares of the offline detector.")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2].parent / "shared" / "data")
    data = parser.parse_args().data
    began_s = time.process_time()
    say(f"| healthy data (nominal {FAR:.1%}) | flagged | one tag 2 sd off |\n|---|---|---|")
    results: dict[str, list[tuple[float, ...]]] = {}
    for source in (synthetic(), simulated(), recorded(data) if data.is_dir() else iter(())):
        for case in source:
            results.setdefault(case.name, []).append(shares(case))
    say_shares(results)
    say(f"\n| healthy data (nominal {FAR:.1%}) | flagged | 2 sd off | with drivers: flagged | 2 sd off |")
    say("|---|---|---|---|---|")
    compared: dict[str, list[tuple[float, ...]]] = {}
    for case, drivers in driven(SEEDS):
        compared.setdefault(case.name, []).append((*shares(case), *shares(case, drivers)))
    say_shares(compared)
    say(f"\n{len(results) + len(compared)} cases, {time.process_time() - began_s:.0f} s of CPU")


def say_shares(results: dict[str, list[tuple[float, ...]]]) -> None:
    """Write a row for each case: false alarms and hits in turn, mean over the seeds."""
    for name, found in results.items():
        cells = [
            f"{share:.2%}{' **above 2 %**' if share > 2 * FAR else ''}" if place % 2 == 0 else f"{share:.0%}"
            for place, share in enumerate(np.mean(found, axis=0))
        ]
        say(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
