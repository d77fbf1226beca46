"""What the repository's texts point at is there in a clone: links, headings, paths, file names and ADRs."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
FOLDERS = {str(folder) for name in FILES for folder in Path(name).parents}
TAILS = {"/".join(Path(name).parts[start:]) for name in FILES for start in range(len(Path(name).parts))}

#: Optional folder of data sets beside the clone, and the container engine that CI starts if it is there.
BESIDE_THE_CLONE = ("../shared/data", "../shared/tools/containers/engine")
#: Texts that name files which are not ours: examples in tests, and a file of another repository.
EXAMPLES = {
    "tests/contract/test_references.py",
    "tests/unit/local/test_bootstrap.py",
    "tests/contract/data/README.md",
}

LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE_NAME = re.compile(r"(?<![\w/.{}$*-])((?:\w[\w.-]*/)*[\w-]+\.(?:md|py))\b")
PATH = re.compile(r"(?<![\w/.{}$*-])((?:libs|services|infra|tests|schemas)/[\w./-]*\w)")
ADR = re.compile(r"ADRs? (\d{4})")
BESIDE = re.compile(r"(?:\.\./|/work/)shared[\w./-]*")


def problems(name, text):
    """References of a file to what is not in the repository."""
    if name.endswith(".md"):
        yield from (target for target in LINK.findall(text) if not _leads_somewhere(ROOT / name, target))
    yield from (found for found in FILE_NAME.findall(text) if found not in TAILS)
    yield from (found for found in PATH.findall(text) if not _is_path(found))
    yield from (f"ADR {n}" for n in ADR.findall(text) if not any(f.startswith(f"infra/adr/{n}-") for f in FILES))
    yield from (found for found in BESIDE.findall(text) if not found.startswith(BESIDE_THE_CLONE))


def _leads_somewhere(source, target):
    if "://" in target or target.startswith("mailto:"):
        return True
    path, _, anchor = target.partition("#")
    place = (source.parent / path).resolve() if path else source
    if not place.exists():
        return False
    return not anchor or place.suffix != ".md" or anchor in _anchors(place.read_text("utf-8"))


def _anchors(text):
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _is_path(path):
    """Whether it is a file or folder, or the beginning of one file's name ("schemas/events/reading.v1")."""
    return path in FOLDERS or any(name == path or name.startswith(f"{path}.") for name in FILES)


def _texts():
    for name in FILES:
        path = ROOT / name
        if name in EXAMPLES or name == "uv.lock" or path.suffix in {".json", ".arrow", ".png", ".svg", ".csv"}:
            continue
        if path.is_file():
            yield name, path.read_text("utf-8", errors="replace")


def test_every_reference_leads_somewhere():
    assert [f"{name}: {found}" for name, text in _texts() for found in problems(name, text)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see [here](nowhere.txt)", ["nowhere.txt"]),
        ("see [here](README.md#no-such-heading)", ["README.md#no-such-heading"]),
        ("as streaming.md says", ["streaming.md"]),
        ("`adapters/no_such_module.py`", ["adapters/no_such_module.py"]),
        ("run tests/no/such", ["tests/no/such"]),
        ("ADR 9999", ["ADR 9999"]),
        ("../shared/reference", ["../shared/reference"]),
        (
            "[this](README.md), [x](https://x.org), infra/adr, `faust/engine.py`, ADR 0001, ../shared/data/nab",
            [],
        ),
    ],
)
def test_a_dangling_reference_is_found(text, found):
    assert list(problems("README.md", text)) == found
