"""A study as its TOML file says it: bases, variants, grids, seeds, how the report looks. Nothing is composed here."""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.recipe.compose import as_text
from engine.recipe.errors import nearest
from engine.recipe.schema import flatten
from vitui.errors import NotFound, UsageError

SHIPPED: Final = Path(__file__).resolve().parent / "shipped"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
BASE: Final = "base"
"""Name of the variant that is the base itself."""
MOST_RUNS: Final = 100_000
"""Cells one study may have."""
COMPUTE: Final = ("macs", "seconds", "images")
"""What compute can be counted in: multiply-adds, seconds on a device, images seen."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


Name = Annotated[str, Field(min_length=1, max_length=200)]


class Patch(_Part):
    """What a variant or a level changes."""

    name: Name
    """How it is called in the table and in names of variants."""
    label: str = ""
    """How the published table calls it; empty: as `name`."""
    toggles: tuple[str, ...] = ()
    """Words of --toggle."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Fields, dotted or as tables."""

    @field_validator("set")
    @classmethod
    def _flat(cls, told: dict[str, Any]) -> dict[str, Any]:
        return flatten(told)

    @property
    def sets(self) -> tuple[str, ...]:
        """`set` as words of --set."""
        return tuple(f"{key}={as_text(value)}" for key, value in self.set.items())


class ExtraVariant(Patch):
    """A variant of its own."""

    preset: str = ""
    """Its preset; empty: the study's base."""


class Level(Patch):
    """One value of an axis."""

    fill: str = ""
    """What stands for this axis in the pattern of the base; empty: its name."""


class Axis(_Part):
    """A dimension of a grid. Levels, or one field with its values."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=40)]
    """Stands for a level in the pattern of the base, and in [report]."""
    label: str = ""
    """A title for tables; empty: `name`."""
    field: str = ""
    """The one field that its values set."""
    values: tuple[Any, ...] = ()
    """Of that field."""
    levels: tuple[Level, ...] = ()
    """Or levels that change anything."""

    @model_validator(mode="before")
    @classmethod
    def _levels_of_values(cls, told: Any) -> Any:
        if not isinstance(told, dict) or "levels" in told or not told.get("field"):
            return told
        values = told.get("values", ())
        if not isinstance(values, list | tuple):
            return told
        field = str(told["field"])
        return {**told, "levels": [{"name": as_text(value), "set": {field: value}} for value in values]}

    @model_validator(mode="after")
    def _some_levels(self) -> Axis:
        if not self.levels:
            raise ValueError(f'axis "{self.name}" has no levels; give it `levels`, or `field` and `values`')
        if bool(self.field) != bool(self.values):
            raise ValueError(f'axis "{self.name}": `field` and `values` belong together')
        _unlike([level.name for level in self.levels], f'axis "{self.name}"')
        if bad := next((level.name for level in self.levels if "/" in level.name), None):
            raise ValueError(f'axis "{self.name}": the level "{bad}" has a / in its name, which joins levels')
        return self

    @property
    def title(self) -> str:
        return self.label or self.name


class Sampled(_Part):
    """A field of a random search: a range, or choices."""

    low: float | None = None
    """The least that is drawn."""
    high: float | None = None
    """The most that is drawn."""
    log: bool = False
    """Uniform in the logarithm."""
    integer: bool = False
    """Whole numbers only."""
    choices: tuple[Any, ...] = ()
    """Or values, each as likely as the others."""

    @model_validator(mode="after")
    def _one_way(self) -> Sampled:
        ranged = self.low is not None and self.high is not None
        if ranged == bool(self.choices):
            raise ValueError("a field of a random search needs `low` and `high`, or `choices`")
        if ranged and not (self.low or 0) < (self.high or 0):
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        if self.log and (self.low or 0) <= 0:
            raise ValueError(f"log = true needs low above 0, not {self.low}")
        if self.integer and ranged and math.ceil(self.low or 0) > math.floor(self.high or 0):
            raise ValueError(f"integer = true, and there is no whole number from {self.low} to {self.high}")
        return self


class Search(_Part):
    """Variants with fields drawn at random (Bergstra and Bengio, 2012), or some of a grid's."""

    n: Annotated[int, Field(ge=1, le=10_000)]
    """Variants."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Decides what is drawn; a larger `n` adds to what was drawn before."""
    grid: bool = False
    """Draw n combinations of the axes, none twice, in place of training the whole grid."""
    fields: dict[str, Sampled] = Field(default_factory=dict)
    """Dotted fields and what is drawn of each."""

    @field_validator("fields", mode="before")
    @classmethod
    def _dotted(cls, told: Any) -> Any:
        return _ranges(told) if isinstance(told, dict) else told

    @model_validator(mode="after")
    def _some(self) -> Search:
        if not self.fields and not self.grid:
            raise ValueError("[search.fields] names no field; write for example optim.lr = { low = 1e-4, high = 1e-2 }")
        if self.fields and self.grid:
            raise ValueError("[search] draws from fields or, with grid = true, from the axes, not from both")
        return self


