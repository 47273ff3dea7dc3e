"""Writes docs/study-file.md from the definition of a study: `uv run python docs/study_file.py`. A test holds it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vitui.display import value
from vitui.studies.definition import Axis, ExtraVariant, Layout, Level, Sampled, Search, Study, Upstream

PAGE = Path(__file__).with_name("study-file.md")
HEAD = """\
# The file of a study

Written by `docs/study_file.py` from `vitui/studies/definition.py`. A study is a TOML file, `studies/NAME.toml` in the
home directory; `vitui study new` writes one, `vitui study edit NAME` changes it. A key that does not exist, a toggle, a
field or a value that cannot be is refused with the nearest spelling.

[studies.md](studies.md) says what to do with it, [recipe.md](recipe.md) has every field of a recipe.

```toml
title = "What the digits demo needs"
question = "Which parts of the recipe matter?"
base = "demo-digits"
seeds = [0, 1, 2]
leave_out = ["label-smoothing", "warmup"]
add = ["mixup"]

[set]
train.epochs = 10

[[variant]]
name = "sgd"
label = "SGD for AdamW"
set = { optim.name = "sgd", optim.lr = 0.1 }

[report]
resolve = 0.5
```
"""
PARTS: list[tuple[str, type[BaseModel], str]] = [
    ("At the top", Study, "Every variant is trained with every seed."),
    ("[[variant]]", ExtraVariant, "A variant of its own: the study's base, or another preset, with changes."),
    (
        "[[axis]]",
        Axis,
        "A dimension of a grid. Every combination of the levels of all axes is a variant, named by its levels with\n"
        "a / between them. A grid has no variant that is the base alone, so `leave_out` and `add` do not go with it.",
    ),
    (
        "levels of an axis",
        Level,
        'What each value of an axis changes: `levels = [{ name = "none" }, { name = "mixup", toggles = ["mixup"] }]`.\n'
        "An axis of one field needs none: `field` and `values` make them.",
    ),
    ("[search]", Search, "Variants drawn at random: of fields, or of the grid."),
    (
        "fields of a search",
        Sampled,
        'What may be drawn: `"optim.lr" = { low = 1e-4, high = 1e-2, log = true }` in `[search.fields]`, or\n'
        '`"train.batch_size" = { choices = [32, 64] }`. Numbers are drawn to three digits.',
    ),
    ("[upstream]", Upstream, "Weights to start from that the runs of another study trained."),
    ("[report]", Layout, "How the report judges and looks."),
]


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(f"## {title}\n\n{told}\n\n{_table(model)}" for title, model, told in PARTS)])


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        cells = (f"`{name}`", _default(field), " ".join((field.description or "").split()))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default in ("", (), {}, None) or isinstance(default, BaseModel):
        return "none"
    return value(list(default) if isinstance(default, tuple) else default)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
