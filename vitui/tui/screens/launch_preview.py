"""What a draft makes, in words: differences, command, model, cost, and whether it can be launched. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style

from vitui import display, references
from vitui.text import cell_width, safe
from vitui.text import wrapped as lines_of
from vitui.tui.format import accuracy
from vitui.tui.screens.launch_rows import DIFFERS, HERE, MISSING, Detail, Shelved, shown_text, whence
from vitui.tui.theme import Palette
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.lines import Line

if TYPE_CHECKING:
    from engine.recipe import Change, Reference
    from vitui.drafts.preview import FieldValue, Preview, Switch
    from vitui.drafts.shelf import PresetEntry
    from vitui.store import Run
    from vitui.tui.screens.launch_desk import Sheet
    from vitui.tui.widgets.listing import Row
    from vitui.tui.widgets.look import Panel

TITLE = 10
"""Cells of the titles before what is known of cost."""
NO_PRESET = "no preset chosen yet: take one from the list of presets"


def wrapped(text: str, width: int, style: Style, *, indent: str = "") -> list[Line]:
    """`text`, made safe, in styled lines of at most `width` cells; see vitui.text.wrapped."""
    return [[(line, style)] for line in lines_of(safe(text), max(8, width), indent)]


def verdict(sheet: Sheet | None, model_problem: str) -> str:
    """Why a launch cannot work, as far as it is known; empty when it can."""
    if sheet is None or sheet.draft is None:
        return NO_PRESET
    made = sheet.preview
    if made is None:
        return NO_PRESET
    return made.problem.splitlines()[0] if made.problem else sheet.refusal or model_problem


def length(made: Preview) -> str:
    """How long one run is: ``30 epochs, 1,230 steps``."""
    words = [f"{display.epochs(made.epochs)} epochs"] if made.epochs else []
    return ", ".join([*words, *([f"{made.steps:,} steps"] if made.steps else [])])


def gist(sheet: Sheet) -> str:
    """What a launch would do, in one line."""
    made, draft = sheet.preview, sheet.draft
    if made is None or draft is None:
        return ""
    words = [length(made), where(draft.device, sheet)]
    cost = sheet.estimate
    if cost is not None and cost.total_seconds is not None:
        words.append(f"about {display.duration(cost.total_seconds)}" + (" in all" if cost.runs > 1 else ""))
    return " · ".join(word for word in words if word)


def where(device: str, sheet: Sheet) -> str:
    """``on a GPU (auto)``, ``on the CPU (auto)``, ``on gpu:1``."""
    if device != "auto":
        return f"on {device}"
    return "on a free GPU (auto)" if any(one.key != "cpu" for one in sheet.devices) else "on the CPU (auto)"


def many(sheet: Sheet) -> str:
    """``launch`` or ``launch 3 runs``."""
    count = len(sheet.preview.seeds) if sheet.preview else 1
    return "launch" if count <= 1 else f"launch {count} runs"


def repeated(runs: Sequence[Run]) -> str:
    """That the same has been done already, or is being done; empty when it has not."""
    if not runs:
        return ""
    run = next((one for one in runs if one.state == "finished"), runs[0])
    score = run.report_best if run.report_best is not None else run.best
    how = f"finished with {accuracy(score)}" if run.state == "finished" and score is not None else f"is {run.state}"
    what = "finished" if run.state == "finished" and score is None else how
    more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
    return f"the same recipe and seed {run.seed} {what}: run {run.id}{more}"


def preview_lines(
    sheet: Sheet | None, asking: bool, model_problem: str, width: int, p: Palette, copy: str, *, roomy: bool = True
) -> list[Line]:
    """The preview pane. `copy`: key that copies the command; `roomy`: with an empty line between its parts."""
    if sheet is None or sheet.draft is None or sheet.preview is None:
        return wrapped(NO_PRESET, width, p.dim)
    made = sheet.preview
    out: list[Line] = []
    problem = verdict(sheet, model_problem)
    if problem:
        told = made.problem if made.problem else problem
        for sentence in told.splitlines():
            out += wrapped(f"{MISSING} cannot be launched: {sentence}", width, p.bad, indent="  ")
    else:
        seeds = ", ".join(map(str, made.seeds))
        word = "1 run" if len(made.seeds) == 1 else f"{len(made.seeds)} runs"
        plural = "seed" if len(made.seeds) == 1 else "seeds"
        out += wrapped(f"{HERE} ready: {word} of {length(made) or 'unknown length'}, {plural} {seeds}", width, p.good)
        if again := repeated(sheet.repeats):
            out += wrapped(f"! {again}", width, p.warn, indent="  ")
    gap: list[Line] = [""] if roomy else []
    out += [*gap, *difference_lines(made, sheet.draft.base, width, p), *gap]
    out.append([("Command", p.key), (f"  {copy} copies it" if copy else "", p.dim)])
    out += [*wrapped(made.command, width, p.text, indent="  "), *gap]
    return out + cost_lines(sheet, asking, width, p)


def difference_lines(made: Preview, base: str, width: int, p: Palette) -> list[Line]:
    """Field by field how the recipe differs from its preset, or from the run it is a clone of."""
    whose = f"run {base}" if base else made.draft.preset
    count = len(made.changes)
    if made.composed is None:
        return [[("Differences", p.key), ("  cannot be told", p.dim)]]
    if not count:
        return [[("Differences", p.key), (f"  none: it is {safe(whose, 60)}", p.dim)]]
    out: list[Line] = [[("Differences", p.key), (f"  {count} from {safe(whose, 60)}", p.dim)]]
    longest = max(cell_width(change.key) for change in made.changes)
    name = min(longest, max(12, width // 2 - 4))
    for change in made.changes:
        out.append(_change(change, whence(made.composed.origins.get(change.key, "dropped")), name, width, p))
    return out


def _change(change: Change, origin: str, name: int, width: int, p: Palette) -> Line:
    before, after = (shown_text(display.value(value)) for value in (change.before, change.after))
    key = safe(change.key, name)
    parts: list[Part] = [(f"{DIFFERS} ", p.mark), (key + " " * (name - cell_width(key) + 1), p.text)]
    left = width - name - 3
    for text, style in ((before, p.dim), (" → ", p.dim), (after, p.strong), (f"  {origin}", p.dim)):
        shown = safe(text, max(0, left))
        parts.append((shown, style))
        left -= cell_width(shown)
    return parts


def reference_text(reference: Reference | None) -> str:
    """What results will be compared with."""
    if reference is None:
        return "nothing: nobody reported a number for this recipe"
    kind = ", ".join(word for word in (reference.kind, reference.label) if word)
    if reference.outcome:
        return f"{reference.outcome} ({kind}: {reference.source})"
    value = "" if reference.value is None else display.percent(reference.value)
    return (
        f"{value} {reference.metric} on {reference.split}, within {reference.tolerance:g} ({kind}: {reference.source})"
    )


def reported_text(reference: Reference) -> str:
    """One of a preset's published numbers: a result, or parameters, speed and the like with their unit."""
    if reference.judged:
        return reference_text(reference)
    kind = ", ".join(word for word in (reference.kind, reference.label) if word)
    unit = references.unit_of(reference.metric)
    return (
        f"{references.title_of(reference.metric)} {references.text_of(reference)} {unit}".rstrip()
        + f" ({kind}: {reference.source})"
    )


