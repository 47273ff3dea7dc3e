"""What charts show (traces, levels, marks, panels) and how they are looked at. Plain immutable data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from vitui.tui.series import LIMIT, SMOOTHING, Pace, Series, Span, XAxis

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

UNKNOWN = Pace()

Limits = tuple[float | None, float | None]
"""Lowest and highest value of a y axis; None: automatic."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A series in a chart.

    `smooth`: dense and noisy, so a moving average is drawn bright over its dim band. `ink`: number of its colour and
    letter, so that a run has the same in every chart. `pace`: of the run it is from. `banded`: its mean is drawn over
    the band of its lowest and highest values, as of several seeds.
    """

    series: Series
    label: str
    smooth: bool = False
    pace: Pace = UNKNOWN
    ink: int = 0
    banded: bool = False

    @property
    def letter(self) -> str:
        return LETTERS[self.ink % len(LETTERS)]


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal dashed line: a published value."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An event on the time axis: a sign on the axis row, told in full by the crosshair.

    `kind`: checkpoint, best, warning, nonfinite, diverged, failed, stopped, resumed or evaluated. `at`: seconds since
    1970, 0 where not known.
    """

    step: float
    at: float
    kind: str
    text: str = ""
    pace: Pace = UNKNOWN

    def x(self, kind: XAxis) -> float | None:
        """Its place on an axis, None where it has none there."""
        if kind in (XAxis.RELATIVE, XAxis.WALL):
            if self.at <= 0 or (kind is XAxis.RELATIVE and self.pace.started <= 0):
                return None
            return self.at - (self.pace.started if kind is XAxis.RELATIVE else 0.0)
        scale = self.pace.per_step(kind)
        return self.step * scale if scale else None


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: the traces of one quantity. `unit`: of its values, as in "%"; `log`: its y axis is logarithmic.

    `title` must be safe text.
    """

    key: str
    title: str
    traces: tuple[Trace, ...]
    levels: tuple[Level, ...] = ()
    marks: tuple[Mark, ...] = ()
    unit: str = ""
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("traces", "levels", "marks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Look:
    """How all charts of a screen are looked at.

    `smoothing` in [0, 1): of the moving average. `log_y`: keys of the panels whose y axis was switched between linear
    and logarithmic. `span`: what is in view, None for all. `ranges`: limits of y axes by panel key. `single`: only the
    panel in front, else a grid. `front`: key of the selected panel. `clip`: the y axis leaves out the outermost
    percent of values at each end. `cursor`: where the crosshair is, in units of the x axis; None: it is off.
    """

    x: XAxis = XAxis.STEP
    smoothing: float = 0.9
    log_x: bool = False
    log_y: frozenset[str] = frozenset()
    span: Span | None = None
    ranges: Mapping[str, Limits] = field(default_factory=lambda: MappingProxyType({}))
    single: bool = False
    front: str = ""
    clip: bool = False
    cursor: float | None = None

    def is_log(self, panel: Panel) -> bool:
        return panel.log != (panel.key in self.log_y)

    def with_range(self, key: str, limits: Limits) -> Look:
        """With limits for one panel; (None, None) takes them away."""
        ranges = {k: v for k, v in self.ranges.items() if k != key}
        if limits != (None, None):
            ranges[key] = limits
        return replace(self, ranges=MappingProxyType(ranges))

    def whole(self) -> Look:
        """The same habits, but all of the run in view: what is kept for the next run that is opened."""
        return replace(self, span=None, ranges=MappingProxyType({}), cursor=None)

    def as_json(self) -> dict[str, Any]:
        """For the file of remembered views. The crosshair is not kept."""
        span = self.span
        return {
            "x": self.x.value,
            "smoothing": self.smoothing,
            "log_x": self.log_x,
            "log_y": sorted(self.log_y),
            "span": None if span is None else [span.axis.value, span.low, span.high],
            "ranges": {key: list(limits) for key, limits in self.ranges.items()},
            "single": self.single,
            "front": self.front,
            "clip": self.clip,
        }

    @classmethod
    def from_json(cls, data: object) -> Look:
        """What `as_json` wrote; what is missing or damaged is as in a new look."""
        new = cls()
        if not isinstance(data, Mapping):
            return new
        smoothing, log_y, front = data.get("smoothing"), data.get("log_y"), data.get("front")
        ranges = data.get("ranges")
        kept = {k: limits for k, v in ranges.items() if (limits := _limits(v))} if isinstance(ranges, Mapping) else {}
        x = next((kind for kind in XAxis if kind.value == data.get("x")), new.x)
        span = _span(data.get("span"))
        return cls(
            x=x,
            smoothing=float(smoothing) if smoothing in SMOOTHING else new.smoothing,
            log_x=data.get("log_x") is True,
            log_y=frozenset(k for k in log_y if isinstance(k, str)) if isinstance(log_y, list) else new.log_y,
            span=span if span is not None and span.axis is x else None,
            ranges=MappingProxyType({str(k): v for k, v in kept.items()}),
            single=data.get("single") is True,
            front=front if isinstance(front, str) else new.front,
            clip=data.get("clip") is True,
        )


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LIMIT


def _limits(value: object) -> Limits | None:
    if not isinstance(value, list) or len(value) != 2 or not all(v is None or _number(v) for v in value):
        return None
    low, high = value
    if (low is None and high is None) or (low is not None and high is not None and not low < high):
        return None
    return low, high


def _span(value: object) -> Span | None:
    if not isinstance(value, list) or len(value) != 3 or not _number(value[1]):
        return None
    axis = next((kind for kind in XAxis if kind.value == value[0]), None)
    low, high = value[1], value[2]
    if axis is None or not (high is None or (_number(high) and high > low)):
        return None
    return Span(axis, float(low), None if high is None else float(high))
