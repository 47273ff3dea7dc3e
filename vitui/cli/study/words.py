"""What the commands of `vitui study` share: the name of a study, asking, and what a plan costs in words."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import home_of, say

if TYPE_CHECKING:
    from vitui.studies.definition import Study
    from vitui.studies.estimate import StudyEstimate
    from vitui.studies.variants import Planned, Variant

SHOWN_VARIANTS = 12
"""Variants that are named before a study is queued; `vitui study show` has all."""


def complete_study(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Shell completion of studies with their titles."""
    import tomllib

    from vitui.text import safe

    try:
        from vitui.home import find_home
        from vitui.studies.definition import find

        files = find(find_home(home_of(context)))
        return [(name, safe(str(tomllib.loads(path.read_text(encoding="utf-8")).get("title", "")), 60))
                for name, path in files.items() if name.startswith(incomplete)]  # fmt: skip
    except Exception:  # a shell must not see a traceback in the middle of a line
        return []


def complete_variant(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Shell completion of the variants of the study that was typed before."""
    from vitui.lab import Lab
    from vitui.text import safe

    try:
        # While an option lacks its value, click has not given arguments their names yet.
        name = context.params.get("name") or context.args[0]
        planned = Lab.open(home_of(context), adopt=False).planned(str(name))
        return [(one.name, safe(one.label, 60)) for one in planned.variants if one.name.startswith(incomplete)]
    except Exception:
        return []


StudyName = Annotated[
    str, typer.Argument(metavar="STUDY", help="Name that `vitui study list` shows.", autocompletion=complete_study)
]


def variant_of(planned: Planned, name: str) -> Variant:
    """The variant of a name. Raises NotFound with the nearest one."""
    from engine.recipe.errors import nearest
    from vitui.errors import NotFound

    found = next((one for one in planned.variants if one.name == name), None)
    if found is None:
        hint = nearest(name, [one.name for one in planned.variants])
        rest = hint or f"; `vitui study show {planned.name}` lists them"
        raise NotFound(f"study {planned.name} has no variant {name}{rest}")
    return found


def sized(planned: Planned) -> str:
    """How large a study is: ``5 variants x 3 seeds (0, 1, 2) = 15 runs``."""
    variants, seeds = len(planned.variants), planned.seeds
    listed = ", ".join(map(str, seeds[:6])) + (", …" if len(seeds) > 6 else "")
    rows = f"{variants} variant{'' if variants == 1 else 's'}"
    runs = f"{len(planned.cells)} run{'' if len(planned.cells) == 1 else 's'}"
    return f"{rows} x {len(seeds)} seed{'' if len(seeds) == 1 else 's'} ({listed}) = {runs}"


def cost(found: StudyEstimate) -> list[str]:
    """What launching would queue and what that costs, a line each."""
    from vitui.display import bytes_, duration

    lines = [f"{found.queue} to queue, {found.resume} to resume, {found.reuse} there already"]
    if found.queue:
        if found.seconds is None:
            lines.append(f"device hours are not known: {found.basis}")
        else:
            rest = f"; those of {found.unknown_time} runs are not known" if found.unknown_time else ""
            hours = f"{found.seconds / 3600:.1f} device hours" if found.seconds >= 3600 else "device time"
            lines.append(f"{hours}, {duration(found.seconds)} one after the other{rest}: {found.basis}")
        if found.disk_bytes is None:
            lines.append("disk is not known before the engine has looked at the models, which it does at the launch")
        else:
            rest = f"; that of {found.unknown_disk} runs is not known" if found.unknown_disk else ""
            lines.append(f"{bytes_(found.disk_bytes)} of disk for checkpoints and exported weights{rest}")
        if found.fits:
            lines.append(found.fits)
    return lines


def changes(variant: Variant, study: Study) -> str:
    """What a variant is besides the study's own [set]: its preset where that is not the base, toggles, fields."""
    common = set(study.sets)
    preset = () if variant.preset == study.base else (variant.preset,)
    return ", ".join([*preset, *variant.toggles, *(word for word in variant.sets if word not in common)])


def tell_plan(planned: Planned, found: StudyEstimate) -> None:
    """On stderr: size, variants, cost."""
    say(sized(planned))
    for variant in planned.variants[:SHOWN_VARIANTS]:
        said = changes(variant, planned.study)
        say(f"  {variant.name}" + (f": {said}" if said and said != variant.name else ""))
    if len(planned.variants) > SHOWN_VARIANTS:
        say(f"  … and {len(planned.variants) - SHOWN_VARIANTS} more")
    for line in (*cost(found), *planned.waiting):
        say(line)


def agreed(question: str, otherwise: str) -> bool:
    """Ask on the terminal, no being the answer of who only presses Enter.

    Raises UsageError where nobody can be asked; `otherwise` says what to do then.
    """
    from vitui.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(f"there is nobody to ask here; {otherwise}")
    print(f"{question} [y/N] ", end="", file=sys.stderr)
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")
