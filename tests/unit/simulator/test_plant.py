import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.plant_document import ReplaySource, SimulatedSource
from forewarn.adapters.plant_file import PlantError, load_plant, load_plants
from forewarn.adapters.plant_machine import story_of
from forewarn.domain.simulation.kinds import KINDS

MACHINE = {
    "asset": {"asset_id": "P-1", "asset_class": "centrifugal_pump", "name": "Pump"},
    "source": {"kind": "simulated"},
}


def written(tmp_path: Path, *assets: dict) -> Path:
    path = tmp_path / "plant.yaml"
    path.write_text(yaml.safe_dump({"name": "test", "assets": list(assets)}), encoding="utf-8")
    return path


def test_the_demo_plant_has_pumps_chillers_and_the_recorded_loop():
    plant = load_plant("demo")
    classes = [entry.asset.asset_class for entry in plant.assets]
    assert [classes.count(name) for name in ("centrifugal_pump", "chiller", "pump_loop")] == [6, 2, 1]
    assert set(classes) <= set(load_catalogue())


def test_the_demo_s_history_is_long_enough_for_every_baseline():
    catalogue = load_catalogue()
    for entry in load_plant("demo").assets:
        needed = catalogue[entry.asset.asset_class].twin.baseline_readings
        if isinstance(entry.source, ReplaySource):
            assert entry.source.history_rows > needed
        else:
            history = entry.source.history
            assert history.length_s / history.every_s > needed
            assert needed * history.every_s > entry.source.day.period_s, "the baseline must see every load"


def test_the_demo_s_first_faults_reach_their_end_within_twenty_minutes():
    sources = [entry.source for entry in load_plant("demo").assets if isinstance(entry.source, SimulatedSource)]
    ends = sorted(fault.after_s + fault.duration_s for source in sources for fault in source.faults)
    assert ends[0] < 15 * 60
    assert ends[1] < 20 * 60


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"source": {"kind": "simulated", "faults": [{"fault": "rust", "after_s": 1, "duration_s": 1}]}},
            "no fault rust",
        ),
        (
            {"source": {"kind": "simulated", "scenario": {"name": "sensor_drift", "tag": "colour"}}},
            "no sensor colour; there are flow_m3_h",
        ),
        (
            {
                "source": {
                    "kind": "simulated",
                    "sensors": {"flow_m3_h": {"faults": [{"effect": "swapped_wires", "other": "colour"}]}},
                }
            },
            "no sensor colour; there are flow_m3_h",
        ),
        ({"source": {"kind": "simulated", "seed": -1}}, "source.seed: Input should be greater than or equal to 0"),
        ({"source": {"kind": "simulated", "history": {"every_s": 1e-6}}}, "at most 1,000,000 readings"),
        ({"source": {"kind": "simulated", "design": {"wheels": 4}}}, "design has no field 'wheels'; there are"),
        ({"source": {"kind": "simulated", "day": {"base": 0.9, "swing": 0.3}}}, "demand 0.9"),
        ({"source": {"kind": "simulated", "day": {"hemisphere": "east"}}}, "'north' or 'south'"),
        ({"source": {"kind": "simulated", "day": {"humidity_pct": 3}}}, "humidity_pct must lie within 15 and 95"),
        ({"source": {"kind": "guessed"}}, "'simulated', 'replay'"),
        ({"asset": {"asset_id": "P-1", "asset_class": "pump_loop", "name": "Loop"}}, "cannot be simulated"),
        ({"colour": "red"}, "there is no such key; there are asset, source"),
        ({"source": {"kind": "simulated", "histories": {}}}, "there is no such key; did you mean 'history'?"),
        ({"source": {"kind": "replay", "loops": True}}, "there is no such key; did you mean 'loop'?"),
        ({"source": {"kind": "simulated", "design": {"rated_flow_m3_h": -3}}}, "rated_flow_m3_h must be above 0, not"),
        ({"source": {"kind": "simulated", "design": {"suction_pressure_bar": -5}}}, "must be above -1.01325, not -5"),
        ({"source": {"kind": "simulated", "design": {"best_efficiency": 79}}}, "best_efficiency is a share"),
        ({"source": {"kind": "simulated", "hours": {"start_hour": 20, "stop_hour": 6}}}, "not 20 to 6"),
    ],
)
def test_a_wrong_plant_file_is_refused_with_file_place_and_problem(tmp_path, change, problem):
    path = written(tmp_path, MACHINE | change)
    with pytest.raises(PlantError, match=r"plant\.yaml:\d+: assets\[0\].*: ") as caught:
        load_plant(str(path))
    assert problem in str(caught.value)