class Upstream(_Part):
    """Variants that start from weights which the runs of another study trained."""

    study: Name
    """Its name."""
    adapt: Literal["picked", "all"] = "picked"
    """The variant with the best score there, or a variant for each of its variants."""
    each: str = ""
    """An axis of that study: one is picked for each of its levels (each model). Where this study has an axis of that
    name, too, what was trained at a level goes to that level alone."""
    sweep: bool = False
    """Train every variant of this study from these weights, too, and not its base alone."""


class Layout(_Part):
    """How the report judges and looks."""

    metric: Literal["top1", "top5", "loss"] = "top1"
    """What is compared, on the split that reports."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Chance that any variant at all is called different where none is."""
    power: Annotated[float, Field(gt=0.5, lt=1)] = 0.8
    """Chance of finding a difference that further seeds are counted for."""
    resolve: Annotated[float, Field(ge=0)] = 0.0
    """Difference that matters, in units of the metric; 0: the one that was observed."""
    rows: tuple[str, ...] = ()
    """Heat map: axes that go down."""
    columns: tuple[str, ...] = ()
    """Heat map: axes that go across. The best is taken over axes in neither."""
    relative_to: dict[str, str] = Field(default_factory=dict)
    """Heat map: level of each axis across, whose cell colours are relative to in every row."""
    side: str = ""
    """Heat map: an axis across; a side column has the best of its last level less the best of its first."""
    x: str = ""
    """What the plot of a search has across: a sampled field, or compute as "macs", "seconds" or "images"; empty:
    compute, as multiply-adds where they are known."""


class Study(_Part):
    """A study. Every variant is trained with every seed."""

    title: Annotated[str, Field(max_length=300)] = ""
    """Heading of its report; empty: its name."""
    description: str = ""
    """Anything to remember, in the report, too."""
    question: str = ""
    """What it is to find out; kept with every run."""
    base: str = ""
    """A preset, or a pattern of one: {axis} stands for the level of an axis."""
    seeds: tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...] | Annotated[int, Field(ge=1, le=1000)] = 1
    """Seeds, or how many from the recipe's own on."""
    baseline: str = ""
    """The variant that differences are to; empty: the first."""
    device: str = "auto"
    """Where its runs train: auto, cpu, gpu, gpu:N or a GPU's UUID."""
    leave_out: tuple[str, ...] | Literal["all"] = ()
    """Toggles that are on in the base; each alone is switched off. "all": all but those about data and precision."""
    add: tuple[str, ...] = ()
    """Toggles that are off in the base; each alone is switched on."""
    presets: tuple[str, ...] = ()
    """Presets that are variants."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Fields of every run."""
    variant: tuple[ExtraVariant, ...] = ()
    """Variants of its own, a table each."""
    axis: tuple[Axis, ...] = ()
    """Dimensions of a grid, a table each: every combination of their levels is a variant."""
    search: Search | None = None
    """Variants drawn at random."""
    upstream: Upstream | None = None
    """Another study whose weights variants start from."""
    report: Layout = Field(default_factory=Layout)
    """How the report judges and looks."""

    @field_validator("set")
    @classmethod
    def _flat(cls, told: dict[str, Any]) -> dict[str, Any]:
        return flatten(told)

    @model_validator(mode="after")
    def _makes_sense(self) -> Study:
        if isinstance(self.seeds, tuple):
            if not self.seeds:
                raise ValueError("seeds = [] trains nothing; write for example seeds = [0, 1, 2]")
            _unlike([str(seed) for seed in self.seeds], "seeds")
        needs = [name for name in ("leave_out", "add", "axis", "search") if getattr(self, name)]
        if needs and not self.base:
            raise ValueError(f'{needs[0]} needs a base; write base = "PRESET"')
        if not self.base and not self.presets and not self.variant:
            raise ValueError('nothing to train; write base = "PRESET", presets = [...] or [[variant]] tables')
        if lacking := next((one.name for one in self.variant if not one.preset and not self.base), None):
            raise ValueError(f'variant "{lacking}" needs a preset, since the study has no base')
        _unlike([axis.name for axis in self.axis], "axes")
        self._check_pattern()
        self._check_layout()
        return self

    def _check_pattern(self) -> None:
        named = re.findall(r"{([^{}]*)}", self.base)
        axes = [axis.name for axis in self.axis]
        if stray := next((name for name in named if name not in axes), None):
            raise ValueError(f'base = "{self.base}": {{{stray}}} is no axis{nearest(stray, axes)}')
        drawn = self.search is not None and bool(self.search.fields)
        if named and (self.leave_out or self.add or drawn):
            raise ValueError("leave_out, add and search need a base that is one preset, not a pattern")
        if self.axis and (self.leave_out or self.add):
            raise ValueError("leave_out and add flip toggles of the base, which a grid has not; use one or the other")
        if self.upstream is not None and (named or not self.base) and not self.upstream.sweep:
            raise ValueError("[upstream] needs a base that is one preset, or sweep = true to start every variant")
        size = math.prod(len(axis.levels) for axis in self.axis)
        if size > MOST_RUNS:
            raise ValueError(f"the axes have {size:,} combinations, more than {MOST_RUNS:,}")
        if self.search is not None and self.search.grid:
            if not self.axis:
                raise ValueError("[search] with grid = true draws from a grid, and there is no [[axis]]")
            if self.search.n > size:
                raise ValueError(f"[search] n = {self.search.n} is more than the {size} combinations of the grid")

    def _check_layout(self) -> None:
        axes = [axis.name for axis in self.axis]
        told = [*self.report.rows, *self.report.columns, *self.report.relative_to]
        told += [self.report.side] if self.report.side else []
        if stray := next((name for name in told if name not in axes), None):
            raise ValueError(f"[report] names an axis {stray} that there is not{nearest(stray, axes)}")
        if both := next((name for name in self.report.rows if name in self.report.columns), None):
            raise ValueError(f"[report]: the axis {both} cannot go down and across")
        if self.report.side and self.report.side not in self.report.columns:
            raise ValueError(f'[report]: side = "{self.report.side}" must be one of the columns')
        for name, level in self.report.relative_to.items():
            levels = [one.name for axis in self.axis if axis.name == name for one in axis.levels]
            if level not in levels:
                raise ValueError(f'[report]: relative_to.{name} = "{level}" is no level{nearest(level, levels)}')
        across = [*COMPUTE, *(self.search.fields if self.search is not None else ())]
        if self.report.x and self.report.x not in across:
            raise ValueError(f'[report]: x = "{self.report.x}" is no sampled field{nearest(self.report.x, across)}')

    @property
    def sets(self) -> tuple[str, ...]:
        """Fields of every run as words of --set."""
        return tuple(f"{key}={as_text(value)}" for key, value in self.set.items())


