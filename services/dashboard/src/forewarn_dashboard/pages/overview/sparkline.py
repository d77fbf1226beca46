"""Sparklines as SVG data URLs."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

WIDTH: Final = 120
HEIGHT: Final = 24
_TOP: Final = 100.0


def score_sparkline(scores: Sequence[float | None], *, abnormal: bool) -> str:
    """Return the data URL of an SVG of scores, 0 to 100, with gaps for unknown ones; empty for less than two."""
    if sum(score is not None for score in scores) < 2:
        return ""
    colour = "#c2410c" if abnormal else "#7b8492"
    step = WIDTH / (len(scores) - 1)
    path, pen = [], "M"
    for i, score in enumerate(scores):
        if score is None:
            pen = "M"
            continue
        height = HEIGHT - 1.5 - min(max(score, 0.0), _TOP) / _TOP * (HEIGHT - 3)
        path.append(f"{pen}{i * step:.1f} {height:.1f}")
        pen = "L"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f'<path d="{" ".join(path)}" fill="none" stroke="{colour}" stroke-width="1.5" '
        'vector-effect="non-scaling-stroke" stroke-linejoin="round"/></svg>'
    )
    return "data:image/svg+xml," + quote(svg)
