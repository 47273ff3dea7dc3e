"""A study's report as one HTML file that needs nothing else: to read, to print, to send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from vitui.escaping import html as escaped
from vitui.studies.formats import contents, heat, heat_svg, published, svg
from vitui.studies.formats.page import alone, page
from vitui.studies.formats.tables import Entry, Head, Table

if TYPE_CHECKING:
    from vitui.studies.bands import Overlay
    from vitui.studies.heat import Heat
    from vitui.studies.published import PublishedTable
    from vitui.studies.report import Report

Drawn: TypeAlias = Callable[[int, Head, Entry], str]
"""Row, head and entry -> the HTML of a cell; a classless td is put around it."""


def html(report: Report, curves: Sequence[Overlay] = (), more: Sequence[tuple[str, str]] = ()) -> str:
    """Question and answer, results with intervals, heat maps, curves, every seed, costs, published values, notes.

    `more`: further sections, title and HTML, after the curves.
    """
    study = report.planned.study
    head = [f'<p class="question">{escaped(study.question.strip())}</p>'] if study.question.strip() else []
    if said := contents.summary(report):
        head.append(f'<p class="answer">{escaped(said)}</p>')
    head.append(f'<p class="meta">{escaped(contents.about(report)[-1])}</p>')
    if study.description.strip():
        paragraphs = "\n".join(study.description.strip().splitlines()).split("\n\n")
        head += [f'<p class="text">{escaped(" ".join(lines.split()))}</p>' for lines in paragraphs]
    maps = heat.all_of(report)
    sections = []
    told = set[str]()
    for found in maps:
        sections.append((heat.title(found), heat_figure(found, [note for note in found.notes if note not in told])))
        told.update(found.notes)
    sections.append(("Results", _results(report)))
    if curves:
        sections.append(("Curves", "\n".join(map(_curves, curves))))
    sections += more
    if (seeds := contents.every_seed(report)) is not None:
        sections.append((seeds.title, _seeds(report, seeds)))
    if (costs := contents.costs(report)) is not None:
        sections.append((costs.title, html_table(costs)))
    reported = published.of(report)
    if reported is not None and not maps and len(reported.columns) > 1:  # one column the results have
        sections.append(("Published values", html_table(published.table(reported))))
    notes = [(note.text, note.unfair) for note in contents.notes(report)]
    notes += [(f"published: {source}", False) for source in contents.sources(report)]
    if notes:
        lines = [
            f'<li class="unfair">Not fair: {escaped(text)}</li>' if unfair else f"<li>{escaped(text)}</li>"
            for text, unfair in notes
        ]
        sections.append(("Notes", f'<ul class="notes">\n{chr(10).join(lines)}\n</ul>'))
    return page(report.title, head, sections)


def heat_page(found: Heat, title: str) -> str:
    """A heat map as a page of its own."""
    return page(title, [], [(heat.title(found), heat_figure(found, found.notes))])


def heat_picture(found: Heat, title: str) -> str:
    """A heat map as an SVG file."""
    return alone(heat_svg.picture(found))


def published_page(found: PublishedTable, title: str) -> str:
    """Published values as a page of their own."""
    return page(title, [], [("Published values", html_table(published.table(found)))])


def heat_figure(found: Heat, notes: Sequence[str]) -> str:
    """The picture of a heat map with notes."""
    lines = "".join(f"<li>{escaped(note)}</li>" for note in notes)
    return (
        f'<figure><div class="scroll">{heat_svg.picture(found)}</div><figcaption><ul>{lines}</ul></figcaption></figure>'
    )


def _curves(overlay: Overlay) -> str:
    caption = "Mean over seeds; dark band: one standard deviation, light band: from the least to the most"
    if any(svg.ended(curve) for curve in overlay.curves):
        caption += "; ×: a seed ends (it diverged, failed or still trains), from there on the others"
    if svg.span(overlay)[2]:
        caption += "; the vertical axis spans the values after the first fifth"
    if overlay.left_out:
        caption += f"; drawn are the baseline and the best, variants that are not: {overlay.left_out}"
    return (
        f'<figure><div class="scroll">{svg.chart(overlay)}</div>'
        f"<figcaption><b>{escaped(overlay.title)}</b>. {escaped(caption)}.</figcaption></figure>"
    )


def _results(report: Report) -> str:
    """The results with a picture of each difference. What the table of seeds has is left to it."""
    scale = svg.scale_of(report)
    whole = contents.results(report)
    table = whole.without(["open", "gap", *(("best", "last") if len(report.seeds) > 1 else ())])

    def drawn(n: int, head: Head, entry: Entry) -> str:
        row = report.rows[n]
        if head.key == "interval":
            return f'<td class="bar">{svg.interval(row, scale, report.metric)}</td><td>{_minus(entry.text)}</td>'
        if head.key == "words":
            sign = contents.SIGNS.get(row.verdict, "")
            text = entry.text.removeprefix(sign).strip() if sign else entry.text
            mark = f'<span class="sign {row.verdict}">{escaped(sign)}</span>' if sign else ""
            return f'<td class="wide">{mark}{escaped(text)}{_more(contents.without_value(row, report.seeds))}</td>'
        if head.key == "difference" and row.verdict in ("better", "worse"):
            return f'<td class="{row.verdict}">{_minus(entry.text)}</td>'
        if head.key == "value" and row.value is None:
            return f'<td class="state">{escaped(entry.text)}</td>'
        if head.key == "published" and row.published is not None:
            return (
                f'<td title="{escaped(row.published.source)}">{_minus(entry.text)}{_more(contents.gap_text(row))}</td>'
            )
        return cell(head, entry)

    return html_table(table, drawn, baseline=report.baseline, spans={"interval": 2})


def _more(text: str) -> str:
    return f'<span class="more">{_minus(text)}</span>' if text else ""


def _seeds(report: Report, table: Table) -> str:
    """Every seed, then the best of them and the last epoch."""
    table = table.beside(contents.results(report).only(["best", "last"]))

    def drawn(n: int, head: Head, entry: Entry) -> str:
        found = next((one for one in report.rows[n].cells if f"seed {one.seed}" == head.key), None)
        if found is None:
            return cell(head, entry)
        told = [found.run.id] if found.run is not None else []
        if found.last is not None:
            told.append(f"last epoch {contents.amount(found.last, report.metric)}")
        state = ' class="state"' if found.value is None else ""
        about = f' title="{escaped(", ".join(told))}"' if told else ""
        return f"<td{state}{about}>{escaped(entry.text)}</td>"

    return html_table(table, drawn, baseline=report.baseline)


def html_table(
    table: Table, drawn: Drawn | None = None, *, baseline: int = -1, spans: dict[str, int] | None = None
) -> str:
    """A table with its notes. `spans`: how many columns of `drawn` a head stands over, where that is not one."""
    wide = spans or {}
    out = ['<div class="scroll"><table>', "<thead>"]
    for level in range(table.levels):
        groups = [
            f'<th class="group" scope="colgroup" colspan="{n}">{escaped(title)}</th>' if title else "<td></td>" * n
            for title, n in table.group_spans(level)
        ]
        out.append(f"<tr>{''.join(groups)}</tr>")
    heads = []
    for head in table.heads:
        over = f' colspan="{wide[head.key]}"' if head.key in wide else ""
        left = ' class="left"' if head.left or head.wide else ' class="mid"' if over else ""
        heads.append(f'<th scope="col"{left}{over}>{escaped(head.title)}</th>')
    out += [f"<tr>{''.join(heads)}</tr>", "</thead>", "<tbody>"]
    for n, row in enumerate(table.rows):
        cells = [f'<th scope="row">{_text(row[0])}</th>']
        for head, entry in zip(table.heads[1:], row[1:], strict=True):
            cells.append(cell(head, entry) if drawn is None else drawn(n, head, entry))
        kind = ' class="baseline"' if n == baseline else ""
        out.append(f"<tr{kind}>{''.join(cells)}</tr>")
    out += ["</tbody>", "</table></div>"]
    if table.notes:
        out.append('<ul class="notes">' + "".join(f"<li>{escaped(note)}</li>" for note in table.notes) + "</ul>")
    return "\n".join(out)


def cell(head: Head, entry: Entry) -> str:
    """One cell; bold only where the entry is."""
    kind = ' class="wide"' if head.wide else ' class="left"' if head.left else ""
    return f"<td{kind}>{_text(entry)}</td>"


def _text(entry: Entry) -> str:
    return f"<b>{_minus(entry.text)}</b>" if entry.bold else _minus(entry.text)


def _minus(text: str) -> str:
    """Escaped; where it begins as a number or an interval does, its hyphens are minus signs."""
    shown = escaped(text)
    numeric = shown[:1] in ("-", "[", "(") and shown[1:2] in tuple("+-0123456789")
    return shown.replace("-", "−") if numeric else shown
