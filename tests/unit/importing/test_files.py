"""Files of every usual form become the same readings; what cannot be used is named, row by row."""

import csv
import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.importing import spool
from forewarn.adapters.importing.mapping_file import read_mapping, write_mapping
from forewarn.adapters.importing.proposal import AmbiguousTimeError, Said, propose
from forewarn.adapters.importing.rejects import Rejects
from forewarn.adapters.importing.run import ImportPlan, try_out
from forewarn.adapters.importing.scan import scan
from forewarn.adapters.importing.source import open_source
from forewarn.adapters.raw_readings import RawReadingDecoder
from forewarn.adapters.tables.table import TableError
from forewarn.contracts.assets import Asset
from forewarn.contracts.importing import ImportMapping
from forewarn.domain.importing.guess import guess_roles
from forewarn.ports.lanes import Record
from support.file_imports import PLAIN, PUMP, imported, plan_of, text_file
from support.plant import REPOSITORY

EXAMPLES = REPOSITORY / "libs/forewarn/examples/history"


FORMS = {
    "plain": (PLAIN, "utf-8"),
    "byte order mark": ("\ufeff" + PLAIN, "utf-8"),
    "semicolons and decimal commas": (
        "time;flow_m3_h;power_kw\n01.01.2026 00:00;100,5;20\n01.01.2026 00:01;101,5;21\n",
        "utf-8",
    ),
    "tabs": (PLAIN.replace(",", "\t"), "utf-8"),
    "bars": (PLAIN.replace(",", "|"), "utf-8"),
    "quotes": (
        '"time","flow_m3_h","power_kw"\n"2026-01-01T00:00:00Z","100.5","20"\n2026-01-01 00:01,"101.5",21\n',
        "utf-8",
    ),
    "UTF-16": (PLAIN, "utf-16"),
    "Latin-1": (PLAIN.replace("flow_m3_h", "Durchfluß [m³/h]").replace("Durchfluß", "Volume flow"), "latin-1"),
    "Windows line ends": (PLAIN.replace("\n", "\r\n"), "utf-8"),
    "epoch": ("time,flow_m3_h,power_kw\n1767225600,100.5,20\n1767225660,101.5,21\n", "utf-8"),
    "Excel": ("time,flow_m3_h,power_kw\n46023,100.5,20\n46023.000694444,101.5,21\n", "utf-8"),
    "date and time apart": (
        "Date,Time,flow_m3_h,power_kw\n31/12/2025,23:59,1,\n01/01/2026,00:00,100.5,20\n01/01/2026,00:01,101.5,21\n",
        "utf-8",
    ),
    "long": (
        "tag;timestamp;value\nflow_m3_h;2026-01-01T00:00;100,5\nflow_m3_h;2026-01-01T00:01;101,5\n"
        "power_kw;2026-01-01T00:00;20\npower_kw;2026-01-01T00:01;21\n",
        "utf-8",
    ),
    "descending": ("\n".join([PLAIN.split("\n", maxsplit=1)[0], *PLAIN.split("\n")[2:0:-1], ""]), "utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_file_gives_the_same_readings(form, tmp_path):
    text, encoding = FORMS[form]
    broker, report = imported(plan_of(text_file(tmp_path, text, encoding=encoding)), tmp_path)
    readings = [r for r in broker.readings if r.ts.year == 2026]
    assert [(r.ts.isoformat(), r.metrics) for r in readings] == [
        ("2026-01-01T00:00:00+00:00", {"flow_m3_h": 100.5, "power_kw": 20.0}),
        ("2026-01-01T00:01:00+00:00", {"flow_m3_h": 101.5, "power_kw": 21.0}),
    ]
    assert all(r.historical and r.source == "import:a.csv" for r in readings)
    assert report.rows_refused == 0


def test_a_parquet_file_gives_the_same_readings(tmp_path):
    minutes = np.array(["2026-01-01T00:00", "2026-01-01T00:01"], dtype="datetime64[ns]")
    table = pa.table({"time": minutes, "flow_m3_h": [100.5, 101.5], "power_kw": pa.array([20, 21])})
    pq.write_table(table, tmp_path / "a.parquet")
    broker, _ = imported(plan_of(tmp_path / "a.parquet"), tmp_path)
    assert [r.metrics for r in broker.readings] == [
        {"flow_m3_h": 100.5, "power_kw": 20.0},
        {"flow_m3_h": 101.5, "power_kw": 21.0},
    ]


def test_what_cannot_be_used_is_written_down_with_row_reason_and_text(tmp_path):
    text = (
        "time,flow_m3_h,power_kw\n"
        "2026-01-01T00:00:00,100,20\n"
        "2026-01-01T00:01:00,100\n"
        "soon,100,20\n"
        "2026-01-01T00:02:00,I/O Timeout,20\n"
        ",100,20\n"
        "2026-01-01T00:03:00,,\n"
        "2026-01-01T00:00:00,105,20\n"
        "2026-01-01T00:00:00,100,20\n"
        "2099-01-01T00:00:00,100,20\n"
    )
    rejects = tmp_path / "rejects.csv"
    plan = plan_of(text_file(tmp_path, text), max_gap_s=0, latest_us=1_790_000_000_000_000)
    broker, report = imported(plan, tmp_path, rejects=rejects)
    with rejects.open(newline="") as file:
        assert sorted(tuple(row.values()) for row in csv.DictReader(file)) == [
            ("2", "", "another number of values than the header", "2026-01-01T00:01:00,100"),
            ("3", "", "the time cannot be read", "soon"),
            ("4", "flow_m3_h", "text instead of a number", "I/O Timeout"),
            ("5", "", "no time", ""),
            ("6", "", "no value", ""),
            ("7", "flow_m3_h", "another value for the same time came before", "105"),
            ("9", "", "the time is in the future", "2099-01-01T00:00:00"),
        ]
    assert [r.metrics for r in broker.readings] == [{"flow_m3_h": 100.0, "power_kw": 20.0}, {"power_kw": 20.0}]
    assert (report.rows, report.readings, report.rows_refused, report.rows_repeated) == (9, 2, 5, 1)


def test_machines_of_one_file_are_not_made_one(tmp_path):
    path = text_file(tmp_path, "time,asset,flow_m3_h\n2026-01-01T00:00:00,P-1,1\n2026-01-01T00:00:00,P-2,2\n")
    with pytest.raises(TableError, match=r"column 'asset' names 2 machines \(P-1, P-2\), and --asset P-9 would"):
        plan_of(path, asset="P-9")
    assert plan_of(path, asset=None).mapping.asset_column == "asset"


def test_rows_behind_a_quote_that_is_never_closed_are_each_refused(tmp_path):
    text = (
        "time,flow_m3_h,power_kw\n"
        '2026-01-01T00:00:00,"100",20\n'
        '2026-01-01T00:01:00,"101,20\n'
        "2026-01-01T00:02:00,102,20\n"
        "2026-01-01T00:03:00,103,20\n"
    )
    rejects = tmp_path / "rejects.csv"
    broker, report = imported(plan_of(text_file(tmp_path, text)), tmp_path, rejects=rejects)
    with rejects.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["row"] for row in rows] == ["2", "3", "4"]
    assert [row["text"][:19] for row in rows] == [f"2026-01-01T00:0{minute}:00" for minute in (1, 2, 3)]
    assert "quote" in rows[1]["reason"]
    assert [r.metrics for r in broker.readings] == [{"flow_m3_h": 100.0, "power_kw": 20.0}]
    assert (report.rows, report.rows_refused) == (4, 3)


def test_units_are_changed_to_those_of_the_class(tmp_path):
    text = "time,Flow (gpm),Bearing Temp (degF)\n2026-01-01T00:00:00,100,212\n"
    broker, _ = imported(plan_of(text_file(tmp_path, text)), tmp_path)
    (reading,) = broker.readings
    assert reading.metrics == pytest.approx({"flow_m3_h": 22.712470704, "bearing_temp_c": 100.0})


def test_quality_of_the_historian_travels_with_the_value(tmp_path):
    text = "time,tag,value,quality\n" + "".join(
        f"2026-01-01T00:0{n},flow_m3_h,{n},{word}\n"
        for n, word in enumerate(["Good", "192", "Questionable", "64", "Bad", "24"])
    )
    broker, _ = imported(plan_of(text_file(tmp_path, text)), tmp_path)
    assert [r.quality.get("flow_m3_h", "good") for r in broker.readings] == [
        "good", "good", "uncertain", "uncertain", "bad", "bad",
    ]  # fmt: skip


def test_many_machines_in_one_file_keep_their_rows_apart(tmp_path):
    text = "time,asset,flow_m3_h\n" + "".join(
        f"2026-01-01T00:{minute:02d},P-{pump},{pump}\n" for minute in range(3) for pump in (1, 2)
    )
    broker, report = imported(plan_of(text_file(tmp_path, text), asset=None), tmp_path)
    assert {(r.asset_id, r.metrics["flow_m3_h"]) for r in broker.readings} == {("P-1", 1.0), ("P-2", 2.0)}
    assert [asset for asset, _ in broker.messages] == ["P-1", "P-2"]
    assert report.readings == 6


def test_a_shuffled_file_gives_the_very_same_messages(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "WINDOW_ROWS", 128)
    lines = [f"2026-01-01T{n // 60:02d}:{n % 60:02d},{n if n % 7 else ''},{n % 5}" for n in range(1000)]
    shuffled = list(np.random.default_rng(1).permutation(lines))
    parts = []
    for name, rows in (("a.csv", lines), ("b.csv", shuffled)):
        (tmp_path / name).mkdir()
        path = text_file(tmp_path / name, "\n".join(["time,flow_m3_h,power_kw", *rows]) + "\n")
        parts.append([r.model_dump() for r in imported(plan_of(path, max_gap_s=120), tmp_path, key=name)[0].readings])
    assert parts[0] == parts[1]
    assert len(parts[0]) == 1000
    assert [r["ts"] for r in parts[0]] == sorted(r["ts"] for r in parts[0])
    assert parts[0][7]["quality"] == {"flow_m3_h": "uncertain"}
    assert parts[0][7]["metrics"]["flow_m3_h"] == 7.0


def test_all_times_can_be_moved_so_that_the_last_is_now(tmp_path):
    plan = plan_of(text_file(tmp_path, PLAIN), end_us=1_800_000_000_000_000)
    broker, report = imported(plan, tmp_path)
    assert [int(r.ts.timestamp()) for r in broker.readings] == [1_800_000_000 - 60, 1_800_000_000]
    assert report.last == "2027-01-15T08:00:00.000000Z"


def test_ghosts_are_removed_unless_a_flat_line_is_believed(tmp_path):
    text = "time,flow_m3_h,power_kw,speed_rpm,fluid_temp_c\n" + "".join(
        f"{1767225600 + n},{n},5,1450,\n" for n in range(40)
    )
    broker, report = imported(plan_of(text_file(tmp_path, text)), tmp_path, key="a")
    assert {t.tag: t.removed for t in report.tags if t.removed} == {"power_kw": "flat", "fluid_temp_c": "missing"}
    assert set(broker.readings[0].metrics) == {"flow_m3_h", "speed_rpm"}, "a pump may have one speed"
    broker, _ = imported(plan_of(text_file(tmp_path, text), keep=("power_kw",)), tmp_path, key="b")
    assert set(broker.readings[0].metrics) == {"flow_m3_h", "speed_rpm", "power_kw"}


def test_day_and_month_are_asked_for_and_not_guessed(tmp_path):
    path = text_file(tmp_path, "time,flow_m3_h\n01/02/2026 00:00,1\n03/04/2026 00:00,2\n")
    with pytest.raises(AmbiguousTimeError, match="'01/02/2026 00:00' can have the day or the month first"):
        plan_of(path)
    assert plan_of(path, time_format="month-first").mapping.time.format == "month-first"


def test_numbers_that_are_no_moment_are_asked_for(tmp_path):
    with pytest.raises(AmbiguousTimeError, match="numbers like 0 in 'time' are no moment by themselves"):
        plan_of(text_file(tmp_path, "time,flow_m3_h\n0,1\n1,2\n"))


def test_a_mapping_survives_being_written_down(tmp_path):
    mapping = ImportMapping.model_validate(
        {
            "asset_column": "Pump",
            "asset_names": {"Pump 1": "P-1"},
            "time": {"columns": ["Date", "Time"], "format": "day-first", "timezone": "Europe/Berlin"},
            "columns": {"Durchfluß": {"tag": "flow_m3_h", "unit": "L/min", "quality": "Q"}},
            "ignored": ["Kommentar"],
        }
    )
    write_mapping(mapping, tmp_path / "m.yaml")
    assert read_mapping(tmp_path / "m.yaml") == mapping


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("asset: P-1\ncolumns: {a: {tag: flow_m3_h}}\n", "time: Field required"),
        ("asset: P-1\ntime: {columns: [t]}\ncolumns: {a: {tag: x}, b: {tag: x}}\n", "two columns are mapped to x"),
        ("time: {columns: [t]}\ncolumns: {a: {tag: x}}\n", "whose readings these are"),
        ("asset: P-1\ntime: {columns: [t]}\ncolumns: {a: {tag: x}}\nclss: y\n", "clss: Extra inputs"),
        ("{", "is not YAML"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(text, problem, tmp_path):
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(TableError, match=problem):
        read_mapping(tmp_path / "m.yaml")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"columns": {"nothing": {"tag": "flow_m3_h"}}}, "no column 'nothing'; the file has time"),
        ({"columns": {"flow_m3_h": {"tag": "colour"}}}, "has no tag 'colour'"),
        ({"columns": {"flow_m3_h": {"tag": "flow_m3_h", "unit": "bar"}}}, "bar cannot be turned into m3/h"),
        ({"columns": {"flow_m3_h": {"tag": "flow_m3_h", "unit": "parsnips"}}}, "'parsnips' is not known"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_is_refused(change, problem, tmp_path):
    mapping = {"asset": "P-1", "time": {"columns": ["time"]}, "columns": {"flow_m3_h": {"tag": "flow_m3_h"}}} | change
    with pytest.raises(TableError, match=problem):
        plan_of(text_file(tmp_path, PLAIN), mapping=ImportMapping.model_validate(mapping))


@pytest.mark.parametrize(
    ("name", "asset_class", "timezone", "readings"),
    [
        ("healthy_pump.csv", "centrifugal_pump", "UTC", 2016),
        ("tube_fouling_chiller.csv", "chiller", "Europe/Berlin", 2016),
        ("bearing_wear_pump.csv", "centrifugal_pump", "America/New_York", 2352),
    ],
)
def test_the_examples_can_be_imported_whole_and_are_small(name, asset_class, timezone, readings, tmp_path):
    path = EXAMPLES / name
    assert path.stat().st_size < 300_000
    catalogue = load_catalogue()
    source = open_source(path)
    roles = guess_roles(source.names)
    found = scan(source, roles, lambda _: None)
    mapping = propose(source, found, roles, Said(asset="X-1", timezone=timezone), catalogue[asset_class])
    assert {column.tag for column in mapping.columns.values()} == set(catalogue[asset_class].tag_names)
    plan = ImportPlan(
        source=source, scan=found, mapping=mapping, asset_class=catalogue[asset_class], max_gap_us=None,
        latest_us=2**62,
    )  # fmt: skip
    with Rejects() as rejects:
        report, assets = try_out(plan, tmp_path / "spool", rejects, lambda *_: None)
    assert (report.readings, report.rows_refused, assets) == (readings, 0, ("X-1",))


def test_the_validator_reads_what_an_import_sends(tmp_path):
    broker, _ = imported(plan_of(text_file(tmp_path, PLAIN)), tmp_path)
    asset = Asset(asset_id="P-1", asset_class="centrifugal_pump", name="Pump")
    records = [
        Record(topic="t", partition=0, offset=n, received_us=1, key=name.encode(), value=message)
        for n, (name, message) in enumerate(broker.messages)
    ]
    (batch,), refusals = RawReadingDecoder(load_catalogue(), {"P-1": asset}.get).decode(records)
    assert refusals == []
    assert batch.batch.historical.tolist() == [True, True]
    assert batch.batch.values[:, PUMP.tag_names.index("flow_m3_h")].tolist() == [100.5, 101.5]


def test_rows_keep_their_numbers_behind_rows_that_were_left_out(tmp_path):
    text = "time,flow_m3_h\n" + "".join("x,1,2\n" if n % 3 == 0 else f"{1767225600 + n},{n}\n" for n in range(1, 10))
    source = open_source(text_file(tmp_path, text))
    odd = []
    numbers = list(
        itertools.chain(*(piece.numbers.tolist() for piece in source.pieces(lambda row, _: odd.append(row))))
    )
    assert odd == [3, 6, 9]
    assert numbers == [1, 2, 4, 5, 7, 8]
