"""The scoreboard as cells and documents, for command line and app alike. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from vitui import display
from vitui.studies.formats import latex, markdown
from vitui.studies.formats.tables import Entry, Head, Table
from vitui.studies.formats.text import aligned
from vitui.text import safe

if TYPE_CHECKING:
    from vitui.studies.scoreboard import Score

SIGNS: Final = {"within": "=", "better": "▲", "worse": "▼", "as reported": "=", "not as reported": "≠", "": ""}
"""A sign for each verdict, so that colour alone never carries it."""
SELECTED: Final = "† the epoch was picked on the split that is reported, which flatters"
NOTES: Final = (
    "mean ± standard deviation over seeds; gap: mean less published ± standard error of the mean, of one run the "
    "binomial one of the evaluation images",
    SELECTED,
)
LEFT: Final = frozenset({"preset", "verdict", "device", "selects", "family", "metric", "source"})
"""Columns of words; the others are of numbers."""
_WIDE: Final = ("verdict", "source")
_CSV: Final = (
    "preset", "family", "variant", "sets", "metric", "split", "published", "outcome", "tolerance", "kind", "source",
    "runs", "n", "mean", "std", "best", "best_run", "gap", "gap_error", "within", "verdict", "words", "devices",
    "selected_on", "selected_on_reported",
)  # fmt: skip


def text(one: Score, key: str) -> str:
    """A cell as people read it; empty where there is nothing to say."""
    value = one.value
    match key:
        case "preset":
            return one.name + ("" if one.metric == "top1" else f", {one.metric}")
        case "published":
            return one.published_text
        case "mean" if value is not None:
            spread = f" ± {value.deviation:.2f}" if value.deviation is not None else ""
            return f"{display.percent(value.mean)}{spread}{one.mark}"
        case "gap" if one.gap is not None:
            return f"{one.gap + 0.0:+.2f}" + (f" ± {one.error:.2f}" if one.error is not None else "")
        case "verdict":
            return f"{SIGNS[one.verdict]} {one.words}".strip()
        case "best" if one.best is not None:
            return display.percent(one.best)
        case "n" if one.runs:
            done = value.n if value is not None else 0
            return str(done) if done == one.runs else f"{done}/{one.runs}"
        case "device":
            return ", ".join(display.short_device(device) for device in one.devices)
        case "selects":
            return ", ".join(one.selected_on)
        case "family":
            return one.family
        case "metric":
            return f"{one.metric} on {one.split or 'test'}"
        case "source":
            return ("" if one.kind == "published" else f"{one.kind}: ") + one.source
    return ""


def reproduced(scores: Sequence[Score]) -> tuple[int, int]:
    """How many results here are within the tolerance of the published one (or as it reports), and of how many."""
    done = [one for one in scores if one.has_result]
    return sum(1 for one in done if one.within or one.verdict == "as reported"), len(done)


def document(scores: Sequence[Score], kind: str, titles: Mapping[str, str]) -> str:
    """Markdown ("md"), LaTeX ("latex") or aligned text ("table") of the columns in `titles`. Nothing is bold: every
    line is judged by its own published value."""
    heads = tuple(Head(key, title, left=key in LEFT, wide=key in _WIDE) for key, title in titles.items())
    rows = tuple(tuple(Entry(text(one, key)) for key in titles) for one in scores)
    table = Table("scoreboard", "Published results and own ones", heads, rows, NOTES)
    if kind == "latex":
        return latex.document([table], "scoreboard", "Reproductions")
    return (markdown.piped(table) if kind == "md" else aligned(table)) + "\n"


def as_csv(scores: Sequence[Score]) -> str:
    """A line for each, with whole numbers and everything that is known of it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_CSV)
    for one in scores:
        value = one.value
        cells = (
            one.preset, one.family, one.variant, " ".join(one.sets), one.metric, one.split, one.published, one.outcome,
            one.tolerance, one.kind, one.source, one.runs, value.n if value else 0, value.mean if value else None,
            value.deviation if value else None, one.best, one.best_run, one.gap, one.error, one.within, one.verdict,
            one.words, ", ".join(one.devices), ", ".join(one.selected_on), bool(one.mark),
        )  # fmt: skip
        writer.writerow(["" if c is None else repr(c) if isinstance(c, float) else safe(str(c)) for c in cells])
    return out.getvalue()
