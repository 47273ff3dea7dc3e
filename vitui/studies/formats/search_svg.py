"""Accuracy against compute as a picture: one SVG element that needs nothing else. Groups differ in colour and shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from vitui.escaping import html as escaped
from vitui.studies.formats.search_frame import Drawn, Frame, frame

if TYPE_CHECKING:
    from vitui.studies.compute import Tradeoff

WIDTH, HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 40, 56
# Okabe and Ito's colours, which people tell apart who see few.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
_DASHES: Final = ("", "6 3", "2 3", "8 3 2 3")


def svg(found: Tradeoff, kind: str) -> str:
    """The picture of random search (kind "search") or of every run with the frontiers, as an ``<svg>`` element.

    Text takes the colour of its surroundings. A title and a description say the same to those who do not see it.
    """
    return "\n".join(_picture(frame(found, kind), " ".join(found.words))) + "\n"


def _picture(shown: Frame, described: str) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" font-family="sans-serif" font-size="12" fill="currentColor">'
    )
    yield f"<title>{escaped(shown.title)}</title>"
    yield f"<desc>{escaped(described)}</desc>"
    yield from _axes(shown)
    for n, group in enumerate(shown.groups):
        yield from _group(shown, group, n)
    yield from _legend(shown)
    yield "</svg>"


def _x(shown: Frame, value: float) -> float:
    return _LEFT + shown.place(value) * (WIDTH - _LEFT - _RIGHT)


def _y(shown: Frame, value: float) -> float:
    low, high = shown.up
    return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)


def _axes(shown: Frame) -> Iterator[str]:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    for value, label in shown.y_ticks:
        y = _y(shown, value)
        yield f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="currentColor" stroke-opacity="0.15"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escaped(label)}</text>'
    for n, (value, label) in enumerate(shown.x_ticks):
        x = _x(shown, value)
        anchor = "middle" if 0 < n < len(shown.x_ticks) - 1 or len(shown.x_ticks) == 1 else ("end" if n else "start")
        yield f'<path d="M{x:.1f} {bottom}v5" stroke="currentColor"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="{anchor}">{escaped(label)}</text>'
    yield f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" stroke="currentColor"/>'
    yield f'<text x="{(_LEFT + right) / 2:.0f}" y="{HEIGHT - 14}" text-anchor="middle">{escaped(shown.x)}</text>'
    yield f'<text x="{_LEFT}" y="{_TOP - 24}">{escaped(shown.y)}</text>'


def _group(shown: Frame, group: Drawn, n: int) -> Iterator[str]:
    colour, dash = COLOURS[n % len(COLOURS)], _DASHES[n % len(_DASHES)]
    if group.low and group.high:
        # Where one edge is not known yet, the band is left open: it begins where both are.
        first = max(group.low[0][0], group.high[0][0])
        edges = [place for place in group.high if place[0] >= first]
        edges += reversed([place for place in group.low if place[0] >= first])
        yield f'<path d="{_path(shown, edges)}Z" fill="{colour}" fill-opacity="0.18"/>'
    if group.line:
        told = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<path d="{_path(shown, group.line)}" fill="none" stroke="{colour}" stroke-width="2"{told}/>'
    for x, y in group.points:
        yield _mark(_x(shown, x), _y(shown, y), n, colour)


def _path(shown: Frame, places: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if n else 'M'}{_x(shown, x):.1f} {_y(shown, y):.1f}" for n, (x, y) in enumerate(places))


def _mark(x: float, y: float, n: int, colour: str) -> str:
    shapes = (
        f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
        f"M{x:.1f} {y - 5:.1f}l5 9h-10Z",
        f"M{x - 4:.1f} {y - 4:.1f}h8v8h-8Z",
        f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5Z",
    )
    return f'<path d="{shapes[n % len(shapes)]}" fill="{colour}" fill-opacity="0.75"/>'


def _legend(shown: Frame) -> Iterator[str]:
    x = WIDTH - _RIGHT
    for n, group in reversed(list(enumerate(shown.groups))):
        colour, dash = COLOURS[n % len(COLOURS)], _DASHES[n % len(_DASHES)]
        yield f'<text x="{x}" y="{_TOP - 24}" text-anchor="end">{escaped(group.label)}</text>'
        x -= 12 + round(6.6 * len(group.label))
        if group.points:
            yield _mark(x - 2, _TOP - 28, n, colour)
        else:
            told = f' stroke-dasharray="{dash}"' if dash else ""
            yield f'<path d="M{x - 22} {_TOP - 28}h22" stroke="{colour}" stroke-width="2"{told}/>'
        x -= 36
