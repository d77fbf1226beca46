"""Runs the sections of the benchmark, prints the tables, keeps the figures as JSON."""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Results
from bench.hardware import hardware
from bench.installation import BenchError, Installation
from bench.options import Options, parse
from bench.progress import say
from bench.report import render

REPOSITORY = Path(__file__).resolve().parents[2]
_HEAP_MB = 512
_EXIT_FAILED = 1


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; not zero only if something could not be measured, or readings were lost or doubled."""
    options = parse(arguments)
    results = Results(hardware=hardware(), options=_plain(asdict(options)))
    directory = options.directory or Path(tempfile.mkdtemp(prefix="forewarn-bench-"))
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o711)
    try:
        _measure(results, options, directory)
    finally:
        if options.directory is None and not results.problems:
            shutil.rmtree(directory, ignore_errors=True)
    print(render(results), flush=True)  # noqa: T201  # the command's output
    say(f"figures: {_keep(results)}")
    if results.problems:
        say(f"logs: {directory}")
    return _EXIT_FAILED if results.failed else 0


def _measure(results: Results, options: Options, directory: Path) -> None:
    """Run the wanted sections; one that fails is noted and does not stop the others."""
    # Sections import what they measure when they run: `--only micro` needs no broker.
    if "idle" in options.sections:
        _section(results, "idle", lambda: _idle(results, options, directory / "idle"))
    if "micro" in options.sections:
        _section(results, "micro", lambda: _micro(results, options))
    loaded = {"pipeline", "limits", "faust"} & set(options.sections)
    if loaded:
        _section(results, "pipeline", lambda: _loaded(results, options, directory / "load"))
    if "import" in options.sections:
        _section(results, "import", lambda: _import(results, options, directory / "import"))


def _section(results: Results, name: str, work: Callable[[], None]) -> None:
    try:
        work()
    except (BenchError, AssertionError) as exc:  # support.stack.wait_until reports with AssertionError
        results.problems.append(f"{name}: {exc}")
        say(f"{name} FAILED: {exc}")


def _idle(results: Results, options: Options, directory: Path) -> None:
    from bench.idle import measure_idle

    results.idle = measure_idle(directory, options)


def _micro(results: Results, options: Options) -> None:
    from bench.micro import measure_micro

    results.micro = measure_micro(options)


def _import(results: Results, options: Options, directory: Path) -> None:
    from bench.importing import measure_import

    results.imports = measure_import(directory, options)


def _loaded(results: Results, options: Options, directory: Path) -> None:
    from bench.faust_section import measure_faust
    from bench.limits import copy_into_tables, copy_through_topics
    from bench.pipeline import Pipeline

    say("starting broker and database")
    with Installation(directory, heap_mb=_HEAP_MB, catalogue=Path(__file__).parent / "catalogue") as installation:
        pipeline = Pipeline(installation, options, directory)
        try:
            pipeline.warm_up()
            if "pipeline" in options.sections:
                for rate in options.rates:
                    results.steps.append(pipeline.step(rate))
        finally:
            pipeline.close()
        installation.stop_services()
        if "limits" in options.sections:
            results.limits += [copy_through_topics(installation, options), copy_into_tables(installation, options)]
        if "faust" in options.sections:
            results.faust += measure_faust(installation, options)


def _keep(results: Results) -> Path:
    directory = REPOSITORY / ".forewarn" / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    document = asdict(results)
    for figures, step in zip(document["steps"], results.steps, strict=True):
        figures |= {"readings_per_s": step.readings_per_s, "rows_per_s": step.rows_per_s}
    path.write_text(json.dumps(_plain(document), indent=1, allow_nan=False) + "\n")
    return path


def _plain(values: object) -> object:
    if isinstance(values, dict):
        return {str(key): _plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_plain(value) for value in values]
    return str(values) if isinstance(values, Path) else values
