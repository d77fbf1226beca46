"""Make a class from recordings of equipment that the catalogue does not know."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.importing.guess import stated_unit, tag_name

#: The observed range is widened by this share on each side: a sample does not contain all extremes.
_MARGIN: Final = 0.5
_BASELINE_READINGS: Final = 600
_SIGNIFICANT: Final = 2


def new_class(name: str, title: str, samples: Mapping[str, FloatArray]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the document of an asset class with a tag for each column, and the tag of each column.

    Dependencies are unknown, so the twin predicts each tag from the others. Engineering ranges come from the samples;
    columns without values are left out.
    """
    tags: dict[str, dict[str, Any]] = {}
    mapped: dict[str, str] = {}
    for column, values in samples.items():
        known = values[~np.isnan(values)]
        if not known.size:
            continue
        tag = tag_name(column, tags)
        tags[tag] = {
            "name": tag,
            "title": column,
            "unit": stated_unit(column) or "1",
            "engineering_range": list(_range(float(known.min()), float(known.max()))),
        }
        mapped[column] = tag
    document = {
        "name": name,
        "title": title,
        "version": 1,
        "tags": list(tags.values()),
        "twin": {"responses": list(tags), "baseline_readings": _BASELINE_READINGS},
        "alarms": [
            {
                "id": "anomaly",
                "source": "anomaly",
                "on_delay_s": 0,
                "off_delay_s": 60,
                "priority": "medium",
                "message": "The machine deviates from its normal behaviour",
                "action": "Compare measured and expected values and inspect the named tag",
            }
        ],
    }
    return document, mapped


def _range(low: float, high: float) -> tuple[float, float]:
    margin = _MARGIN * (high - low) or max(abs(high), 1.0)
    step = 10.0 ** (math.floor(math.log10(margin)) - _SIGNIFICANT + 1)
    lower, upper = math.floor((low - margin) / step) * step, math.ceil((high + margin) / step) * step
    return (max(0.0, round(lower, 9)) if low >= 0 else round(lower, 9)), round(upper, 9)
