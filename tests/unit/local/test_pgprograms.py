"""Which PostgreSQL is taken."""

from pathlib import Path

import pytest

from forewarn_local import pgprograms
from forewarn_local.errors import PostgresMissingError
from forewarn_local.http_requests import has_items
from forewarn_local.pgprograms import PostgresPrograms, find_programs, open_path, parse_major
from forewarn_local.postgres import redacted


def _installed(monkeypatch, *found):
    programs = [
        PostgresPrograms(bin_dir=Path(f"/{source}{major}"), major=major, source=source, has_timescaledb=timescale)
        for source, major, timescale in found
    ]
    monkeypatch.setattr(pgprograms, "_installations", lambda: iter(programs))


def test_the_version_is_read_from_what_postgres_prints():
    assert parse_major("postgres (PostgreSQL) 18.4") == 18
    assert parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)") == 15
    assert parse_major("not found") is None


def test_the_pinned_wheel_goes_before_a_system_server(monkeypatch):
    _installed(monkeypatch, ("system", 17, False), ("wheel", 18, False))
    assert find_programs().source == "wheel"


def test_a_system_server_with_timescaledb_goes_first(monkeypatch):
    _installed(monkeypatch, ("wheel", 18, False), ("system", 17, True))
    assert find_programs().major == 17


def test_existing_data_keep_the_version_that_made_them(monkeypatch):
    _installed(monkeypatch, ("wheel", 18, False), ("wheel", 16, False), ("system", 17, True))
    assert find_programs(16).major == 16
    with pytest.raises(PostgresMissingError, match="version 15, which made the existing data"):
        find_programs(15)


def test_a_server_that_is_too_old_is_not_taken(monkeypatch):
    _installed(monkeypatch, ("system", 13, True))
    with pytest.raises(PostgresMissingError, match=r">= 15.*apt install postgresql.*DATABASE_URL"):
        find_programs()


def test_a_shown_url_has_no_password():
    assert redacted("postgresql://me:secret@db:5433/plant") == "db:5433/plant"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('[{"id": 1}]', True),
        ('{"items": [1], "next": null}', True),
        ("[]", False),
        ('{"items": []}', False),
        ("x", False),
    ],
)
def test_a_list_with_something_in_it_is_recognised(body, expected):
    assert has_items(body) is expected


def test_directories_on_the_way_become_passable_but_not_readable(tmp_path):
    private = tmp_path / "private"
    below = private / "below"
    below.mkdir(parents=True)
    private.chmod(0o700)
    changed = open_path(below)
    assert private in changed
    assert private.stat().st_mode & 0o777 == 0o701
    assert private not in open_path(below)
