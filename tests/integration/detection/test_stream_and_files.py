"""What the running platform says of readings is what ``forewarn fit`` and ``forewarn score`` say of the same readings.

Known differences, by design (``libs/forewarn/docs/detection.md``): the stream goes on from its baseline where a file
starts cold, so the first window of rows is not compared; the stream wants ``min_readings`` of a tag before it speaks of
it, a file has a score for every row; frames carry 32-bit floats; a class knows the ranges of its tags and
what responses follow by physics, a file does not, so that the driven machine here has a class that states neither
physics nor ranges that matter.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forewarn.adapters.catalogue import Catalogue, load_catalogue
from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.frames.codec import decode_frame
from forewarn.adapters.kafka.admin import create_topics
from forewarn.contracts.alarms import Alert, Transition
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import format_utc
from forewarn.contracts.frames import FrameKind, Phase, contribution_column
from forewarn.contracts.topics import TopicName, qualified
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.frames.frame import FloatArray, Frame, concat
from forewarn.domain.simulation.growth import GrowthCourse
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.run import MachineRun, simulate
from support.plant import register
from support.stack import wait_until
from support.wire import Message, produce, read_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

#: A fan as a class of one's own states it: what drives it and what to judge, and no physics, as in a table.
PLAIN_FAN = """\
name: plain_fan
title: Fan without physics
tags:
  - {name: speed_rpm, title: Speed, unit: 1/min, engineering_range: [0, 3700]}
  - {name: flow_m3_h, title: Air flow, unit: m3/h, engineering_range: [0, 30000]}
  - {name: air_temp_c, title: Air temperature, unit: Cel, engineering_range: [-40, 120]}
  - {name: static_pressure_pa, title: Static pressure rise, unit: Pa, engineering_range: [-50, 6000]}
  - {name: power_kw, title: Power, unit: kW, engineering_range: [0, 50]}
  - {name: vibration_de_mm_s, title: Vibration, unit: mm/s, engineering_range: [0, 20]}
  - {name: bearing_de_temp_c, title: Bearing temperature, unit: Cel, engineering_range: [-30, 110]}
twin:
  drivers: [speed_rpm, flow_m3_h, air_temp_c]
  responses: [static_pressure_pa, power_kw, vibration_de_mm_s, bearing_de_temp_c]
health:
  - {column: vibration_de_mm_s, weight: 1, good: 3, bad: 7, message: The fan shakes, recommendation: Check the impeller}
alarms:
  - {id: anomaly, source: anomaly, priority: medium, message: Unlike its learned normal, action: Inspect the named tag}
