import json

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.readings import Reading
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.simulation.pump import PUMP_TAGS
from forewarn_simulator.load.command import main
from forewarn_simulator.load.cycle import TAIL, Cycle, encode_cycle
from support.raw_batches import raw_batch, rows_of

PUMP = load_catalogue()["centrifugal_pump"]


def cycle(tags: int = 10) -> Cycle:
    return encode_cycle([f"L-{i}" for i in range(20)], tags=tags, samples=60, rng=np.random.default_rng(3))


def reading(given: Cycle, sample: int, asset: int) -> Reading:
    stamp = b"2026-11-21T00:00:00.000001Z"
    return Reading.model_validate_json(given.heads[asset] + stamp + given.bodies[sample][asset] + b"41" + TAIL)


@pytest.mark.parametrize("tags", [1, 10])
def test_encoded_messages_are_readings_of_the_contract(tags):
    decoded = reading(cycle(tags), 5, 3)
    assert (decoded.asset_id, decoded.seq, decoded.source) == ("L-3", 41, "load")
    assert tuple(decoded.metrics) == PUMP_TAGS[:tags]


@pytest.mark.parametrize("tags", [0, 11])
def test_a_pump_has_ten_tags(tags):
    with pytest.raises(ValueError, match="1 to 10 tags"):
        cycle(tags)


def test_load_passes_the_guard_without_a_warning_even_across_the_end_of_the_cycle():
    given = cycle()
    rows = [reading(given, i % 60, asset) for i in range(150) for asset in range(20)]
    ts = 1_790_000_000_000_000 + np.arange(len(rows), dtype=np.int64) * 1_000
    batch = raw_batch(PUMP, ts, rows_of(PUMP, [row.metrics for row in rows]), [row.asset_id for row in rows])
    result = check(batch, GuardState.empty(PUMP), GuardSettings(), {})
    assert {f for f in result.frame.strings["findings"].to_list() if f} == set()
    assert result.counters.accepted == len(rows)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--rate", "0"], "must be above 0"),
        (["--assets", "0"], "must be 1 or more"),
        (["--duration", "-1"], "must be 0 or more"),
        (["--tags", "11"], "invalid choice"),
    ],
)
def test_wrong_options_are_refused(arguments, problem, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert problem in capsys.readouterr().err


def test_a_missing_broker_address_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["--duration", "0"]) == 2
    assert "KAFKA_BOOTSTRAP_SERVERS" in capsys.readouterr().err


def test_bodies_are_plain_json():
    body = cycle(2).bodies[0][0]
    assert json.loads(b'{"x":"' + body + b"0}")["metrics"].keys() == {"flow_m3_h", "suction_pressure_bar"}
