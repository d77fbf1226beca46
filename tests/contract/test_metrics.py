"""The table of metrics is what services expose: each name is made once, by the services the table names."""

import ast
from pathlib import Path

import pytest

from forewarn.runtime.metrics import METRICS, counter, gauge, histogram
from support.plant import REPOSITORY

MAKERS = {counter.__name__, gauge.__name__, histogram.__name__}


def made() -> list[tuple[str, Path]]:
    """Names of metrics that source files make."""
    return [
        (str(call.args[0].value), path)
        for path in [*REPOSITORY.glob("libs/*/src/**/*.py"), *REPOSITORY.glob("services/*/src/**/*.py")]
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MAKERS
        if isinstance(call.args[0], ast.Constant)
    ]


def test_every_metric_of_the_table_is_made_once_or_once_by_each_kind_of_service():
    names = [name for name, _ in made()]
    assert set(names) == set(METRICS)
    assert {name for name in names if names.count(name) > 1} == {"forewarn_records_read", "forewarn_records_written"}


def test_what_a_service_makes_is_its_own():
    for name, path in made():
        if "services" in path.parts:
            service = path.parts[path.parts.index("services") + 1]
            assert METRICS[name].services == (service,), name


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_meaning_and_a_name_with_its_unit(name):
    metric = METRICS[name]
    assert metric.meaning.endswith((".", "…"))
    assert name.startswith("forewarn_")
    assert not name.endswith("_total"), "the client library adds it"
    assert metric.services