def test_every_mistake_is_told_with_its_line(tmp_path):
    path = tmp_path / "plant.yaml"
    path.write_text(
        "name: test\ninterval_s: 0\nassets:\n  - asset: {asset_id: P-1, asset_class: fan, name: Fan}\n    source:\n"
        "      kind: simulated\n      day:\n        base: 0.9\n        swing: 0.3\n      gateway: {late: 2}\n",
        encoding="utf-8",
    )
    with pytest.raises(PlantError) as caught:
        load_plant(str(path))
    lines = [line.strip().removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    places = ["2: interval_s", "7: assets[0].source.day", "10: assets[0].source.gateway.late"]
    assert [line.rpartition(": ")[0] for line in lines[1:]] == places


def test_an_asset_id_must_not_come_twice(tmp_path):
    with pytest.raises(PlantError, match="must be unique, these are not: P-1"):
        load_plant(str(written(tmp_path, MACHINE, MACHINE)))


def test_a_missing_plant_file_is_named(tmp_path):
    with pytest.raises(PlantError, match=r"nowhere\.yaml cannot be read: No such file"):
        load_plant(str(tmp_path / "nowhere.yaml"))


def test_text_that_is_no_yaml_is_refused(tmp_path):
    path = tmp_path / "plant.yaml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(PlantError, match="not valid YAML"):
        load_plant(str(path))


def test_every_fault_of_every_kind_can_be_planned(tmp_path):
    for name, kind in KINDS.items():
        faults = [{"fault": fault, "after_s": 1, "duration_s": 2} for fault in kind.faults]
        asset = {"asset_id": "M-1", "asset_class": name, "name": "Machine"}
        plant = load_plant(str(written(tmp_path, {"asset": asset, "source": {"kind": "simulated", "faults": faults}})))
        source = plant.assets[0].source
        assert isinstance(source, SimulatedSource)
        assert [fault.course(100.0).onset_s for fault in source.faults] == [101.0] * len(kind.faults)


def test_the_plant_file_of_the_docs_is_one(tmp_path):
    page = (Path(__file__).parents[3] / "libs" / "forewarn" / "docs" / "scenarios.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "plant.yaml"
    path.write_text(block, encoding="utf-8")
    (entry,) = load_plant(str(path)).assets
    assert isinstance(entry.source, SimulatedSource)
    story = story_of(entry, entry.source, load_catalogue()["centrifugal_pump"], 1_790_000_000.0)
    assert len(story.run.effects) == 4
    assert story.fault == "cavitation"


def test_plants_are_named_together_and_share_no_asset(tmp_path):
    plants = load_plants("demo, refinery,factory,building")
    assert [plant.name for plant in plants] == ["demo", "refinery", "factory", "building"]
    assert [len(plant.assets) for plant in plants[1:]] == [6, 6, 6]
    with pytest.raises(PlantError, match="asset P-101 is in plant demo and in plant demo"):
        load_plants("demo,demo")
    with pytest.raises(PlantError, match="there are building, demo"):
        load_plants(" , ")


@pytest.mark.parametrize("name", ["refinery", "factory", "building", "water_pump_station"])
def test_the_examples_have_six_machines_with_a_week_of_history_and_one_that_goes_wrong(name):
    entries = load_plant(name).assets
    assert len(entries) == 6
    assert all(len(entry.asset.path) >= 3 for entry in entries)
    sources = [entry.source for entry in entries if isinstance(entry.source, SimulatedSource)]
    assert all(source.history.rows == 2016 and source.history.historical for source in sources)
    assert any(source.scenario is not None for source in sources)


def test_the_weather_of_a_plant_file_is_that_of_the_machine(tmp_path):
    said = {"ambient_temp_c": 9.0, "season_swing_k": 10.0, "hemisphere": "south", "utc_offset_h": 10.0}
    machine = MACHINE | {"source": {"kind": "simulated", "day": said | {"front_k": 0, "weather_seed": 4}}}
    (entry,) = load_plant(str(written(tmp_path, machine))).assets
    assert isinstance(entry.source, SimulatedSource)
    summer_s, winter_s = (datetime(2026, month, 21, 5, tzinfo=UTC).timestamp() for month in (1, 7))  # 15:00 there
    profile = entry.source.day.profile()
    assert float(profile.at(summer_s).ambient_temp_c) == pytest.approx(9.0 + 10.0 + 5.0, abs=0.1)
    assert float(profile.at(winter_s).ambient_temp_c) == pytest.approx(9.0 - 10.0 + 3.0, abs=0.1)
    assert profile.climate.seed == 4
