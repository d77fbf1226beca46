import subprocess
import sys

import pytest

from forewarn.adapters.detectors import registry
from forewarn.adapters.detectors.registry import make_detector, parse_members
from forewarn.ports.detector import DetectorUnavailable


@pytest.mark.parametrize(
    ("text", "names"),
    [("residual", ()), ("residual,hbos", ("hbos",)), (" residual , zscore,adwin ", ("zscore", "adwin"))],
)
def test_members_are_read_from_a_list(text, names):
    assert parse_members(text) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("residual,ecod", "no detector ecod: there are residual, zscore"),
        ("hbos", "must name 'residual'"),
        ("", "must name 'residual'"),
        ("residual,hbos,hbos", "once"),
    ],
)
def test_wrong_members_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_members(text)


def test_an_unknown_detector_is_refused():
    with pytest.raises(ValueError, match="no detector 'ecod'"):
        make_detector("ecod")


def test_a_missing_library_is_named_with_its_cure(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(DetectorUnavailable, match=r"'hbos' needs pyod: pip install 'forewarn\[ml\]'"):
        make_detector("hbos")


def test_the_autoencoder_asks_for_its_own_extra(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(DetectorUnavailable, match=r"'autoencoder' needs torch: pip install 'forewarn\[deep\]'"):
        make_detector("autoencoder")


def test_the_default_path_imports_neither_river_nor_pyod():
    code = (
        "import sys; from forewarn.adapters.detectors import ensemble, registry; registry.make_detector('zscore');"
        "sys.exit(any(m.split('.')[0] in ('river', 'pyod', 'sklearn') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