"""

SERVICES = ("validator", "twin", "anomaly", "alerting")
SEED = 5
BEGIN_S = datetime(2026, 3, 2, tzinfo=UTC).timestamp()  # for the simulation, whose weather follows the calendar
STEP_S = 10.0
DAY_S = 1_200.0  # of the simulated demand: the baseline sees five of them
ROWS, ONSET = 1_500, 1_150
PAUSE_AFTER, PAUSE_ROWS = 800, 30  #: readings that never came: three times as long as smoothing bridges
SILENT_ROWS = slice(900, 940)  #: the second response's sensor says nothing
SCORE_TOLERANCE = 0.25  # of 100
SETTINGS = AnomalySettings()


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Readings of one machine, in which a fault grows from row ``ONSET`` on."""

    asset: Asset
    asset_class: AssetClass
    times: list[datetime]
    columns: Mapping[str, FloatArray]

    @property
    def drivers(self) -> tuple[str, ...]:
        return self.asset_class.twin.drivers

    @property
    def baseline(self) -> int:
        return self.asset_class.twin.baseline_readings

    def scarce(self) -> NDArray[np.bool_]:
        """Rows for which a tag has a few readings to average since the pause, but fewer than the stream wants."""
        known = np.isfinite(np.column_stack(list(self.columns.values())))
        few = np.zeros(len(self.times), dtype=np.bool_)
        for row in range(len(self.times)):
            first = max(row - SETTINGS.window + 1, PAUSE_AFTER if row >= PAUSE_AFTER else 0)
            count = known[first : row + 1].sum(axis=0)
            few[row] = ((count > 0) & (count < SETTINGS.min_readings)).any()
        return few

    def messages(self) -> Iterator[Message]:
        for row, at in enumerate(self.times):
            metrics = {tag: float(values[row]) for tag, values in self.columns.items() if np.isfinite(values[row])}
            body = {"asset_id": self.asset.asset_id, "ts": format_utc(at), "metrics": metrics, "seq": row}
            yield Message(key=self.asset.asset_id.encode(), value=json.dumps(body).encode())

    def write(self, path: Path, rows: slice) -> None:
        """Rows as a table for the offline tools."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["when", *self.columns])
            for at, values in zip(self.times[rows], np.column_stack(list(self.columns.values()))[rows], strict=True):
                writer.writerow([format_utc(at), *("" if np.isnan(value) else repr(float(value)) for value in values)])


def machine(asset_class: AssetClass, simulated: str, fault: str, severity: float, names: Mapping[str, str]) -> Machine:
    """A simulated machine under a class; ``names`` are the class's tags by those of the simulation."""
    run = MachineRun(
        asset_class=simulated,
        profile=Profile(period_s=DAY_S),
        courses=(
            GrowthCourse(
                fault=fault, onset_s=BEGIN_S + ONSET * STEP_S, end_s=BEGIN_S + ROWS * STEP_S, severity=severity
            ),
        ),
        seed=SEED,
    )
    made = simulate(run, start_s=BEGIN_S, step_s=STEP_S, rows=ROWS)
    columns = {name: made[source].astype(float) for source, name in names.items()}
    responses = [name for name in asset_class.twin.responses if name in columns]
    columns[responses[1]][SILENT_ROWS] = np.nan
    came = np.delete(np.arange(ROWS), np.s_[PAUSE_AFTER : PAUSE_AFTER + PAUSE_ROWS])
    start_s = int(datetime.now(UTC).timestamp()) - ROWS * STEP_S  # the platform takes no readings of the far past
    return Machine(
        asset=Asset(asset_id=f"{asset_class.name.upper()}-1", asset_class=asset_class.name, name="Seeded machine"),
        asset_class=asset_class,
        times=[datetime.fromtimestamp(start_s + row * STEP_S, UTC) for row in came.tolist()],
        columns={name: values[came] for name, values in columns.items()},
    )


def machines(catalogue: Catalogue) -> tuple[Machine, ...]:
    """One predicted from drivers, and one without, of which a tag is never sent."""
    fan = catalogue["plain_fan"]
    plain = {
        "bearing_temp_c": "temperature_c",
        "vibration_mm_s": "vibration_mm_s",
        "discharge_pressure_bar": "pressure_bar",
        "power_kw": "power_kw",
    }
    return (
        machine(fan, "fan", "fan_imbalance", 0.6, {tag: tag for tag in fan.tag_names}),
        machine(catalogue["generic"], "centrifugal_pump", "impeller_wear", 0.8, plain),
    )


