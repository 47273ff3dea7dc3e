"""``vitui study new``: a study's file from words, and what it would train."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import complete_preset, complete_toggle, open_lab, say
from vitui.cli.study.words import tell_plan

EXAMPLE = "e.g. lr=1e-3,3e-4"


def add_to(app: typer.Typer) -> None:
    app.command()(new)


def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called: letters, digits, dashes.")],
    base: Annotated[
        str,
        typer.Option(
            metavar="PRESET",
            help="Preset that variants change; with {NAME} in it, levels of the axis NAME stand there.",
            autocompletion=complete_preset,
        ),
    ] = "",
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOGGLE,...",
            help="Switch off, each alone, toggles that are on in the base; all: every one of them.",
            autocompletion=complete_toggle,
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="TOGGLE,...", help="Switch on, each alone, toggles.", autocompletion=complete_toggle),
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(
            "--preset",
            "-p",
            metavar="PRESET",
            help="A preset that is a variant; may be repeated.",
            autocompletion=complete_preset,
        ),
    ] = None,
    axis: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE,...",
            help="An axis of a grid: values of a field, or NAME=TOGGLE+TOGGLE,none; may be repeated.",
        ),
    ] = None,
    random: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=LOW..HIGH",
            help="A field to draw at random, with :log or :int behind it, or of choices: A,B,C; may be repeated.",
        ),
    ] = None,
    n: Annotated[
        int | None,
        typer.Option("--n", metavar="N", min=1, help="Variants to draw: of --random, else of the grid."),
    ] = None,
    seeds: Annotated[
        str, typer.Option(metavar="SEEDS", help="0,1,2 or a number of seeds, from the recipe's own on (default: 1).")
    ] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="FIELD=VALUE", help="Set a field in every run; may be repeated."),
    ] = None,
    baseline: Annotated[
        str, typer.Option(metavar="VARIANT", help="Variant that differences are to (default: the first).")
    ] = "",
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="Where it trains: auto, cpu, gpu, gpu:N or a GPU's UUID.")
    ] = "",
    title: Annotated[str, typer.Option(metavar="TEXT", help="Heading of its report.")] = "",
    question: Annotated[str, typer.Option(metavar="TEXT", help="What it is to find out; kept with every run.")] = "",
    from_: Annotated[
        str, typer.Option("--from", metavar="FILE", help="Take a study's TOML file as it is, or - for stdin.")
    ] = "",
    edit: Annotated[bool, typer.Option("--edit", "-e", help="Open it in $EDITOR before it is kept.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Queue its runs at once; asks first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --run: do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the file and what it would train, and keep nothing.")
    ] = False,
) -> None:
    """Plan a study: write its file, show runs, device hours and disk.

    Variants are the base itself, the base with one toggle flipped, presets, the combinations of a grid, or recipes
    drawn at random; each is trained with every seed. Nothing is queued without --run.

    \b
    What does each augmentation bring?
      vitui study new parts --base demo-digits --leave-out all --seeds 3
    Which presets are better?
      vitui study new norms -p c10-vit-ln-mini -p c10-vit-bn-mini
    A grid of a field, and of toggles:
      vitui study new grid --base demo-digits \\
        --axis lr=1e-3,3e-4 --axis aug=none,mixup,mixup+cutmix
    A grid of presets whose names differ in parts:
      vitui study new sizes --base c10-vit-{norm}-mini --axis norm=ln,bn
    A random search of 20 recipes:
      vitui study new search --base demo-digits --n 20 \\
        --random lr=1e-4..1e-2:log --random train.batch_size=32,64

    Short names of fields are those of `vitui runs --filter` (lr, wd, batch). The file is <home>/studies/NAME.toml;
    docs/studies.md says all that it can hold.
    """
    from vitui.errors import UsageError
    from vitui.studies.drafting import Wish, study_text

    wish = Wish(
        base, tuple(leave_out or ()), tuple(add or ()), tuple(preset or ()), tuple(axis or ()), tuple(random or ()), n,
        seeds, tuple(set_ or ()), baseline, device, title, question,
    )  # fmt: skip
    if dry_run and (run or edit):
        raise UsageError(f"--dry-run keeps nothing and {'--run' if run else '--edit'} does; choose one")
    if from_ and wish != Wish():
        raise UsageError("--from takes a file as it is; leave the other options out, or change it with --edit")
    if not from_ and wish == Wish() and not edit:
        raise UsageError("nothing to train; give --base PRESET or --preset PRESET, or --from FILE")
    text = _read(from_) if from_ else study_text(wish)
    lab = open_lab(context, create=not dry_run)
    from vitui.studies import definition
    from vitui.studies.previewing import preview

    definition.checked_study_name(name)
    if name in (files := definition.find(lab.home)):
        own = files[name].parent == definition.own(lab.home)
        rest = f"change it: vitui study edit {name}" if own else f"fork it: vitui study fork {name} NEW"
        raise UsageError(f"there is a study {name} already; choose another name, or {rest}")
    if edit:
        from vitui.cli.study.editing import edited

        edited(lab, name, text, replace=False)
    elif dry_run:
        found = preview(lab, name, text)
        if found.planned is None or found.estimate is None:
            raise UsageError(found.problem)
        print(text, end="")
        tell_plan(found.planned, found.estimate)
        return
    else:
        lab.save_study(name, text)
    say(f"{definition.own(lab.home) / f'{name}.toml'} is written")
    if run:
        from vitui.cli.study.run import launch

        launch(lab, name, yes=yes)
        return
    tell_plan(lab.planned(name), lab.study_estimate(name))
    say(f"`vitui study run {name}` queues it, `vitui study edit {name}` changes it")


def _read(place: str) -> str:
    import sys
    from pathlib import Path

    from vitui.errors import NotFound, UsageError

    try:
        return sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no file {place}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{place} cannot be read: {getattr(error, 'strerror', None) or error}") from None
