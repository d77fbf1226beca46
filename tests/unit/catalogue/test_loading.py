"""Catalogue files of users: what is wrong is said with file, line, key and cure, before the first reading comes."""

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.adapters.catalogue import CatalogueError, load_catalogue
from unit.catalogue.catalogue_files import GOOD, KILN, redundant, refusal, write

MISTAKES = [
    ("name: kiln", "name: Not A Name", "1: name: String should match pattern"),
    ("title: A class of the user\n", "", "1: title: is missing"),
    ("name: kiln\n", "", "1: name: is missing"),
    ("title: A", "colour: red\ntitle: A", "2: colour: there is no such key; there are alarms, derived"),
    ("title: A", "rulez: []\ntitle: A", "2: rulez: there is no such key; did you mean 'rules'?"),
    ("[0, 100]", "[100, 0]", "4: tags[0]: engineering_range of tag 'temp_c' must rise"),
    ("[0, 100]}", "[0, 100], frozen_after: 3}", "4: tags[0].frozen_after: .* did you mean 'frozen_after_s'?"),
    (
        "[0, 100]}",
        "[0, 100], hard_range: [0, 90]}",
        "4: tags[0].hard_range: [0, 90] must contain engineering_range",
    ),
    ("unit: Cel", "unit: °C", "4: tags[0].unit: unit '°C' is not known; did you mean Cel?"),
    ("unit: kg/m3", "unit: kg/m³", "8: nameplate[0].unit: unit 'kg/m³'"),
    ("unit: m\n", "unit: mm\n", "12: derived[0].unit: pump_head_m gives m, not mm"),
    ("pump_head_m", "pump_head", "13: derived[0].function: no formula 'pump_head'; did you mean 'pump_head_m'?"),
    (
        "discharge_pressure_bar: h",
        "outlet_bar: h",
        "14: derived[0].inputs: pump_head_m has no parameter 'outlet_bar'",
    ),
    (", density_kg_m3: nameplate.density_kg_m3", "", "14: derived[0].inputs: pump_head_m needs parameter 'density"),
    ("unit: kPa", "unit: kW", "14: derived[0].inputs.discharge_pressure_bar: .* is in bar, but high_bar is in kW"),
    (
        "bar: high_bar",
        "bar: hi_bar",
        "14: derived[0].inputs.*: there is no source 'hi_bar'; did you mean 'high_bar'?",
    ),
    ("nameplate.d", "nameplate.D", "14: .*there is no source 'nameplate.Density_kg_m3'; did you mean 'nameplate.d"),
    ("bar: low_bar", "bar: head_m", "14: .*there is no source 'head_m'; .*it comes later"),
    (
        "column: head_m",
        "column: heat_m",
        "16: rules[0].column: there is no column 'heat_m'; did you mean 'head_m'?",
    ),
    ("[low_bar]", "[head_m]", "16: rules[0].blames[0]: there is no tag 'head_m'"),
    ("minimum: 0,", "minimum: 0, when: 3,", "16: rules[0].when: Input should be a valid dictionary"),
    ("minimum: 0,", "minimum: 0, when: {above: 3},", "16: rules[0].when.column: is missing"),
    ("minimum: 0,", "minimum: 0, when: {column: temp_c},", "16: rules[0].when: condition on 'temp_c' needs"),
    (
        "minimum: 0,",
        "minimum: 0, when: [{column: temp_c, above: 3}, {column: temp_c, abve: 3}],",
        "16: rules[0].when[1].abve: there is no such key; did you mean 'above'?",
    ),
    ("minimum: 0, ", "", "16: rules[0]: needs 'minimum' or 'maximum'"),
    ("minimum: 0,", "minimum: 0, maximum: -1,", "16: rules[0]: minimum 0 must be below maximum -1"),
    (
        "severity: warning",
        "severity: fatal",
        "16: rules[0].severity: Input should be 'reject' or 'warning', not 'fatal'",
    ),
    (
        "minimum: 0,",
        "minimum: 0, when: {column: speeds, above: 0},",
        "16: rules[0].when.column: there is no column",
    ),
    (
        "minimum: 0,",
        "minimum: 0, when: [{column: temp_c, above: 0}, {column: x, above: 0}],",
        "16: rules[0].when[1].column: there is no column 'x'",
    ),
    (
        "minimum: 0,",
        "minimum: 0, when: {column: temp_c, above: 0, otherwise: {column: tempo, below: 1}},",
        "16: rules[0].when.otherwise.column: there is no column 'tempo'; did you mean 'temp_c'?",
    ),
    ("id: kiln.head", "id: frozen", "16: rules[0].id: 'frozen' is the name of a check that every class has"),
    (
        "minimum: 0,",
        "minimum: 0, when: {column: low_bar, minus: high_bar, above: 0},",
        "16: rules[0].when.minus: what is compared needs one unit, not ['bar', 'kPa']",
    ),
    ("minimum: 0,", "minimum: 0, minus: temp_c,", "16: rules[0].minus: what is compared needs one unit, not ['Ce"),
    ("minimum: 0,", "minimum: 0, cause: weather,", "16: rules[0].cause: Input should be 'sensor', 'machine'"),
    (
        "severity: warning",
        "severity: reject, cause: machine",
        "16: rules[0]: a fault of the machine must not refuse its data",
    ),
    ("twin:", redundant("columns: [low_bar, high_bar]"), "18: redundant[0].columns: .* not ['bar', 'kPa']"),
    ("twin:", redundant("columns: [low_bar, hi_bar]"), "18: redundant[0].columns[1]: there is no column 'hi_bar'"),
    (
        "twin:",
        redundant("columns: [low_bar]", "kiln.head"),
        "18: redundant[0].id: 'kiln.head' is taken by rules",
    ),
    (
        "twin:",
        redundant("columns: [low_bar], when: {column: hi, above: 1}"),
        "18: redundant[0].when.column: there is no column 'hi'",
    ),
    ("twin:", redundant("columns: [low_bar], blames: [head_m]"), "18: redundant[0].blames[0]: there is no tag"),
    ("responses: [temp_c]", "responses: [nothing]", "18: twin.responses[0]: there is no column 'nothing'"),
    ("responses: [temp_c]", "responses: [temp_c]\n  drivers: [x]", "19: twin.drivers[0]: there is no column 'x'"),
    (
        "column: temp_c, weight",
        "column: temp, weight",
        "20: health[0].column: there is no column 'temp'; did you mean",
    ),
    ("weight: 1,", "weight: 2,", "20: health[0].weight: Input should be less than or equal to 1, not 2"),
    ("indicator: temp_c", "indicator: t", "22: failure_modes[0].indicator: there is no column 't'"),
    ("good: 50, bad: 90", "good: 50", "20: health[0]: needs both 'good' and 'bad'"),
    ("good: 50, bad: 90, ", "", "20: health[0]: needs one of: 'good' with 'bad', 'bands', 'standard'"),
    ("good: 50, bad: 90", "bands: [1, 2, 2, 3]", "20: health[0]: bands must rise, or fall where more is better"),
    ("good: 50, bad: 90", "bands: [1, 2, 3]", "20: health[0].bands[3]: is missing"),
    (
        "good: 50, bad: 90",
        "standard: chiller_aproach",
        "20: health[0].standard: there are no agreed bands 'chiller_aproach'; did you mean 'chiller_approach'?",
    ),
    (
        "good: 50, bad: 90",
        "standard: chiller_approach",
        "20: health[0].standard: chiller_approach grades values in K, but temp_c is in Cel",
    ),
    (
        "good: 50, bad: 90",
        "standard: iso_20816_3",
        "20: health[0].standard: iso_20816_3 depends on the nameplate: it needs a field 'iso_group'",
    ),
    (
        "good: 50, bad: 90",
        "worst_with: [head_mm], good: 50, bad: 90",
        "20: health[0].worst_with[0]: there is no column 'head_mm'; did you mean 'head_m'?",
    ),
    (
        "good: 50, bad: 90",
        "worst_with: [head_m], good: 50, bad: 90",
        "20: health[0].worst_with[0]: head_m is in m, but temp_c is in Cel",
    ),
    (
        "alarms:",
        "health_components: {twin: 0, anomaly: 0, rul: 0, risk: 0}\nalarms:",
        "23: health_components: at least one component must count",
    ),
    (
        "alarms:",
        "health_components: {twins: 0.4}\nalarms:",
        "23: health_components.twins: there is no such key; did you mean 'twin'?",
    ),
    (
        "recommendation: Replace it",
        "recommendation: Replace it, repair: {planned_cost: 9, planned_downtime_h: 1, unplanned_cost: 3, "
        "unplanned_downtime_h: 4}",
        "22: failure_modes[0].repair: a failure cannot cost less",
    ),
    (
        "recommendation: Replace it",
        "recommendation: Replace it, repair: {planned_costs: 9}",
        "22: failure_modes[0].repair.planned_costs: there is no such key; did you mean 'planned_cost'?",
    ),
    ("alarms:", "economics: {power: tempc}\nalarms:", "23: economics.power: there is no column 'tempc'"),
    ("alarms:", "economics: {power: temp_c}\nalarms:", "23: economics.power: must be in kW, but temp_c is in Cel"),
    ("alarms:", "economics: {power: low_bar}\nalarms:", "23: economics.power: the twin does not predict 'low_bar'"),
    ("alarms:", "economics: {currency: euro}\nalarms:", "23: economics.currency: String should match pattern"),
    (
        "alarms:",
        "economics: {downtime_cost_per_min: -1}\nalarms:",
        "23: economics.downtime_cost_per_min: Input should be greater than or equal to 0, not -1",
    ),
    ("high: 90, ", "", "24: alarms[0]: needs 'high' or 'low'"),
    ("column: temp_c, high", "high", "24: alarms[0]: needs 'column'"),
    ("high: 90", "high: 90, low: 95", "24: alarms[0]: low 95 must be below high 90"),
    ("source: threshold", "source: forecast", "24: alarms[0]: needs 'anticipates'"),
    (
        "source: threshold",
        "source: forecast, anticipates: hott",
        "24: alarms[0].anticipates: there is no threshold alarm 'hott'; there are none",
    ),
    (
        "source: threshold",
        "source: threshold, anticipates: hot",
        "24: alarms[0].anticipates: is for alarms with 'source: forecast'",
    ),
    ("high: 90", "high: .inf", "24: alarms[0].high: Input should be a finite number"),
    (
        "priority: high",
        "priority: loud",
        "24: alarms[0].priority: Input should be 'low', 'medium', 'high' or 'critical'",
    ),
    (
        "kPa, engineering_range: [0, 1000]",
        "kPa, engineering_range: [0, 1000], fallback: nameplate.density",
        "6: tags[2].fallback: there is no nameplate field 'nameplate.density'; did you mean 'nameplate.density_kg",
    ),
    (
        "kPa, engineering_range: [0, 1000]",
        "kPa, engineering_range: [0, 1000], fallback: nameplate.density_kg_m3",
        "6: tags[2].fallback: nameplate.density_kg_m3 is in kg/m3, but the tag is in kPa",
    ),
    ("name: low_bar", "name: temp_c", "5: tags[1].name: 'temp_c' is taken by tags[0]"),
    ("name: head_m", "name: low_bar", "10: derived[0].name: 'low_bar' is taken by tags[1]"),
    ("name: low_bar", "name: quality_ts", "5: tags[1].name: 'quality_ts' is reserved for the platform's own"),
    ("[0, 10]", "[0, 10], aliases: [p, temp_c]", "5: tags[1].aliases[1]: 'temp_c' is a tag's name already"),
    ("[0, 10]", "[0, 10], aliases: [p, p]", "5: tags[1].aliases[1]: 'p' is an alias of 'low_bar' already"),
    ("twin:", "twin:\n  drivers: [temp_c]", "19: twin.responses[0]: 'temp_c' is a driver"),
    (
        "twin:",
        "twin:\n  drivers: [low_bar]\n  load: [hi_bar]",
        "19: twin.load[0]: 'hi_bar' is not one of twin.drivers",
    ),
    (
        "twin:",
        "twin:\n  physics: [{name: term, powers: {low_bar: 1}}]",
        "18: twin.physics[0].powers.low_bar: 'low_bar' is no driver, earlier term or nameplate field",
    ),
    (
        "twin:",
        "twin:\n  drivers: [low_bar]\n  physics: [{name: head_m, powers: {low_bar: 1}}]",
        "19: twin.physics[0].name: 'head_m' is the name of a column or an earlier term",
    ),
    (
        "twin:",
        "twin:\n  priors: {high_bar: []}",
        "18: twin.priors.high_bar: 'high_bar' is not one of twin.responses",
    ),
    ("twin:", "twin:\n  priors: {temp_c: [x]}", "18: twin.priors.temp_c[0]: 'x' is neither a driver nor a term"),
    ("title: A", "title: A\ntitle: B", "3: title: is given twice; the first time in line 2"),
    ("title: A", "? [a, b]\n: c\ntitle: A", "2: keys must be words"),
    ("[0, 100]", "[0, 100", "not valid YAML: "),
    ("title: A", "---\ntitle: A", "2: a file holds one document"),
    ("unit: kPa", "unit: 7", "6: tags[2].unit: Input should be a valid string, not 7"),
    ("title: A class of the user", "title: 2026-02-30", " not valid YAML: .*; put texts into quotes"),
    ("title: A", "title: !!int A", " not valid YAML: "),
    ("title: A", "title: !!python/object:os.system A", "2: not valid YAML: could not determine a constructor"),
]


