"""The classes that ship, for tests on real servers."""

import pytest

from forewarn.adapters.catalogue import load_catalogue


@pytest.fixture(scope="session")
def catalogue():
    return load_catalogue()


@pytest.fixture(scope="session")
def pump(catalogue):
    return catalogue["centrifugal_pump"]