def cost_lines(sheet: Sheet, asking: bool, width: int, p: Palette) -> list[Line]:
    """Reference, model, memory, time, disk: each with what it rests on."""
    made, cost = sheet.preview, sheet.estimate
    if made is None or made.composed is None:
        return []
    rows: list[tuple[str, str, Style]] = [("Reference", reference_text(made.reference), p.text)]
    wait = "asking the engine…" if asking else "not known yet"
    if cost is None or cost.description is None:
        rows.append(("Model", f"{made.composed.recipe.model.name}; {wait}", p.text))
    else:
        known = cost.description
        part = known.trainable_params
        trained = "all trained" if part == known.params else f"{display.count(part)} trained"
        text = f"{display.count(known.params)} parameters, {trained}; {display.count(known.macs)} MACs an image"
        rows.append(("Model", text, p.text))
    if cost is not None:
        memory = "" if cost.memory_bytes is None else f"about {display.bytes_(cost.memory_bytes)}; "
        rows.append(("Memory", memory + (cost.memory_basis if memory or not asking else wait), p.text))
        if cost.fits:
            rows.append(("", cost.fits, p.warn if cost.fits.startswith("does not") else p.text))
        time = "" if cost.seconds is None else f"about {display.duration(cost.seconds)}"
        if cost.seconds is not None and cost.runs > 1:
            time += f" each, {display.duration(cost.total_seconds)} in all"
        rows.append(("Time", f"{time}; {cost.time_basis}" if time else cost.time_basis, p.text))
        if cost.total_disk_bytes is not None:
            rows.append(("Disk", f"about {display.bytes_(cost.total_disk_bytes)} of checkpoints and export", p.text))
    out: list[Line] = []
    for title, text, style in rows:
        for number, line in enumerate(wrapped(text, width - TITLE, style)):
            head = title if number == 0 else ""
            out.append([(f"{head:<{TITLE}}", p.key), *line])
    return out


