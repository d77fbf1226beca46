"""The pipeline under load: steps of offered rate, each counted in the database after it has drained."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench.alerts import PROBES, AlertProbe, send_baseline
from bench.counting import Rows, count_rows, duplicates_met, ends_of_stored_topics, is_stored, lags
from bench.figures import Cost, Step
from bench.follower import ScoreFollower
from bench.installation import BenchError, Installation
from bench.load import Load, LoadReport
from bench.offline import CLASS, baseline_rows
from bench.options import Options
from bench.progress import say
from bench.usage import Meter, Sample
from bench.visibility import RowWatcher
from support.plant import register

SERVICES = ("sink", "alerting", "health", "anomaly", "twin", "validator")
GENERATOR, MEASURING = "load generator", "measuring"
_WATCHED = 4
_POLL_S = 0.05
_START_S = 60.0


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A step when it has drained."""

    report: LoadReport
    before: Sample
    after: Sample
    waiting: Mapping[str, int]
    ran_s: float
    drain_s: float
    duplicates: int


class Pipeline:
    """The services under load, and everything that watches them."""

    def __init__(self, installation: Installation, options: Options, logs: Path) -> None:
        self._installation = installation
        self._options = options
        self._logs = logs
        register(installation.bootstrap, "", PROBES)
        installation.start_services(SERVICES)
        url = installation.database.url
        self._follower = ScoreFollower(installation.bootstrap, CLASS)
        self._alerts = AlertProbe(installation.bootstrap)
        self._watcher = RowWatcher(url, CLASS)
        self._connection = psycopg.connect(url, autocommit=True, options="-c work_mem=256MB -c timezone=UTC")
        ours = frozenset({self._watcher.backend, self._connection.info.backend_pid})
        pids = installation.pids | {MEASURING: os.getpid()}
        self._meter = Meter(pids, installation.postmaster, not_counted=ours)

    def close(self) -> None:
        """Stop watching."""
        self._follower.close()
        self._alerts.close()
        self._watcher.close()
        self._connection.close()

    def warm_up(self) -> None:
        """Let every machine's twin learn, and the broker's and Python's hot paths get hot."""
        options = self._options
        say(f"warm-up: {options.assets} machines learn from {baseline_rows()} readings each")
        send_baseline(self._installation.bootstrap)
        self._alerts.start()
        for seconds in (0.0, options.warm_seconds):
            baseline = 0 if seconds else baseline_rows()
            since = datetime.now(UTC)
            self._follower.restart(int(since.timestamp() * 1e6))
            with self._load(options.warm_rate, seconds, baseline) as load:
                report = load.wait()
            if seconds:
                self._await_stored(report.delivered)
                rows = count_rows(self._connection, CLASS, since)
                say(f"warm-up: {rows.readings} live readings and {rows.results} results stored")
            else:
                self._await_baseline(report.delivered)
        latency, missing = self._alerts.finish()
        if latency.count == 0:
            raise BenchError("no alarm was raised during the warm-up: nothing times raw -> alert")
        say(f"warm-up: {latency.count} alarm transitions, {missing} missing")

    def step(self, rate: int) -> Step:
        """Offer a rate for some time, wait until all is stored, and count."""
        seconds = self._options.seconds_of(rate)
        load_average = os.getloadavg()[0]
        say(f"{rate} readings/s for {seconds:g} s")
        since = datetime.now(UTC)
        self._watcher.start([f"LOAD-{n:05d}" for n in range(_WATCHED)], since)
        self._alerts.start()
        step = self._counted(rate, self._run(rate, seconds, since), since, load_average)
        say(
            f"  {step.readings_per_s:.0f} readings/s queryable, lost {step.lost}, duplicated {step.duplicated}, "
            f"raw->scored p99 {step.raw_to_scored.p99_ms or float('nan'):.0f} ms, drained in {step.drain_s:.1f} s"
        )
        return step

    def _counted(self, rate: int, run: _Run, since: datetime, load_average: float) -> Step:
        reading_queryable, result_queryable = self._watcher.finish()
        alert, alerts_missing = self._alerts.finish()
        raw_to_scored, event_to_scored = self._follower.latencies()
        scored = self._follower.rows
        rows = count_rows(self._connection, CLASS, since)
        report = run.report
        return Step(
            offered_per_s=rate,
            seconds=report.seconds,
            sent=report.sent,
            delivered=report.delivered,
            failed=report.failed,
            readings_rows=rows.readings,
            results_rows=rows.results,
            warned=rows.warned,
            rejected=rows.rejected,
            lost=lost(report.delivered, rows),
            duplicated=duplicated(report.delivered, scored, rows) + run.duplicates,
            ran_s=run.ran_s,
            drain_s=run.drain_s,
            raw_to_scored=raw_to_scored,
            event_to_scored=event_to_scored,
            reading_queryable=reading_queryable,
            result_queryable=result_queryable,
            alert=alert,
            alerts_missing=alerts_missing,
            cost=_costs(run, report),
            memory=self._meter.memory() | {GENERATOR: report.memory},
            waiting=run.waiting,
            lag_after=lags(self._installation.bootstrap),
            load_average=load_average,
        )

    def _run(self, rate: int, seconds: float, since: datetime) -> _Run:
        duplicates_before = duplicates_met(self._installation.metrics("sink"))
        self._follower.restart(int(since.timestamp() * 1e6))
        with self._load(rate, seconds, 0) as load:
            self._await_first(load)
            before = self._meter.sample()
            report = load.wait()
            ended_s = time.monotonic()
            unscored = report.delivered - self._follower.rows
            waiting = {"readings": unscored, **lags(self._installation.bootstrap)}
        self._await_stored(report.delivered)
        drained_s = time.monotonic()
        return _Run(
            report=report,
            before=before,
            after=self._meter.sample(),
            waiting=waiting,
            ran_s=drained_s - ended_s + report.seconds,
            drain_s=drained_s - ended_s,
            duplicates=duplicates_met(self._installation.metrics("sink")) - duplicates_before,
        )

    def _load(self, rate: int, seconds: float, baseline: int) -> Load:
        return Load(
            self._installation.environment(),
            self._logs / "load.log",
            rate=rate,
            assets=self._options.assets,
            seconds=seconds,
            baseline=baseline,
        )

    def _await_first(self, load: Load) -> None:
        deadline_s = time.monotonic() + _START_S
        while not self._follower.rows and not load.ended:
            self._installation.require_alive()
            if time.monotonic() > deadline_s:
                raise BenchError(f"no reading was scored within {_START_S:g} s")
            time.sleep(_POLL_S)

    def _await_stored(self, readings: int) -> None:
        """Wait until that many readings are scored and stored; stop waiting when nothing moves any more."""
        seen, moved_s = -1, time.monotonic()
        while (rows := self._follower.rows) < readings:
            if rows != seen:
                seen, moved_s = rows, time.monotonic()
            self._installation.require_alive()
            if time.monotonic() - moved_s > self._options.patience_seconds:
                say(f"  only {rows} of {readings} readings were scored")
                break
            time.sleep(_POLL_S)
        self._await_sink()

    def _await_sink(self) -> None:
        ends = ends_of_stored_topics(self._installation.bootstrap)
        began_s = time.monotonic()
        while not is_stored(self._connection, ends):
            self._installation.require_alive()
            if time.monotonic() - began_s > 4 * self._options.patience_seconds:
                say("  the sink has not stored everything")
                return
            time.sleep(_POLL_S)

    def _await_baseline(self, readings: int) -> None:
        """Wait until the validator has passed the baseline on and it is stored."""
        stored, moved_s = -1, time.monotonic()
        while stored < readings:
            self._installation.require_alive()
            row = self._connection.execute(f"SELECT count(*) FROM readings_{CLASS}".encode()).fetchone()
            assert row is not None
            if row[0] != stored:
                stored, moved_s = row[0], time.monotonic()
            if time.monotonic() - moved_s > self._options.patience_seconds:
                raise BenchError(f"only {stored} of {readings} readings of the baseline were stored")
            time.sleep(10 * _POLL_S)


def lost(delivered: int, rows: Rows) -> int:
    """Readings that are not in one of the two tables and were not refused with a reason."""
    return max(0, delivered - rows.rejected - min(rows.distinct, rows.results))


def duplicated(delivered: int, scored: int, rows: Rows) -> int:
    """Readings stored under two times, and readings scored twice."""
    return rows.readings - rows.distinct + max(0, scored - delivered) + max(0, rows.results - delivered)


def _costs(run: _Run, report: LoadReport) -> dict[str, Cost]:
    span_s = run.after.at_s - run.before.at_s
    used = {name: run.after.cpu_s[name] - run.before.cpu_s[name] for name in run.before.cpu_s}
    used[GENERATOR] = report.cpu_s
    return {
        name: Cost(us_per_reading=cpu_s / max(1, report.delivered) * 1e6, core_share=cpu_s / span_s)
        for name, cpu_s in used.items()
    }
