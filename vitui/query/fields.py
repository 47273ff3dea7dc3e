"""Fields: everything that runs can be asked about, each under one name. Pure.

A field of the run itself (``best``, ``state``) is taken from its row. Recipe fields (``optim.lr``) and metrics
(``train/loss``, ``best(val/top1)``, ``smooth(val/top1)``) come from outside, as `Values`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from vitui.errors import UsageError

if TYPE_CHECKING:
    from vitui.store import Run

Kind = Literal["number", "text", "words", "flag", "time", "duration", "value"]
"""``words``: several texts (tags). ``duration``: seconds; ``time``: Unix seconds. ``value``: a number or a text, which
of them is known only from each run (recipe fields)."""
Source = Literal["run", "recipe", "last", "best", "smooth", "top5", "study"]
Tone = Literal["text", "dim", "state", "strong", "good"]
Values = Mapping[str, Mapping[str, Any]]
"""Field key -> run id -> value, for the fields that are not in the run's row. A run that is missing has none."""
NO_VALUES: Values = {}

LEAST_WIDTH, MOST_WIDTH = 8, 24


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One thing that every run may have a value of. Two of one key are equal, whatever else is known of them.

    `of(run, now)` takes it from the run's row; None where it comes from `Values`. `better`: 1 more, -1 less, 0 neither.
    `rank(run, now)`: what to sort by, where that is not the value. `show(run, now)`: its text, where the kind does not
    say it. `width`: cells in a table, up to `grow` where there is room. `descending`: the natural order has the large
    ones first. `on(run)`: what it was measured on; there is a mean only over runs that have the same there.
    """

    key: str
    title: str
    kind: Kind
    help: str
    of: Callable[[Run, float], Any] | None = None
    source: Source = "run"
    unit: str = ""
    better: int = 0
    width: int = 8
    grow: int = 0
    descending: bool = False
    tone: Tone = "text"
    rank: Callable[[Run, float], Any] | None = None
    show: Callable[[Run, float], str] | None = None
    on: Callable[[Run], tuple[str, ...]] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def right(self) -> bool:
        """Whether its column is aligned to the right."""
        return self.kind in ("number", "duration", "value")

    @property
    def counts(self) -> bool:
        """Whether a mean over runs makes sense."""
        return self.kind in ("number", "duration", "value")

    @property
    def outside(self) -> bool:
        """Whether its values must be asked for."""
        return self.source != "run"

    @property
    def series(self) -> str:
        """The name behind a recipe field or a metric, e.g. ``val/top1`` of ``best(val/top1)``."""
        found = _CALL.fullmatch(self.key)
        return found["name"] if found else self.key

    def get(self, run: Run, values: Values, now: float) -> Any:
        """The value of one run; None where it is not known (NaN counts as a number, see `known`)."""
        if self.of is not None:
            return self.of(run, now)
        column = values.get(self.key)
        return None if column is None else column.get(run.id)


def known(value: Any) -> bool:
    """Whether a run has something to show there: not None, not empty, not NaN."""
    if value is None or value == "" or value == ():
        return False
    return not (isinstance(value, float) and not math.isfinite(value))


_CALL = re.compile(r"(?P<call>best|smooth|last)\((?P<name>[^()]*)\)")
_RECIPE = re.compile(r"[a-z_]+(\.\w+)+")
_METRIC = re.compile(r"[\w.-]+/[\w./-]+")


class Fields:
    """All fields there are. `recipe`: dotted recipe fields with a description each; `metrics`: series that runs have.

    Where these are None nothing is known of them, and every name that could be one is taken for one.
    """

    def __init__(self, recipe: Mapping[str, str] | None = None, metrics: Iterable[str] | None = None) -> None:
        self._recipe = recipe
        self._metrics = None if metrics is None else frozenset(metrics)
        self._made: dict[str, Field] = {}

    def find(self, name: str) -> Field | None:
        """The field of this name or alias, in any case; None where there is none."""
        from vitui.query.run_fields import ALIASES, RUN_FIELDS

        folded = name.strip().casefold()
        key = ALIASES.get(folded, folded)
        if key in RUN_FIELDS:
            return RUN_FIELDS[key]
        call = _CALL.fullmatch(name.strip())
        if call is not None:
            inner = ALIASES.get(call["name"].casefold(), call["name"].casefold())
            if inner in ("best", "last", "smooth", ""):  # of the accuracy that selects
                return RUN_FIELDS[
                    "last" if call["call"] == "last" else "smooth" if call["call"] == "smooth" else "best"
                ]
            if not self._is_metric(call["name"]):
                return None
            return self._metric(call["call"], call["name"])
        exact = name.strip()
        if self._is_recipe(key):
            return self._from_recipe(key)
        return self._metric("last", exact) if self._is_metric(exact) else None

    def get(self, name: str) -> Field:
        """As `find`. Raises UsageError with the nearest name where there is none."""
        found = self.find(name)
        if found is None:
            raise UsageError(f"no field {name}; {self.hint(name)}")
        return found

    def hint(self, name: str) -> str:
        """What may have been meant by a name that is no field."""
        from vitui.query.run_fields import ALIASES, RUN_FIELDS

        near = get_close_matches(name, [*RUN_FIELDS, *ALIASES, *(self._recipe or ()), *(self._metrics or ())], 1)
        if near:
            return f"did you mean {near[0]}?"
        return f"fields: {', '.join(RUN_FIELDS)}, recipe fields such as optim.lr, metrics such as train/loss"

    def names(self) -> list[str]:
        """Every name, without aliases: the run's own, recipe fields, metrics with their best and smoothed best."""
        from vitui.query.run_fields import RUN_FIELDS

        metrics = sorted(self._metrics or ())
        good = [name for name in metrics if better(name)]
        return [*RUN_FIELDS, *sorted(self._recipe or ()), *metrics, *(f"best({m})" for m in good),
                *(f"smooth({m})" for m in good)]  # fmt: skip

    def all(self) -> list[Field]:
        """Every field, in the order of `names`."""
        return [field for name in self.names() if (field := self.find(name)) is not None]

    def search(self, words: str) -> list[Field]:
        """Fields in whose name, title or description every word occurs; those whose name begins so come first."""
        wanted = words.casefold().split()
        found = [f for f in self.all() if all(w in f"{f.key} {f.title} {f.help}".casefold() for w in wanted)]
        first = wanted[0] if wanted else ""
        return sorted(found, key=lambda f: (not f.key.casefold().startswith(first), first not in f.key.casefold()))

    def _is_recipe(self, name: str) -> bool:
        return name in self._recipe if self._recipe is not None else _RECIPE.fullmatch(name) is not None

    def _is_metric(self, name: str) -> bool:
        return name in self._metrics if self._metrics is not None else _METRIC.fullmatch(name) is not None

    def _from_recipe(self, key: str) -> Field:
        if key not in self._made:
            text = (self._recipe or {}).get(key) or "recipe field"
            self._made[key] = Field(key, key, "value", text, source="recipe", width=_width(key))
        return self._made[key]

    def _metric(self, call: str, name: str) -> Field:
        key = name if call == "last" else f"{call}({name})"
        if key not in self._made:
            help = {"last": f"latest {name}", "best": f"best {name}",
                    "smooth": f"best of the moving average of {name}"}[call]  # fmt: skip
            sign = better(name)
            self._made[key] = Field(
                key, key, "number", help, source=call, unit="%" if name.endswith(("top1", "top5")) else "",  # type: ignore[arg-type]
                better=sign, width=_width(key), descending=sign > 0,
            )  # fmt: skip
        return self._made[key]


def better(name: str) -> int:
    """What is better for a series: 1 more (top1, top5), -1 less (loss), 0 neither (lr, grad_norm)."""
    from vitui.store.series import direction

    return direction(name)


def _width(title: str) -> int:
    return min(max(LEAST_WIDTH, len(title) + 1), MOST_WIDTH)


ANY = Fields()
"""Fields where it is not known which recipe fields and metrics runs have."""