def test_a_mistake_is_refused_with_file_line_and_key(tmp_path, subtests):
    for before, after, complaint in MISTAKES:
        with subtests.test(complaint, after=after):
            assert before in KILN
            path = write(tmp_path, KILN.replace(before, after, 1))
            pattern = ".*".join(map(re.escape, complaint.split(".*")))
            assert re.search(f"{re.escape(str(path))}:.*({pattern})", refusal(tmp_path)), refusal(tmp_path)


@pytest.mark.parametrize("text", ["", "- a list", "just words", "# nothing\n"])
def test_a_file_without_a_class_is_refused(tmp_path, text):
    path = write(tmp_path, text)

    assert refusal(tmp_path) == f"{path}: the document must be a mapping that starts with 'name:'"


def test_a_second_entry_of_one_name_is_refused(tmp_path):
    alarm = KILN.splitlines()[-1]
    write(tmp_path, f"{KILN}{alarm}\n")

    assert "mine.yaml:25: alarms[1].id: 'hot' is taken by alarms[0]" in refusal(tmp_path)


def test_a_list_whose_entries_are_wrong_is_not_called_short_besides(tmp_path):
    write(tmp_path, re.sub(r"engineering_range: \[0, (\d+)\]", r"engineering_range: [\1, 0]", KILN))

    said = refusal(tmp_path).splitlines()

    assert len(said) == 4, said
    assert all("must rise" in line for line in said[1:])


