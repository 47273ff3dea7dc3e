"""Pictures as inline SVG: a difference with its interval, curves with their bands. Colours are those of the page.

Numbers are rounded to a tenth of a pixel. Shapes and dashes say what colours say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from vitui.escaping import html as escaped
from vitui.studies.differences import EVALUATION
from vitui.studies.formats.contents import signed

if TYPE_CHECKING:
    from vitui.studies.bands import Curve, Overlay
    from vitui.studies.report import Report, Row

BAR_WIDTH, BAR_HEIGHT = 150, 20
WIDTH, HEIGHT = 1160, 360
LEFT, RIGHT, TOP, BOTTOM = 58, 210, 12, 40
"""Room around the field of a chart."""
LABEL_HEIGHT = 15
LABEL_LETTERS = 28
_DASHES: Final = ("", "7 3", "2 2", "9 3 2 3", "", "7 3", "2 2", "9 3 2 3")
Placing: TypeAlias = Callable[[float, float], str]
"""Values across and up -> pixels across and down."""
EARLY = 0.2
"""This share of a curve does not decide what the vertical axis spans: the first epochs would dwarf all others."""


def scale_of(report: Report) -> float:
    """What half the width of a difference's picture stands for: the largest bound, or less where a few are far wider
    than what was observed (two seeds have intervals of a dozen standard errors)."""
    found = [row.difference for row in report.rows if row.difference is not None]
    bounds = [max(abs(d.low), abs(d.high)) for d in found if d.low is not None and d.high is not None]
    means = [abs(d.mean) for d in found]
    halves = sorted((d.high - d.low) / 2 for d in found if d.low is not None and d.high is not None)
    usual = halves[len(halves) // 2] if halves else 0.0
    return min(max([*bounds, *means], default=0.0), 3 * max([*means, usual], default=0.0)) * 1.04


def interval(row: Row, scale: float, metric: str) -> str:
    """A difference as a mark with its interval beside zero; what is beyond the scale ends in an arrow."""
    found = row.difference
    if found is None or not scale:
        return ""
    middle, half = BAR_WIDTH / 2, BAR_WIDTH / 2 - 6
    at = middle + half * max(-1.0, min(1.0, found.mean / scale))
    tone = row.verdict if row.verdict in ("better", "worse") else "plain"
    parts = [f'<line class="axis" x1="{middle:g}" y1="1" x2="{middle:g}" y2="{BAR_HEIGHT - 1}"/>']
    y = BAR_HEIGHT / 2
    said = f"{signed(found.mean, metric)}"
    if found.low is not None and found.high is not None:
        ends = []
        for bound in (found.low, found.high):
            x = middle + half * max(-1.0, min(1.0, bound / scale))
            ends.append(x)
            if abs(bound) <= scale:
                parts.append(f'<line class="{tone} none" x1="{x:.1f}" y1="{y - 4:g}" x2="{x:.1f}" y2="{y + 4:g}"/>')
            else:
                out = 4 if bound > 0 else -4
                parts.append(f'<path class="{tone} none" d="M{x:.1f} {y - 4:g}l{out} 4l{-out} 4"/>')
        dash = ' stroke-dasharray="3 3"' if found.kind == EVALUATION else ""
        parts.append(
            f'<line class="{tone}" stroke-width="2"{dash} x1="{ends[0]:.1f}" y1="{y:g}" x2="{ends[1]:.1f}" y2="{y:g}"/>'
        )
        said += f", from {signed(found.low, metric)} to {signed(found.high, metric)}"
    shape = {
        "better": f"M{at - 5:.1f} {y + 4:g}h10l-5 -9z", "worse": f"M{at - 5:.1f} {y - 4:g}h10l-5 9z",
        "same": f"M{at - 4:.1f} {y - 4:g}h8v8h-8z",
    }.get(row.verdict)  # fmt: skip
    if shape:
        parts.append(f'<path class="{tone}" d="{shape}"/>')
    else:
        parts.append(f'<circle class="{tone}" stroke-width="2" cx="{at:.1f}" cy="{y:g}" r="4"/>')
    return (
        f'<svg role="img" width="{BAR_WIDTH}" height="{BAR_HEIGHT}" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}">'
        f"<title>{escaped(said)}</title>{''.join(parts)}</svg>"
    )


def chart(overlay: Overlay) -> str:
    """Curves with their bands: light from least to most, darker one deviation around the mean."""
    low, high, cut = span(overlay)
    right = max(float(curve.x[-1]) for curve in overlay.curves)
    left = min(0.0, min(float(curve.x[0]) for curve in overlay.curves))
    field = (LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)

    def place(x: float, y: float) -> str:
        across = LEFT + field[2] * (x - left) / ((right - left) or 1)
        down = TOP + field[3] * (high - y) / ((high - low) or 1)
        return f"{across:.1f} {max(-1e4, min(1e4, down)):.1f}"

    clip = "clip-" + re.sub(r"[^A-Za-z0-9]", "-", overlay.key)
    parts = [
        f'<clipPath id="{clip}"><rect x="{field[0]}" y="{TOP}" width="{field[2]}" height="{field[3]}"/></clipPath>'
    ]
    parts += _axes(overlay.x, (left, right), (low, high), place)
    parts.append(f'<g clip-path="url(#{clip})">')
    for n, curve in enumerate(overlay.curves):
        parts += _band(curve, n, place)
    for n, curve in enumerate(overlay.curves):
        parts += _line(curve, n, place)
    parts.append("</g>")
    parts += _labels(overlay.curves, place)
    said = escaped(f"{overlay.title} over {overlay.x}s: {', '.join(curve.label for curve in overlay.curves)}")
    note = (
        f"<desc>{escaped('the first fifth of the curves is cut off where it leaves the field')}</desc>" if cut else ""
    )
    return (
        f'<svg role="img" aria-label="{said}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{note}{''.join(parts)}</svg>"
    )


def span(overlay: Overlay) -> tuple[float, float, bool]:
    """What the vertical axis spans, with a little room, and whether the first fifth of any curve leaves it."""
    late: list[float] = []
    every: list[float] = []
    end = max(float(curve.x[-1]) for curve in overlay.curves)
    for curve in overlay.curves:
        for x, least, most in zip(
            curve.x.tolist(), curve.band.least.tolist(), curve.band.most.tolist(), strict=True
        ):  # fmt: skip
            every += [least, most]
            if x >= EARLY * end:
                late += [least, most]
    low, high = min(late or every), max(late or every)
    room = 0.04 * (high - low) or 0.05 * abs(high) or 1.0
    low, high = low - room, high + room
    return low, high, min(every) < low or max(every) > high


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between two: steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _axes(unit: str, across: tuple[float, float], down: tuple[float, float], place: Placing) -> Iterator[str]:
    for y in ticks(*down):
        start, end = place(across[0], y).split(), place(across[1], y).split()
        yield f'<line class="grid" x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"/>'
        yield f'<text class="dim right" x="{LEFT - 8}" y="{float(start[1]) + 4:.1f}">{y:g}</text>'
    bottom = HEIGHT - BOTTOM
    yield f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDTH - RIGHT}" y2="{bottom}"/>'
    for x in ticks(*across, about=8):
        at = place(x, 0).split()[0]
        yield f'<line class="axis" x1="{at}" y1="{bottom}" x2="{at}" y2="{bottom + 4}"/>'
        yield f'<text class="dim mid" x="{at}" y="{bottom + 18}">{x:g}</text>'
    yield f'<text class="dim mid" x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 6}">{unit}</text>'


def _band(curve: Curve, n: int, place: Placing) -> Iterator[str]:
    several = curve.band.n > 1
    if not several.any():
        return
    x, band = curve.x[several].tolist(), curve.band
    mean, deviation = band.mean[several], band.deviation[several]
    for low, high, opacity in (
        (band.least[several], band.most[several], 0.10),
        (mean - deviation, mean + deviation, 0.16),
    ):
        forth = [place(a, b) for a, b in zip(x, high.tolist(), strict=True)]
        back = [place(a, b) for a, b in zip(x, low.tolist(), strict=True)]
        yield f'<path class="f{n % 8}" fill-opacity="{opacity:g}" d="M{"L".join([*forth, *reversed(back)])}z"/>'


def _line(curve: Curve, n: int, place: Placing) -> Iterator[str]:
    points = [place(x, y) for x, y in zip(curve.x.tolist(), curve.band.mean.tolist(), strict=True)]
    dash = f' stroke-dasharray="{_DASHES[n % 8]}"' if _DASHES[n % 8] else ""
    wide = 2.6 if curve.baseline else 1.8
    yield f'<path class="c{n % 8} none" stroke-width="{wide:g}" stroke-linejoin="round"{dash} d="M{"L".join(points)}"/>'
    for at in ended(curve):
        x, y = (float(part) for part in points[at].split())
        there, total = int(curve.band.n[at]), curve.seeds
        yield (
            f'<path class="c{n % 8} none" stroke-width="2" d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8">'
            f"<title>{there} of {total} seeds up to here</title></path>"
        )


def ended(curve: Curve) -> list[int]:
    """Points after which fewer seeds are left for good, and the last one where all seeds diverged."""
    n, most, found = curve.band.n.tolist(), 0, []
    for at in range(len(n) - 1, -1, -1):
        if 0 < most < n[at]:
            found.append(at)
        most = max(most, n[at])
    return [*reversed(found), *([len(n) - 1] if n and curve.diverged == curve.seeds else [])]


def _labels(curves: Sequence[Curve], place: Placing) -> Iterator[str]:
    """Beside the ends of the lines, pushed apart where they would cover each other."""
    ends = [place(float(curve.x[-1]), float(curve.band.mean[-1])).split() for curve in curves]
    wanted = [min(max(float(y), TOP + 6), HEIGHT - BOTTOM) for _, y in ends]
    order = sorted(range(len(curves)), key=wanted.__getitem__)
    at = apart([wanted[n] for n in order], LABEL_HEIGHT, TOP + 6, HEIGHT - BOTTOM)
    edge = WIDTH - RIGHT
    for n, y in zip(order, at, strict=True):
        curve = curves[n]
        name = curve.label if len(curve.label) <= LABEL_LETTERS else curve.label[: LABEL_LETTERS - 1] + "…"
        dash = f' stroke-dasharray="{_DASHES[n % 8]}"' if _DASHES[n % 8] else ""
        yield f'<line class="grid" x1="{edge + 2}" y1="{wanted[n]:.1f}" x2="{edge + 10}" y2="{y:.1f}"/>'
        inside = f'x1="{edge + 10}" y1="{y:.1f}" x2="{edge + 30}" y2="{y:.1f}"'
        yield f'<line class="c{n % 8}" stroke-width="2"{dash} {inside}/>'
        weight = " strong" if curve.baseline else ""
        lost = f", {curve.diverged} diverged" if curve.diverged else ""
        yield (
            f'<text class="f{n % 8} small{weight}" x="{edge + 35}" y="{y + 4:.1f}">{escaped(name)}'
            f"<title>{escaped(curve.label)}: {curve.seeds} seed{'s' * (curve.seeds != 1)}{lost}</title></text>"
        )


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Ascending places as near as can be to those wanted, at least `gap` from each other, inside bounds if they fit."""
    out: list[float] = []
    for place in wanted:
        out.append(max(place, out[-1] + gap if out else low))
    over = out[-1] - high if out else 0.0
    if over > 0:
        out[-1] -= over
        for n in range(len(out) - 2, -1, -1):
            out[n] = min(out[n], out[n + 1] - gap)
    return out