def about_preset(entry: PresetEntry, width: int, p: Palette) -> list[Line]:
    """The preset under the cursor, in a few lines."""
    if entry.problem:
        return wrapped(entry.problem, width, p.warn)
    said = f"{entry.reference} {entry.metric}".strip() if entry.reference else "no published number"
    unit = "" if entry.epochs.endswith("steps") else " epochs"
    out: list[Line] = [[(safe(entry.title or entry.name, width), p.strong)]]
    out += wrapped(f"{said} · {entry.model} · {entry.epochs}{unit}", width, p.text)[:1]
    data = f"data {entry.dataset}: {entry.data_state}"
    if entry.data_remedy:
        data += f"; get it with `{entry.data_remedy}`"
    return out + wrapped(data, width, p.warn if entry.data_state in ("missing", "damaged") else p.dim)


def about_row(row: Row, sheet: Sheet | None, width: int, p: Palette) -> list[Line]:
    """What is under the cursor of a list, in a few lines."""
    content = row.content
    if isinstance(content, Shelved):
        return about_preset(content.entry, width, p)
    if isinstance(content, Detail):
        return wrapped(content.help, width, p.dim)
    made = sheet.preview if sheet else None
    return about_field(content, width, p) if made and made.at(row.key) == content else about_switch(content, width, p)


def about_switch(switch: Switch, width: int, p: Palette) -> list[Line]:
    """A toggle: what it sets, what it turns off, why it is not to be had."""
    toggle = switch.toggle
    out = [[(safe(f"{toggle.label} ({toggle.id})", width), p.strong)]]
    sides = [", ".join(f"{key} = {shown_text(display.value(v))}" for key, v in side.items())
             for side in (toggle.on, toggle.off)]  # fmt: skip
    lines: list[Line] = [*out]
    if not switch.available:
        lines += wrapped(f"not available: {switch.reason}", width, p.warn)
    if switch.turns_off:
        lines += wrapped(f"turning it on turns off {', '.join(switch.turns_off)}", width, p.warn)
    if switch.differs:
        lines += wrapped(f"it was {'on' if switch.in_preset else 'off'}", width, p.warn)
    return lines + wrapped(f"on sets {sides[0]}; off sets {sides[1]}", width, p.dim)


def about_field(one: FieldValue, width: int, p: Palette) -> list[Line]:
    """A field: what it is, what it may be, the preset's value, the default, where its value comes from."""
    field = one.field
    said = [field.range]
    if field.unit:
        said.append(field.unit)
    if one.changed:
        said.append(f"was {shown_text(one.before)}")
    if field.default:
        said.append(f"default {shown_text(field.default)}")
    if origin := whence(one.origin):
        said.append(f"from {origin}")
    name = [(safe(field.key, width), p.strong), ("  " + safe(" · ".join(word for word in said if word)), p.text)]
    return [name, *wrapped(field.help, width, p.dim)]


def preset_page(entry: PresetEntry, width: int, p: Palette) -> list[Line]:
    """All that is known of a preset: description, published numbers, parents, file."""
    out = [*about_preset(entry, width, p), ""]
    for paragraph in entry.description.splitlines():
        out += wrapped(paragraph, width, p.text) or [""]
    if entry.references:
        out += ["", [("Published numbers", p.key)]]
        for one in entry.references:
            when = ", ".join(f"{key} = {display.value(value)}" for key, value in one.when.items())
            out += wrapped(f"- {reported_text(one)}{f', when {when}' if when else ''}", width, p.text, indent="  ")
    if entry.parents:
        out += ["", *wrapped(f"extends {', '.join(entry.parents)}", width, p.dim)]
    return [*out, *wrapped(str(entry.path), width, p.dim)]


def rates_panel(made: Preview | None) -> Panel:
    """The learning rate over the run."""
    import numpy as np

    from vitui.tui.series import Pace, exact
    from vitui.tui.widgets.look import Panel, Trace

    if made is None or made.rates is None or not made.rates.steps:
        return Panel("rates", "learning rate", ())
    curve = made.rates
    series = exact("rates", np.array(curve.steps, dtype=np.float64), np.array(curve.values, dtype=np.float64))
    pace = Pace(steps_per_epoch=curve.steps_per_epoch)
    title = "learning rate" if curve.known else "learning rate, at 1,000 steps an epoch (size of the data not known)"
    return Panel("rates", title, (Trace(series, "", pace=pace),))
