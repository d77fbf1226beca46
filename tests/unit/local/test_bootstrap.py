"""The environment is made once for one set of inputs."""

import pytest

from forewarn_local import bootstrap


@pytest.fixture
def root(tmp_path):
    for name in ("uv.lock", "pyproject.toml", "libs/a/pyproject.toml", ".venv/bin/python"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / ".forewarn").mkdir()
    return tmp_path


def _stamp(root, profile):
    (root / ".forewarn" / f"env-{profile}.stamp").write_text(bootstrap.fingerprint(root))


def test_without_a_stamp_it_is_made(root):
    assert not bootstrap.is_current(root, "run")


def test_the_full_environment_serves_both_but_the_small_one_does_not(root):
    _stamp(root, "run")
    assert bootstrap.is_current(root, "run")
    assert not bootstrap.is_current(root, "dev")
    _stamp(root, "dev")
    assert bootstrap.is_current(root, "dev")


@pytest.mark.parametrize("changed", ["uv.lock", "pyproject.toml", "libs/a/pyproject.toml"])
def test_a_changed_input_makes_it_again(root, changed):
    _stamp(root, "dev")
    (root / changed).write_text("other")
    assert not bootstrap.is_current(root, "dev")


def test_a_removed_environment_is_made_again(root):
    _stamp(root, "dev")
    (root / ".venv" / "bin" / "python").unlink()
    assert not bootstrap.is_current(root, "dev")