def test_all_problems_of_all_files_are_said_at_once_in_order(tmp_path):
    write(tmp_path, KILN.replace("unit: Cel", "unit: C").replace("indicator: temp_c", "indicator: temp"), "a.yaml")
    write(tmp_path, GOOD.format(name="oven").replace("high: 90", "high: hot"), "b.yaml")

    lines = refusal(tmp_path).splitlines()

    assert lines[0] == "3 problems in the catalogue:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        str(tmp_path / f) for f in ("a.yaml", "a.yaml", "b.yaml")
    ]
    assert [line.split(":")[1] for line in lines[1:]] == ["4", "22", "24"]


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(KILN.replace("title: A", "title: Ä").encode("latin-1"))

    assert "mine.yaml: is not UTF-8 text" in refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    write(tmp_path, KILN).chmod(0)

    assert "mine.yaml: cannot be read: Permission denied" in refusal(tmp_path)


def test_a_broken_link_is_refused(tmp_path):
    (tmp_path / "mine.yaml").symlink_to(tmp_path / "absent")

    assert "has no file *.yaml" in refusal(tmp_path)


@pytest.mark.parametrize(
    "text", ["name: kiln\ntitle: &x [*x]\ntags: []\ntwin: {}\n", "name: &n kiln\ntitle: *n\ntags: *n\ntwin: *n\n"]
)
def test_aliases_do_no_harm(tmp_path, text):
    write(tmp_path, text)

    assert "mine.yaml" in refusal(tmp_path)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["temp_c", "kW", "x", "", "nameplate.x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "unit", "column", "id", "inputs", "function", "when", "blames", "title"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(section=st.sampled_from(["tags", "derived", "rules", "twin", "health", "alarms", "nameplate"]), value=_VALUES)
def test_whatever_stands_in_a_section_the_answer_is_a_catalogue_error(tmp_path_factory, section, value):
    directory = tmp_path_factory.mktemp("catalogue")
    write(directory, re.sub(rf"(?m)^{section}:\n(  .*\n)+", f"{section}: {_flow(value)}\n", KILN))
    try:
        load_catalogue(directory)
    except CatalogueError as exc:
        assert "mine.yaml:" in str(exc)  # noqa: PT017  # a class may also be good without the section


@settings(max_examples=40)
@given(section=st.sampled_from(["economics", "health_components", "failure_modes", "extends"]), value=_VALUES)
def test_whatever_stands_in_a_further_section_the_answer_is_a_catalogue_error(tmp_path_factory, section, value):
    directory = tmp_path_factory.mktemp("catalogue")
    without = re.sub(rf"(?m)^{section}:\n(  .*\n)+", "", KILN)
    write(directory, f"{without}{section}: {_flow(value)}\n")
    try:
        load_catalogue(directory)
    except CatalogueError as exc:
        assert "mine.yaml:" in str(exc)  # noqa: PT017  # a class may also be good with it


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None:
        return "null"
    return f"'{value}'" if isinstance(value, str) else str(value).lower()
