"""The guard's page says what the code does."""

import re
from pathlib import Path

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.guard_rules import Cause
from forewarn.domain.guard.findings import ESTIMATED, Check

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "libs/forewarn/docs/physics-guard.md"
RULES = ROOT / "schemas/guard-rules.md"


def test_the_page_names_every_check_and_every_cause():
    text = PAGE.read_text(encoding="utf-8")
    names = {*(check.value for check in Check), *(cause.value for cause in Cause), ESTIMATED}
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_the_generated_page_has_a_row_for_every_rule_of_every_class():
    rows = re.findall(r"^\| `([^`]+)` \|", RULES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    declared = [check.id for item in load_catalogue().values() for check in (*item.rules, *item.redundant)]
    assert sorted(rows) == sorted(declared)


def test_the_examples_of_the_page_stand_in_the_catalogue():
    text = PAGE.read_text(encoding="utf-8")
    catalogue = load_catalogue()
    for rule_id in re.findall(r"^  - id: (\S+)", text, flags=re.MULTILINE):
        assert any(rule_id in {c.id for c in (*item.rules, *item.redundant)} for item in catalogue.values()), rule_id


def test_the_sizes_of_classes_in_the_table_of_costs_are_right():
    titles = {item.title.lower(): item for item in load_catalogue().values()} | {"chiller": load_catalogue()["chiller"]}
    titles["turbine"] = load_catalogue()["turbine"]
    rows = re.findall(
        r"^\| ([a-z ]+) \| (\d+) \| (\d+)(?: \+ (\d+) redundant)? \| [\d.]+ \|$", PAGE.read_text("utf-8"), re.M
    )
    assert len(rows) == 4
    for name, tags, rules, groups in rows:
        item = titles[name]
        assert (len(item.tags), len(item.rules), len(item.redundant)) == (int(tags), int(rules), int(groups or 0)), name
