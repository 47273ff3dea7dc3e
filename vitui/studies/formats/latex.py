"""A study's report as LaTeX: tables with the rules of booktabs, to be read with \\input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vitui.escaping import ampersands, foreign, latex_number
from vitui.escaping import latex as escaped
from vitui.studies.formats import contents, heat
from vitui.studies.formats.tables import Entry, Head, Table
from vitui.text import safe

if TYPE_CHECKING:
    from vitui.studies.report import Report

PAGE = 40
"""Rows that a floating table may have; longer ones are broken over pages by longtable."""
MANY = 7
"""Columns from which on less room is between them."""
NARROW = r"\setlength{\tabcolsep}{3pt}"


def latex(report: Report) -> str:
    """Tables with captions and labels. What stands out from noise is bold. The first lines name the packages needed.

    What the results have is in several tables, so that each fits on a page in letters of full size; one that still is
    wider than the text is made smaller, and one of many rows continues on further pages.
    """
    found = [*map(heat.table, heat.all_of(report)), *_results(report)]
    costs = contents.costs(report)
    return document([*found, *([costs] if costs else [])], report.name, report.title, contents.about(report))


def _results(report: Report) -> Iterator[Table]:
    whole, seeds = contents.results(report), contents.every_seed(report)
    notes = [f"{'Not fair: ' if note.unfair else ''}{note.text}" for note in contents.notes(report)]
    notes += [f"published: {source}" for source in contents.sources(report)]
    gaps = any(row.gap is not None for row in report.rows)
    apart = ["open", "words", "gap", *(["published"] if gaps else []), *(["best", "last"] if seeds is not None else [])]
    yield replace(whole.without(apart), notes=tuple(notes))
    said = [
        (Entry(row.label), Entry("; ".join(part for part in parts if part)))
        for row in report.rows
        for parts in [(contents.words(row, report), contents.without_value(row, report.seeds))]
    ]
    if any(words.text for _, words in said):
        heads = (Head("variant", "variant", left=True, wide=True), Head("words", "verdict", left=True, wide=True))
        yield Table("verdicts", "Verdicts", heads, tuple(said))
    if gaps:
        yield replace(whole.only(["variant", "value", "published", "gap"]), key="published", title="Published values")
    if seeds is not None:
        # The verdicts have the whole of what happened to a seed without a value.
        short = [[replace(entry, text=entry.text.partition(",")[0]) for entry in row[1:]] for row in seeds.rows]
        rows = tuple((row[0], *rest) for row, rest in zip(seeds.rows, short, strict=True))
        yield replace(seeds, rows=rows).beside(whole.only(["best", "last"]))


def document(tables: Sequence[Table], name: str, title: str, about: Sequence[str] = ()) -> str:
    """Tables one after the other, to be read with ``\\input``."""
    body = "\n\n".join(environment(table, name, title) for table in tables)
    needs = {"graphicx": r"\resizebox", "array": r"\arraybackslash", "longtable": r"\begin{longtable}"}
    packages = ["booktabs", *(package for package, sign in needs.items() if sign in body)]
    head = [
        f"% needs \\usepackage{{{','.join(packages)}}} and \\usepackage[T1]{{fontenc}}; before TeX Live 2020 textcomp"
    ]
    if foreign(body):
        head.append("% has letters that pdfLaTeX does not know: use LuaLaTeX or XeLaTeX with a font that has them")
    head += [f"% {safe(line)}" for part in about for line in part.splitlines() if line.strip()]
    return "\n".join(head) + "\n\n" + body + "\n"


def environment(table: Table, name: str, title: str) -> str:
    """One table with caption, label and notes; of more than PAGE rows a longtable."""
    label = re.sub(r"[^A-Za-z0-9-]+", "-", f"{name}-{table.key}")
    caption = rf"\caption{{{escaped(title)}: {escaped(_lowered(table.title))}}}\label{{tab:{label}}}"
    if len(table.rows) > PAGE:
        return "\n".join(_long(table, caption))
    # Only where the table is wider than the text is it made smaller; sentences are broken and always fit.
    wide = any(head.wide for head in table.heads)
    fit = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    out = [r"\begin{table}", r"\centering", *([NARROW] if len(table.heads) > MANY else []), caption]
    out += [*([] if wide else [fit]), *tabular(table), *([] if wide else ["}"])]
    if table.notes:
        out += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize", *_notes(table), r"\end{minipage}"]
    return "\n".join([*out, r"\end{table}"])


def _lowered(title: str) -> str:
    return title[:1].lower() + title[1:]


def _notes(table: Table) -> list[str]:
    return [rf"{escaped(note)}.\par" for note in table.notes]


def _long(table: Table, caption: str) -> Iterator[str]:
    yield rf"{{\footnotesize{NARROW}\begin{{longtable}}{{{_columns(table.heads)}}}"
    yield rf"{caption}\\"
    yield from _heads(table)
    yield r"\endfirsthead"
    yield from _heads(table)
    yield r"\endhead"
    yield r"\bottomrule"
    yield r"\endfoot"
    yield from _rows(table)
    yield r"\end{longtable}"
    yield from _notes(table)
    yield "}"


def tabular(table: Table) -> Iterator[str]:
    """The bare tabular."""
    yield rf"\begin{{tabular}}{{{_columns(table.heads)}}}"
    yield from _heads(table)
    yield from _rows(table)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _columns(heads: Sequence[Head]) -> str:
    """Where the last column has sentences, it has most of the width, and words of the first are broken, too."""
    wide = [head.wide for head in heads]
    shares = [0.3, 0.62] if wide == [True, True] else [0.62 / max(sum(wide), 1)] * len(heads)
    return "".join(
        rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}" if head.wide else "l" if head.left else "r"
        for head, share in zip(heads, shares, strict=True)
    )


def _heads(table: Table) -> Iterator[str]:
    yield r"\toprule"
    for level in range(table.levels):
        spans = table.group_spans(level)
        yield ampersands([rf"\multicolumn{{{n}}}{{c}}{{{escaped(title)}}}" if title else "" for title, n in spans])
        at, rules = 1, []
        for title, n in spans:
            if title:
                rules.append(rf"\cmidrule(lr){{{at}-{at + n - 1}}}")
            at += n
        yield "".join(rules)
    yield ampersands([escaped(head.title) for head in table.heads])
    yield r"\midrule"


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        yield ampersands([_cell(entry) for entry in row])


def _cell(entry: Entry) -> str:
    shown = latex_number(entry.text)
    # Intervals have their minus signs inside.
    shown = re.sub(r"(?<=[\[ ])-(?=\d)", "$-$", shown) if shown.startswith("[") else shown
    return rf"\textbf{{{shown}}}" if entry.bold else shown
