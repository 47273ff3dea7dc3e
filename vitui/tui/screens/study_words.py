"""What is said of studies in sentences and pages: costs, outcomes, everything about one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style

from vitui import display
from vitui.text import safe
from vitui.text import wrapped as lines_of
from vitui.tui.screens.study_cells import summary
from vitui.tui.theme import Palette
from vitui.tui.widgets.lines import Line

if TYPE_CHECKING:
    from vitui.studies.estimate import StudyEstimate
    from vitui.studies.launching import StudyLaunched
    from vitui.studies.listing import StudyLine
    from vitui.studies.report import Report
    from vitui.studies.variants import Planned

TITLE = 12


def runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def size(planned: Planned) -> str:
    """``5 variants x 3 seeds = 15 runs``."""
    variants, seeds = len(planned.variants), len(planned.seeds)
    return (
        f"{variants:,} variant{'s' * (variants != 1)} x {seeds} seed{'s' * (seeds != 1)} = {runs(len(planned.cells))}"
    )


def cost(found: StudyEstimate) -> list[str]:
    """What launching costs, a sentence each."""
    told = []
    if found.reuse:
        told.append(f"{runs(found.reuse)} with the same recipe and seed {'is' if found.reuse == 1 else 'are'} reused")
    if found.queue:
        if found.seconds is None:
            told.append(f"device time not known ({found.basis or 'nothing like it has been trained here'})")
        else:
            rest = f", without {runs(found.unknown_time)} whose time is not known" if found.unknown_time else ""
            told.append(f"about {display.duration(found.seconds)} of device time{rest} ({found.basis})")
        if found.disk_bytes is None:
            told.append("disk not known before the models have been looked at")
        else:
            rest = f", without {runs(found.unknown_disk)} not known" if found.unknown_disk else ""
            told.append(f"{display.bytes_(found.disk_bytes)} of disk{rest}")
    if found.resume:
        told.append(
            f"{runs(found.resume)} that ended early {'goes' if found.resume == 1 else 'go'} on from checkpoints"
        )
    return [*told, *([found.fits] if found.fits else [])]


def question(found: StudyEstimate, what: str) -> str:
    """``Queue 12 runs and resume 2 of tin-ablation?``."""
    parts = [f"queue {runs(found.queue)}"] if found.queue else []
    parts += [f"resume {runs(found.resume)}"] if found.resume else []
    text = " and ".join(parts)
    return f"{text[:1].upper()}{text[1:]} of {what}?"


def outcome(done: StudyLaunched) -> str:
    """What was queued, resumed, reused."""
    parts = [f"{runs(len(done.queued))} queued"] if done.queued else []
    parts += [f"{len(done.resumed):,} resumed"] if done.resumed else []
    parts += [f"{done.reused:,} there already"] if done.reused else []
    return ", ".join(parts) or "nothing was missing"


def paragraph(text: str, width: int, style: Style, *, indent: str = "") -> list[Line]:
    """`text`, made safe, in styled lines of at most `width` cells."""
    return [[(line, style)] for part in text.split("\n") for line in lines_of(safe(part), max(20, width), indent)]


def page(
    told: StudyLine | None, report: Report | None, notes: Sequence[str], fork: str, width: int, p: Palette
) -> list[Line]:
    """Everything about a study: what it asks, what it trains, how far it is, every note of its report.

    `fork`: the key that copies one that comes with vitui.
    """
    lines: list[Line] = []

    def fact(title: str, text: str, style: Style | None = None) -> None:
        for number, line in enumerate(lines_of(safe(text), max(20, width - TITLE))):
            lines.append([((title if not number else "").ljust(TITLE), p.dim), (line, style or p.text)])

    if told is not None:
        for text, style in ((told.title, p.strong), (told.question, p.key), (told.description.strip(), p.text)):
            for part in text.split("\n\n"):
                lines += [[(line, style)] for line in lines_of(safe(" ".join(part.split())), width)]
                lines += [""] if part.strip() else []
        fact("kind", told.kind)
        fact("base", told.base)
        if told.counts:
            fact("variants", f"{told.variants:,}")
            fact("runs", summary(told.counts))
        fact("from", f"comes with vitui; {fork} makes a copy to change" if told.shipped else "your own")
        if told.problem:
            fact("problem", told.problem, p.bad)
        if told.changed:
            fact("changed", "presets say something else than when its runs were queued", p.warn)
    if report is not None:
        study = report.planned.study
        fact("seeds", ", ".join(map(str, report.seeds[:20])) + (", …" if len(report.seeds) > 20 else ""))
        fact("in each run", ", ".join(study.sets) or "as the recipes are")
        fact("baseline", report.rows[report.baseline].label if report.rows else "")
    if notes:
        lines.append("")
        for note in notes:
            lines += [[(line, p.dim)] for line in lines_of(safe(note), width, "  ")]
    return lines
