"""What must hold of every form whatever the numbers and names are."""

from __future__ import annotations

import json
import re
import unicodedata
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from vitui.studies.formats import FORMATS
from vitui.studies.formats.svg import apart, ticks
from vitui.text import cell_width

from .making import made
from .test_formats import Page

values = st.one_of(
    st.none(),
    st.sampled_from(["running", "failed", "diverged"]),
    st.floats(89, 91, width=32),
    st.floats(0, 100, width=32),
)
studies = st.lists(st.lists(values, min_size=1, max_size=4), min_size=1, max_size=5).map(
    lambda rows: {f"v{n}": row for n, row in enumerate(rows)}
)


def bold_in(out: dict[str, str]) -> dict[str, list[str]]:
    """What each form prints bold in its tables; JSON and CSV say it in a field."""
    return {
        "md": [cell for line in out["md"].splitlines() if line.startswith("|") for cell in re.findall(r"\*\*(.*?)\*\*", line)],
        "latex": re.findall(r"\\textbf\{(.*?)\}", out["latex"]),
        "html": Page(out["html"]).bold,
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(studies, st.sampled_from(["top1", "loss"]))
def test_nothing_inside_the_noise_is_ever_bold(rows: dict[str, list[float | str | None]], metric: str) -> None:
    report = made(rows, report={"metric": metric})
    out = {name: write(report) for name, write in FORMATS.items()}
    sure = [
        row
        for row in report.rows
        if row.difference is not None
        and row.difference.p_adjusted is not None
        and row.difference.p_adjusted < report.alpha
        and (row.difference.mean < 0 if metric == "loss" else row.difference.mean > 0)
    ]
    for name, bold in bold_in(out).items():
        assert len(bold) <= 1, name
        if bold:
            assert sure, name
    standing = [one["variant"] for one in json.loads(out["json"])["variants"] if one["stands_out"]]
    assert set(standing) <= {row.variant.name for row in sure} and len(standing) <= 1
    assert {bool(bold) for bold in bold_in(out).values()} == {bool(standing)}
    assert "**" not in out["table"]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_breaks_any_form(name: str, title: str) -> None:
    report = made({"a": [90.0, 91.0], "b": [92.0, "failed"]}, title=title[:300], question=name, description=title,
                  labels={"a": name, "b": name})  # fmt: skip
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    for kind, write in FORMATS.items():
        out = write(report)
        assert not {c for c in out if c != "\n" and unicodedata.category(c) in hidden}, kind
    page = Page(FORMATS["html"](report))
    assert page.tags.count("table") == 2 and not set(page.tags) & {"script", "a", "img"}
    lines = [line for line in FORMATS["md"](report).splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines[:4]}) == 1


@settings(max_examples=40, deadline=None)
@given(studies, st.integers(40, 200))
def test_aligned_text_is_never_wider_than_the_terminal(rows: dict[str, list[float | str | None]], width: int) -> None:
    from vitui.studies.formats.text import text

    labels = {name: f"a rather long name of the variant {name}, weight decay 0.03" for name in rows}
    out = text(made(rows, labels=labels), width)
    assert max(map(cell_width, out.splitlines())) <= width


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_and_inside(low: float, length: float) -> None:
    found = ticks(low, low + length)
    assert len(found) <= 8 and all(low - length * 1e-6 <= tick <= low + length * (1 + 1e-6) for tick in found)


@given(st.lists(st.floats(0, 300), max_size=12))
def test_labels_are_pushed_apart(wanted: list[float]) -> None:
    places = apart(sorted(wanted), 15, 0, 300)
    assert all(b - a >= 15 - 1e-9 for a, b in pairwise(places)) and max(places, default=0) <= 300