def forewarn(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "forewarn_local", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def scored_by_files(subject: Machine, directory: Path) -> list[dict[str, str]]:
    """Fit on the readings the twin learned from, score those that follow."""
    name = subject.asset.asset_id
    healthy, new, model, scores = (directory / f"{name}-{part}" for part in ("normal.csv", "new.csv", "m.fw", "s.csv"))
    subject.write(healthy, slice(0, subject.baseline))
    subject.write(new, slice(subject.baseline, None))
    drivers = ["--drivers", ",".join(subject.drivers)] if subject.drivers else []
    forewarn("fit", "--normal", str(healthy), "--time", "when", *drivers, "--out", str(model))
    forewarn("score", "--model", str(model), "--input", str(new), "--output", str(scores))
    with scores.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scored_by_stream(bootstrap: str, prefix: str, catalogue: Catalogue, wanted: int) -> dict[str, Frame]:
    """Frames on ``anomaly.scores`` by asset, once as many readings have come through as were sent."""

    def frames() -> list[Frame] | None:
        records = read_topic(bootstrap, TopicName.ANOMALY_SCORES, prefix)
        found = [decode_frame(record.value, catalogue, FrameKind.ANOMALY) for record in records]
        return found if sum(frame.rows for frame in found) >= wanted else None

    found = wait_until(frames, 90, f"fewer than {wanted} readings were scored", 0.5)
    parts: dict[str, list[Frame]] = {}
    for frame in found:
        for code, asset_id in enumerate(frame.assets.categories):
            parts.setdefault(asset_id, []).append(frame.take(frame.assets.codes == code))
    return {asset_id: concat(own) for asset_id, own in parts.items()}


def test_the_platform_detects_what_the_offline_tools_detect(kafka_broker, topic_prefix, spawn_service, tmp_path):
    classes = tmp_path / "classes"
    classes.mkdir()
    (classes / "plain_fan.yaml").write_text(PLAIN_FAN)
    catalogue = load_catalogue(classes)
    bootstrap, plant = kafka_broker.bootstrap_servers, machines(catalogue)
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix, tuple(subject.asset for subject in plant))
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "CATALOGUE_PATH": str(classes),
        "LOG_FORMAT": "console",
    }
    for name in SERVICES:
        spawn_service(f"forewarn_{name}", {**environment, "SERVICE_INSTANCE": f"{name}-1"})
    messages = [message for subject in plant for message in subject.messages()]
    assert produce(bootstrap, qualified(TopicName.READINGS_RAW, topic_prefix), messages) == len(messages)

    offline = {subject.asset.asset_id: scored_by_files(subject, tmp_path) for subject in plant}
    stream = scored_by_stream(bootstrap, topic_prefix, catalogue, len(messages))
    for subject in plant:
        asset_id = subject.asset.asset_id
        assert_same(subject, stream[asset_id], offline[asset_id])
        assert_alarmed(bootstrap, topic_prefix, asset_id, offline[asset_id])


def assert_same(subject: Machine, stream: Frame, offline: list[dict[str, str]]) -> None:
    assert stream.arrays["ts"].tolist() == [round(at.timestamp() * 1e6) for at in subject.times]
    baseline = subject.baseline
    assert (stream.arrays["phase"] == Phase.BASELINE).sum() == baseline
    assert not stream.arrays["flag"][:baseline].any()
    live = {name: values[baseline:] for name, values in stream.arrays.items()}
    assert live["score"].size == len(offline) == ROWS - PAUSE_ROWS - baseline

    def column(name: str) -> FloatArray:
        return np.array([float(row[name] or "nan") for row in offline])

    flag = column("flag") == 1
    assert 50 < flag.sum() < ROWS - ONSET  # the fault is found, and not everything is taken for one
    assert np.flatnonzero(live["flag"] != flag).tolist() == []
    compared = np.flatnonzero(~subject.scarce()[baseline:])
    compared = compared[compared >= SETTINGS.window]
    assert compared.size > 0.95 * flag.size
    np.testing.assert_allclose(live["score"][compared], column("score")[compared], rtol=0, atol=SCORE_TOLERANCE)
    tags = [name.removeprefix("contribution.") for name in offline[0] if name.startswith("contribution.")]
    for tag in tags:
        ours, theirs = live[contribution_column(tag)][flag], column(f"contribution.{tag}")[flag]
        np.testing.assert_allclose(np.nan_to_num(ours), theirs, atol=0.02)
    shares = np.column_stack([column(f"contribution.{tag}")[flag] for tag in tags])
    culprits = np.array(stream.strings["culprit"].to_list()[baseline:], dtype=object)[flag]
    assert culprits.tolist() == [tags[position] for position in shares.argmax(axis=1)]


def assert_alarmed(bootstrap: str, prefix: str, asset_id: str, offline: list[dict[str, str]]) -> None:
    """The first alarm stands at the first row that the offline tool flags."""

    def raised() -> list[Alert]:
        alerts = [decode_event(Alert, record.value) for record in read_topic(bootstrap, TopicName.ALERTS, prefix)]
        own = [alert for alert in alerts if alert.alarm.asset_id == asset_id and alert.alarm.rule == "anomaly"]
        return [alert for alert in own if alert.transition is Transition.RAISED]

    first = next(row["time"] for row in offline if row["flag"] == "1")
    alert = wait_until(raised, 60, f"no alarm for {asset_id}", 0.5)[0]
    assert format_utc(alert.alarm.raised_at) == first
