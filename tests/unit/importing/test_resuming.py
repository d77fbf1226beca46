"""An import that was cut off goes on where it was; one that runs is not begun twice."""

import pytest

from forewarn.adapters.importing import run
from forewarn.adapters.importing.progress import ImportRunningError, ProgressFile, import_key
from support.file_imports import PLAIN, Broker, imported, plan_of, text_file


@pytest.mark.parametrize("breaks_after", [0, 1, 3, 5])
def test_an_import_that_was_cut_off_goes_on_and_sends_each_message_at_least_once_and_in_order(
    breaks_after, tmp_path, monkeypatch
):
    monkeypatch.setattr(run, "_CHECK_EVERY", 1)
    text = "time,flow_m3_h\n" + "".join(f"{1767225600 + n},{n % 50}\n" for n in range(1200))
    plan = plan_of(text_file(tmp_path, text))
    whole = imported(plan, tmp_path, key="whole")[0].messages
    first = Broker(breaks_after)
    with pytest.raises(ConnectionError):
        imported(plan, tmp_path, first)
    second, report = imported(plan, tmp_path)
    assert first.messages + second.messages == whole
    assert report.sent_before == breaks_after
    assert report.readings == 1200
    again, _ = imported(plan, tmp_path)
    assert again.messages == whole, "a finished import is repeated if it is asked for: that does no harm"


def test_a_cut_off_import_of_moved_times_goes_on_with_the_same_move(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "_CHECK_EVERY", 1)
    path = text_file(tmp_path, "time,flow_m3_h\n" + "".join(f"{1767225600 + n},{n % 50}\n" for n in range(500)))
    first = Broker(1)
    with pytest.raises(ConnectionError):
        imported(plan_of(path, end_us=1_800_000_000_000_000), tmp_path, first)
    second, _ = imported(plan_of(path, end_us=1_800_000_099_000_000), tmp_path)
    times = [r.ts.timestamp() for r in (*first.readings, *second.readings)]
    assert times == [1_800_000_000 - 499 + n for n in range(500)]


def test_one_process_at_a_time_imports_a_file(tmp_path):
    with ProgressFile(tmp_path, "k"):
        with pytest.raises(ImportRunningError, match="another process is importing this file"):
            ProgressFile(tmp_path, "k").__enter__()
        with ProgressFile(tmp_path, "other"):
            pass
    with ProgressFile(tmp_path, "k"):
        pass


def test_the_same_file_under_other_settings_is_another_import(tmp_path):
    path = text_file(tmp_path, PLAIN)
    assert import_key(path, "x") == import_key(path, "x") != import_key(path, "y")
    other = text_file(tmp_path, PLAIN + "\n", "b.csv")
    assert import_key(path, "x") != import_key(other, "x")
