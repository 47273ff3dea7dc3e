"""``vitui study list`` and ``vitui study show``: what there is, and what one of them trains."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import typer

from vitui.cli.opening import Json, open_lab, print_json, say
from vitui.cli.study.words import StudyName, changes, cost, sized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vitui.studies.variants import Cell, Planned

SPARE = ("kind", "states", "title")
"""Columns that a narrow terminal is spared, in this order."""


def add_to(app: typer.Typer) -> None:
    app.command("list")(list_)
    app.command()(show)


def list_(context: typer.Context, json: Json = False) -> None:
    """List studies, your own first, with how far they are.

    Those that come with vitui are the tables of the source documents, and small ones to try.
    """
    from vitui.cli.table import print_table

    lab = open_lab(context)
    found = lab.studies()
    for line in found:
        if line.cells:
            lab.index_study(line.name)  # the next list need not compose hundreds of recipes again
    if json:
        print_json([{**asdict(replace(line, counts=dict(line.counts))), "cells": line.cells} for line in found])
        return
    rows = [
        (
            line.name,
            "vitui" if line.shipped else "own",
            f"{_done(line.counts)}/{line.cells}" if line.cells else "",
            states(line.counts),
            line.kind,
            line.title,
            line.problem.partition("\n")[0] or ("presets have changed since" if line.changed else ""),
        )
        for line in found
    ]
    head = ("study", "from", "done", "states", "kind", "title", "problem")
    lack = () if any(row[-1] for row in rows) else ("problem",)
    columns = [at for at, name in enumerate(head) if name not in lack]
    print_table(
        [head[at] for at in columns],
        [[row[at] for at in columns] for row in rows],
        right=("done",),
        give="title",
        spare=SPARE[:2],
    )


def show(context: typer.Context, name: StudyName, json: Json = False) -> None:
    """Show what a study trains, how far it is, and what the rest costs.

    A line for each variant: what it changes, the published value, and a cell for each seed: its result, the state of
    its run, or a dash where there is none yet. `vitui study report` has differences and what they mean.
    """
    lab = open_lab(context)
    planned = lab.planned(name)
    estimate = lab.study_estimate(name)
    if json:
        print_json(_as_json(planned) | {"estimate": asdict(estimate)})
        return
    from vitui.cli.table import print_table
    from vitui.studies.reported import published_of
    from vitui.text import safe

    study = planned.study
    print(safe(f"{name} — {study.title}" if study.title else name))
    facts = [("question", study.question), ("base", study.base), ("in every run", ", ".join(study.sets))]
    for label, text in facts:
        if text:
            print(f"  {label:<12} {safe(text)}")
    print(f"  {sized(planned)}")
    print()
    rows = []
    for place, variant in enumerate(planned.variants):
        published = published_of(variant, study.report.metric)
        cells = [cell.text for cell in planned.cells_of(place)]
        rows.append((variant.name, changes(variant, study), published.text if published else "", *cells))
    seeds = [f"seed {seed}" for seed in planned.seeds]
    print_table(("variant", "changes", "published", *seeds), rows, right=("published", *seeds), give="changes")
    print()
    for line in (*cost(estimate), *planned.waiting, *(f"since it was queued, {line}" for line in planned.changed)):
        say(line)
    if estimate.queue or estimate.resume:
        say(f"`vitui study run {name}` queues them")


def states(counts: Mapping[str, int]) -> str:
    """``3✓ 1▶``: cells by status, without those that are missing."""
    from vitui.display import GLYPHS

    return " ".join(f"{counts[state]}{glyph}" for state, glyph in GLYPHS.items() if counts.get(state))


def _done(counts: Mapping[str, int]) -> int:
    return counts.get("finished", 0) + counts.get("diverged", 0)


def _as_json(planned: Planned) -> dict[str, Any]:
    study = planned.study
    return {
        "name": planned.name,
        "title": study.title,
        "description": study.description,
        "question": study.question,
        "base": study.base,
        "seeds": planned.seeds,
        "baseline": planned.variants[planned.baseline].name if planned.variants else "",
        "counts": dict(planned.counts),
        "waiting": planned.waiting,
        "changed": planned.changed,
        "variants": [
            {
                "name": one.name,
                "label": one.label,
                "preset": one.preset,
                "toggles": one.toggles,
                "sets": one.sets,
                "levels": dict(one.levels),
                "sampled": dict(one.sampled),
                "model": one.model,
                "fingerprint": one.fingerprint,
                "published": [reference.model_dump(mode="json") for reference in one.references],
                "cells": [_cell(cell) for cell in planned.cells_of(place)],
            }
            for place, one in enumerate(planned.variants)
        ],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "seed": cell.seed, "status": cell.status, "run": cell.run.id if cell.run else None, "value": cell.value,
        "last": cell.last, "text": cell.text,
    }  # fmt: skip
