"""Runs as asked for with ``--filter``, ``--sort``, ``--columns`` and ``--group``: found, and printed in any format."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vitui.cli.opening import print_json, say
from vitui.errors import UsageError
from vitui.query.cells import cell, shown
from vitui.query.fields import Field, Fields, Values
from vitui.query.filters import Filter, parse
from vitui.query.groups import MIXED, Group, grouped, mean_text, states_text
from vitui.query.order import Order, arrange, parse_order

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run

Format = Literal["table", "json", "csv", "markdown"]
COLUMNS = "id,state,name,epoch,last,best,test,ref,eta,device,age"
GROUP_COLUMNS = "last,best,test"
SPARE = ("device", "eta", "last", "ref", "age", "test")
WIDE = 1000
"""Cells that a mean with its deviation may have: all digits are shown."""


@dataclass(frozen=True)
class Query:
    """What was asked for, understood."""

    filter: Filter
    order: Order
    columns: tuple[Field, ...]
    groups: tuple[Field, ...]


def understood(lab: Lab, filter: str, sort: str, columns: str, group: str) -> Query:
    """Raises UsageError naming the option for anything that is no field or no filter.

    The run's own fields are known at once; names of recipe fields and metrics are looked up only when one is used, and
    the schema, which takes longest to load, only when the runs do not know the name either.
    """
    try:
        return _understood(Fields({}, ()), filter, sort, columns, group)
    except UsageError:
        pass
    try:
        return _understood(lab.fields(described=False), filter, sort, columns, group)
    except UsageError:
        return _understood(lab.fields(), filter, sort, columns, group)


def _understood(fields: Fields, filter: str, sort: str, columns: str, group: str) -> Query:
    wanted = parse(filter, fields)
    if wanted.problem:
        raise UsageError(f"--filter {filter!r}: {wanted.problem} (at character {wanted.problem_at + 1})")
    groups = _fields(fields, "--group", group)
    chosen = _fields(fields, "--columns", columns or (GROUP_COLUMNS if groups else COLUMNS))
    try:
        order = parse_order(sort, fields)
    except UsageError as error:
        raise UsageError(f"--sort: {error}") from None
    return Query(wanted, order, chosen, groups)


def _fields(fields: Fields, option: str, text: str) -> tuple[Field, ...]:
    try:
        return tuple(dict.fromkeys(fields.get(name.strip()) for name in text.split(",") if name.strip()))
    except UsageError as error:
        raise UsageError(f"{option}: {error}") from None


def print_runs(lab: Lab, query: Query, runs: Sequence[Run], form: Format, limit: int | None, *, whole: bool) -> None:
    """Filter, sort, group and print `runs`, at most `limit` lines. `whole`: JSON has all of a run's row."""
    now = time.time()
    used = (*query.filter.fields, *(by.field for by in query.order), *query.columns, *query.groups)
    ids = None if len(runs) > 1000 else [run.id for run in runs]
    values: Values = {field.key: lab.values(field, ids) for field in dict.fromkeys(used) if field.outside}
    found = arrange(query.filter.select(runs, values, now), query.order, values, now)
    if query.groups:
        _print_groups(query, grouped(found, query.groups, query.order, values, now), form, limit)
        return
    found = found[:limit]
    if form == "json":
        columns = () if whole else query.columns
        print_json([{**(run._asdict() if whole else {}), **_plain(columns, run, values, now)} for run in found])
    elif not found and form == "table":
        say("no run matches")
    else:
        raw = form == "csv"
        rows = [[_raw(f.get(run, values, now)) if raw else cell(f, run, values, now) for f in query.columns]
                for run in found]  # fmt: skip
        _print(form, [field.key for field in query.columns], rows, _right(query.columns))


def _plain(columns: Sequence[Field], run: Run, values: Values, now: float) -> dict[str, Any]:
    return {"id": run.id, **{field.key: field.get(run, values, now) for field in columns}} if columns else {}


def _print_groups(query: Query, groups: Sequence[Group], form: Format, limit: int | None) -> None:
    lines = [path for group in groups for path in _leaves(group, ())][:limit]
    numbers = [field for field in query.columns if field.counts]
    if form == "json":
        print_json([_group_json(path, numbers) for path in lines])
        return
    if not lines and form == "table":
        say("no run matches")
        return
    by = [field.key for field in query.groups]
    if form == "csv":
        head = [*by, "runs", *(f"{f.key} {part}" for f in numbers for part in ("n", "mean", "std", "best"))]
        rows = [[*(_raw(_value(g)) for g in path), str(len(path[-1].runs)),
                 *(_raw(v) for f in numbers for v in _stat(path[-1], f).values())] for path in lines]  # fmt: skip
    else:
        head = [*by, "runs", "states", *(field.key for field in numbers)]
        rows = [[*(_text(g) for g in path), str(len(path[-1].runs)), states_text(path[-1]),
                 *(_mean(path[-1], f) for f in numbers)] for path in lines]  # fmt: skip
    _print(form, head, rows, ["runs", *(field.key for field in numbers)])


def _mean(group: Group, field: Field) -> str:
    return MIXED if group.mixed(field) else mean_text(group.stat(field), field, WIDE)


def _leaves(group: Group, above: tuple[Group, ...]) -> list[tuple[Group, ...]]:
    path = (*above, group)
    return [leaf for child in group.children for leaf in _leaves(child, path)] if group.children else [path]


def _value(group: Group) -> Any:
    return group.label if group.by.key == "recipe" else group.by.get(group.runs[0], group.values, group.now)


def _text(group: Group) -> str:
    return group.label if group.by.kind == "text" else shown(group.by, _value(group))


def _group_json(path: Sequence[Group], numbers: Sequence[Field]) -> dict[str, Any]:
    group = path[-1]
    return {
        "group": {one.by.key: _value(one) for one in path},
        "runs": [run.id for run in group.runs],
        "states": dict(group.states),
        "values": {field.key: _stat(group, field) for field in numbers},
    }


def _stat(group: Group, field: Field) -> dict[str, Any]:
    stat = group.stat(field)
    if stat is None:
        return {"n": 0, "mean": None, "std": None, "best": None}
    return {"n": stat.n, "mean": stat.mean, "std": stat.deviation, "best": group.best(field)}


def _raw(value: Any) -> str:
    """A value for another program: all digits, yes and no as true and false, tags with spaces between."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(value)
    return repr(value) if isinstance(value, float) else str(value)


def _right(columns: Sequence[Field]) -> list[str]:
    return [field.key for field in columns if field.right]


def _print(form: Format, head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    from vitui.cli import table

    if form == "csv":
        table.print_csv(head, rows)
    elif form == "markdown":
        table.print_markdown(head, rows, right=right)
    else:
        table.print_table(head, rows, right=right, give="name", spare=[name for name in SPARE if name in head])
