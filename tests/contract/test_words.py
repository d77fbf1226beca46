"""Product texts, docs, names and comments keep clear of words that make readers stumble (see GLOSSARY.md)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("libs", "services", "infra", "tests/bench", ".github")
FILES = ("README.md", "Makefile", "docker-compose.yml", ".env.example")
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".json", ".sql", ".sh", ".toml", ".css", ".js", ".html", ".Dockerfile"}

#: Word, and what to write instead. A part of an identifier counts as a word.
WORDS = {
    r"told": "reported, said, shown",
    r"tells": "reports, says, shows, returns",
    r"anew": "again; retrain; recreate",
    r"thereof": "of it",
    r"is none": "there is no …, has no …",
    r"nobody can": "it cannot be …",
}
PATTERN = re.compile(r"(?<![A-Za-z])(?:" + "|".join(WORDS) + r")(?![A-Za-z])")

#: Released values on the wire and in files, which stay as they are; and Python's `is None`.
IGNORED = re.compile(r"\b(?:learn_anew|times_told_apart|is None)\b")

#: Folders that still have to be cleaned; to be emptied, then deleted.
UNCLEAN: tuple[str, ...] = (
    "infra/adr",
    *(f"libs/forewarn/src/forewarn/{layer}" for layer in ("adapters", "contracts", "domain", "ports", "runtime")),
    *(
        f"services/{name}"
        for name in ("alerting", "api", "dashboard", "health", "simulator", "sink", "twin", "validator")
    ),
)


def stumbles(text: str) -> Iterator[tuple[int, str]]:
    """Each unwanted word with its line number."""
    for number, line in enumerate(text.splitlines(), 1):
        kept = IGNORED.sub("", line).lower()
        yield from ((number, found[0]) for found in PATTERN.finditer(kept))


def sources(place: Path) -> list[Path]:
    found = place.rglob("*") if place.is_dir() else [place]
    return sorted(path for path in found if path.suffix in SUFFIXES or path.parent == ROOT)


def complaints(places: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {word!r}, better: {WORDS[word]}"
        for place in places
        for path in sources(place)
        for number, word in stumbles(path.read_text(encoding="utf-8"))
    ]


def is_unclean(path: str) -> bool:
    return any(path.startswith(f"{folder}/") for folder in UNCLEAN)


@pytest.mark.parametrize("place", [*FOLDERS, *FILES])
def test_texts_are_plain(place: str):
    found = [line for line in complaints([ROOT / place]) if not is_unclean(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", UNCLEAN)
def test_folders_that_are_clean_leave_the_list(folder: str):
    assert complaints([ROOT / folder]), f"{folder} is clean: take it off UNCLEAN"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It is told in the log.", ["told"]),
        ("def told_apart(): ...", ["told"]),
        ("Tells nobody.", ["tells"]),
        ("if there is none of it, nobody can read it", ["is none", "nobody can"]),
        ('{"kind": "learn_anew"}', []),
        ("learn_anew is learned anew", ["anew"]),
        ("if value is None: intolderable", []),
    ],
)
def test_the_check_finds_words_and_parts_of_names(text: str, words: list[str]):
    assert [word for _, word in stumbles(text)] == words
