"""The licence stands at the root, in every package and on the images."""

from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for group in ("libs", "services") for path in (ROOT / group).glob("*/pyproject.toml"))
LICENSE = (ROOT / "LICENSE").read_text("utf-8")


def test_the_root_holds_the_full_text():
    assert LICENSE.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert "END OF TERMS AND CONDITIONS" in LICENSE


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_each_installed_package_carries_it(package):
    name = "forewarn" if package.name == "forewarn" else f"forewarn-{package.name.removeprefix('forewarn-')}"
    installed = distribution(name)
    assert installed.metadata["License-Expression"] == "Apache-2.0"
    assert installed.read_text("licenses/LICENSE") == LICENSE


def test_images_name_it_and_are_built_with_it():
    recipe = (ROOT / "infra/docker/service.Dockerfile").read_text("utf-8")
    assert 'org.opencontainers.image.licenses="Apache-2.0"' in recipe
    assert "COPY LICENSE " in recipe
    assert "!LICENSE" in (ROOT / "infra/docker/service.Dockerfile.dockerignore").read_text("utf-8").splitlines()
