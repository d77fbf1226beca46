"""Command line of the generated contracts: ``python -m forewarn.runtime.export_schemas``.

Without options it writes the generated files below ``schemas/`` and removes stale ones. ``--check`` only compares.
``--release`` declares the current contracts published: from then on they may only grow.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.schema_export.compatibility import breaking_changes, missing_columns
from forewarn.adapters.schema_export.rendering import render
from forewarn.runtime.metrics import metrics_page

#: Below ``schemas/`` but not generated here.
_FOREIGN: Final = ("examples/", "released/", "openapi.json")
_RELEASED_FOLDERS: Final = ("events", "frames")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the return value is the exit code."""
    parser = argparse.ArgumentParser(prog="export_schemas", description="Write or check the generated contracts.")
    parser.add_argument("--directory", type=Path, default=Path("schemas"), help="default: ./schemas")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare only; exit with 1 on a difference")
    what.add_argument("--release", action="store_true", help="declare the current contracts published")
    options = parser.parse_args(arguments)
    wanted = {**render(load_catalogue(), version("forewarn")), "metrics.md": metrics_page()}
    if options.check:
        return _report(differences(options.directory, wanted), "run `make schemas`")
    _write(options.directory, wanted)
    if options.release:
        problems = list(breaking(options.directory, wanted))
        if problems:
            return _report(problems, "publish a new version beside the old one instead")
        _release(options.directory)
    sys.stdout.write(f"{options.directory}: {len(wanted)} generated files are up to date\n")
    return 0


def differences(directory: Path, wanted: Mapping[str, str]) -> list[str]:
    """Return what is missing, changed or left over in ``directory``, one line each."""
    found = {path: (directory / path).read_text(encoding="utf-8") for path in _generated_files(directory)}
    return [
        *(f"missing: {path}" for path in sorted(wanted.keys() - found.keys())),
        *(f"changed: {path}" for path in sorted(wanted.keys() & found.keys()) if wanted[path] != found[path]),
        *(f"stale: {path}" for path in sorted(found.keys() - wanted.keys())),
    ]


def breaking(directory: Path, wanted: Mapping[str, str]) -> Iterator[str]:
    """Return what in ``wanted`` breaks the contracts released below ``directory``, one line each."""
    released = directory / "released"
    for folder in _RELEASED_FOLDERS:
        compare = breaking_changes if folder == "events" else missing_columns
        for file in sorted((released / folder).glob("*.json")):
            path = file.relative_to(released).as_posix()
            if path not in wanted:
                yield f"{path}: the contract is gone"
                continue
            old, new = json.loads(file.read_text(encoding="utf-8")), json.loads(wanted[path])
            yield from (f"{path}: {problem}" for problem in compare(old, new))


def _generated_files(directory: Path) -> list[str]:
    files = (path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    return [path for path in files if not path.startswith(_FOREIGN)]


def _write(directory: Path, wanted: Mapping[str, str]) -> None:
    for path in set(_generated_files(directory)) - wanted.keys():
        (directory / path).unlink()
    for path, text in wanted.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _release(directory: Path) -> None:
    for folder in _RELEASED_FOLDERS:
        target = directory / "released" / folder
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(directory / folder, target)


def _report(problems: Sequence[str], cure: str) -> int:
    if not problems:
        sys.stdout.write("schemas: all generated files are up to date\n")
        return 0
    sys.stderr.write("\n".join((*problems, f"{len(problems)} problem(s): {cure}", "")))
    return 1


if __name__ == "__main__":
    sys.exit(main())