def _unlike(names: list[str], where: str) -> None:
    if twice := next((name for name, n in Counter(names).items() if n > 1), None):
        raise ValueError(f'{where}: "{twice}" is there twice')


def _ranges(told: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Fields of a search may be dotted or tables: a table with `low` or `choices` is a range, any other goes deeper."""
    out: dict[str, Any] = {}
    for key, value in told.items():
        if isinstance(value, dict) and not {"low", "high", "choices"} & value.keys():
            out |= _ranges(value, f"{prefix}{key}.")
        else:
            out[prefix + key] = value
    return out


# -- files -------------------------------------------------------------------------------------------------------


def parse(text: str, where: str) -> Study:
    """A study from the text of its file; `where` names it in sentences. Raises UsageError with every problem."""
    try:
        return Study.model_validate(tomllib.loads(text))
    except ValidationError as error:
        said = dict.fromkeys(_sentence(problem) for problem in error.errors(include_url=False))
        raise UsageError("\n".join(f"study {where}: {line}" for line in said)) from None
    except ValueError as error:  # of tomllib; a number of thousands of digits is no TOMLDecodeError
        raise UsageError(f"study {where} is not valid TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"study {where} is nested too deeply") from None


def _sentence(problem: Any) -> str:
    places = [str(part) for part in problem["loc"] if isinstance(part, str) and "[" not in part]
    places = [part for part in places if part not in ("tuple", "int", "constrained-int", "literal")]
    field = ".".join(places)
    if problem["type"] == "extra_forbidden":
        names = _names(places[:-1])
        hint = nearest(places[-1], names) or f"; known here: {', '.join(names)}"
        return f"unknown key {field}{hint}"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if problem["type"] == "missing":
        return f"{field} is missing"
    message = problem["msg"].removeprefix("Input ").replace("should be", "must be")
    return f"{field} = {str(problem.get('input'))[:80]!r} {message}"


def _names(places: list[str]) -> list[str]:
    known: dict[str, type[BaseModel]] = {
        "variant": ExtraVariant, "axis": Axis, "levels": Level, "search": Search, "fields": Sampled,
        "upstream": Upstream, "report": Layout,
    }  # fmt: skip
    return list(next((known[part] for part in reversed(places) if part in known), Study).model_fields)


def checked_study_name(name: str) -> str:
    """A name a study can have, since it is a file's. Raises UsageError."""
    if not NAME.fullmatch(name):
        raise UsageError(f'"{name[:100]}" cannot name a study; use letters, digits, dots, dashes, at most 80')
    return name


def own(home: Path) -> Path:
    """The folder of the user's own studies."""
    return home / "studies"


def find(home: Path) -> dict[str, Path]:
    """Study name -> file, shipped and own; an own one wins over a shipped one of its name."""
    folders = (SHIPPED, own(home))
    return {path.stem: path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.toml"))}


def locate(home: Path, name: str) -> Path:
    """The file of a study, by name. Raises NotFound with the nearest name."""
    files = find(home)
    if name not in files:
        raise NotFound(f"no study {name}{nearest(name, files) or '; `vitui study list` shows them'}")
    return files[name]


def text_of(home: Path, name: str) -> str:
    """The text of a study's file, whatever it says. Raises NotFound, UsageError."""
    path = locate(home, name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"study {name} ({path}) cannot be read: {error}") from None


def read(home: Path, name: str) -> tuple[Study, str]:
    """A study and the text of its file. Raises NotFound, UsageError."""
    text = text_of(home, name)
    return parse(text, f"{name} ({locate(home, name)})"), text
