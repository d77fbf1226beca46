"""Writes or checks ``schemas/openapi.json``: ``python -m forewarn_api.export_openapi [--check]``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from forewarn_api.app import routed_app


def render() -> str:
    """Return the OpenAPI document as committed."""
    return json.dumps(routed_app().openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="export_openapi", description="Write or check the API's OpenAPI document.")
    parser.add_argument("--file", type=Path, default=Path("schemas/openapi.json"), help="default: schemas/openapi.json")
    parser.add_argument("--check", action="store_true", help="compare only; exit with 1 on a difference")
    options = parser.parse_args(arguments)
    wanted = render()
    if not options.check:
        options.file.write_text(wanted, encoding="utf-8")
        return 0
    if options.file.exists() and options.file.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{options.file} differs from the API: run `python -m forewarn_api.export_openapi`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
