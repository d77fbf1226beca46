"""Container tests need a Docker engine; without one they are skipped and say so."""

import pytest

from support.containers import need_engine


@pytest.fixture(scope="session")
def engine():
    """Make sure that a Docker engine answers."""
    need_engine()


@pytest.fixture(autouse=True)
def _need_engine(engine):
    """Every test here needs it."""
