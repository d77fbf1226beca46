"""One class name, one meaning."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def defined_twice(paths: Iterable[Path]) -> dict[str, list[Path]]:
    places = defaultdict(list)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_public_class_name_is_defined_twice():
    sources = [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
    assert len(sources) > 400
    assert defined_twice(sources) == {}


def test_the_check_finds_a_second_definition(tmp_path):
    first, second = tmp_path / "one", tmp_path / "other"
    first.write_text("class Frame:\n    class _Own: ...\n")
    second.write_text("class Frame: ...\nclass _Own: ...\nclass Row: ...\n")
    assert defined_twice([first, second]) == {"Frame": [first, second]}
