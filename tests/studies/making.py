"""Reports made by hand: variants with values, without any home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.recipe import Reference
from vitui.studies.definition import Study
from vitui.studies.report import Report, report_of
from vitui.studies.variants import Cell, Planned, Variant

NASTY = "50% & $1_000 #{x} ~^\\ <a href='http://x'>|\"'` [b] *c*</script><script>alert(1)</script>\n\x1b[31m\u202e&amp;"


def variant(name: str, label: str = "", **given: Any) -> Variant:
    values: dict[str, Any] = {
        "preset": "demo-digits", "toggles": (), "sets": (), "levels": {}, "fingerprint": f"f-{name}", "model": "vit",
    }  # fmt: skip
    return Variant(name, label or name, **{**values, **given})


def reference(value: float | None, **given: Any) -> Reference:
    return Reference(value=value, **{"source": "a paper, table 2", **given})


def planned(values: Mapping[str, Sequence[float | str | None]], *, title: str = "", **study: Any) -> Planned:
    """The first variant is the baseline. A value is a number, None for a missing run, or the state of one without."""
    labels: Mapping[str, str] = study.pop("labels", {})
    references: Mapping[str, tuple[Reference, ...]] = study.pop("references", {})
    seeds = tuple(range(max(map(len, values.values()), default=1)))
    study.setdefault("base", "demo-digits")
    found = Study.model_validate({"title": title, "seeds": list(seeds), **study})
    variants = [variant(name, labels.get(name, ""), references=references.get(name, ())) for name in values]
    cells = [
        _cell(name, seed, told[seed] if seed < len(told) else None) for name, told in values.items() for seed in seeds
    ]
    return Planned("made", found, tuple(variants), seeds, tuple(cells))


def _cell(name: str, seed: int, told: float | str | None) -> Cell:
    if told is None:
        return Cell(name, seed, "missing")
    if isinstance(told, str):
        return Cell(name, seed, told.split()[0], text=told.replace("diverged", "NaN at epoch 3"))
    return Cell(name, seed, "finished", None, told, told - 0.1, f"{told:.2f}")


def made(values: Mapping[str, Sequence[float | str | None]], **study: Any) -> Report:
    return report_of(planned(values, **study), {}, 1.7e9)
