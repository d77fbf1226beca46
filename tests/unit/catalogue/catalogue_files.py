"""A small class as a user would write it, and its places on disk."""

from pathlib import Path

import pytest

from forewarn.adapters.catalogue import CatalogueError, load_catalogue

GOOD = """\
name: {name}
title: A class of the user
tags:
  - {{name: temp_c, title: Temperature, unit: Cel, engineering_range: [0, 100]}}
  - {{name: low_bar, title: Inlet pressure, unit: bar, engineering_range: [0, 10]}}
  - {{name: high_bar, title: Outlet pressure, unit: kPa, engineering_range: [0, 1000]}}
nameplate:
  - {{name: density_kg_m3, unit: kg/m3, default: 998}}
derived:
  - name: head_m
    title: Head
    unit: m
    function: pump_head_m
    inputs: {{suction_pressure_bar: low_bar, discharge_pressure_bar: high_bar, density_kg_m3: nameplate.density_kg_m3}}
rules:
  - {{id: kiln.head, column: head_m, minimum: 0, severity: warning, blames: [low_bar], message: M, recommendation: R}}
twin:
  responses: [temp_c]
health:
  - {{column: temp_c, weight: 1, good: 50, bad: 90, message: Hot, recommendation: Cool it}}
failure_modes:
  - {{id: burnt, title: Burnt, indicator: temp_c, threshold: 95, recommendation: Replace it}}
alarms:
  - {{id: hot, source: threshold, column: temp_c, high: 90, priority: high, message: Hot, action: Cool it}}
"""
KILN = GOOD.format(name="kiln")


def redundant(keys: str, group: str = "kiln.pair") -> str:
    group = f"{{id: {group}, {keys}, tolerance: 1, time_constant_s: 60, message: M, recommendation: R}}"
    return f"redundant:\n  - {group}\ntwin:"


def write(directory: Path, text: str, name: str = "mine.yaml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(directory: Path) -> str:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(directory)
    return str(caught.value)
