"""``vitui study run`` and ``vitui study stop``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vitui.cli.opening import Json, open_lab, print_json, say
from vitui.cli.study.words import StudyName, agreed, complete_variant, cost, sized, variant_of

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.studies.estimate import StudyEstimate
    from vitui.studies.variants import Planned


def add_to(app: typer.Typer) -> None:
    app.command()(run)
    app.command()(stop)


def run(
    context: typer.Context,
    name: StudyName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    retry: Annotated[
        bool, typer.Option(help="Resume runs that were stopped, failed or got lost, too (default: --retry).")
    ] = True,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VARIANT[:SEED]",
            help="Only this variant or cell; * and ? stand for any letters; may be repeated.",
            autocompletion=complete_variant,
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all of its runs have ended.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be queued, and queue nothing.")] = False,
    json: Json = False,
) -> None:
    """Queue what a study lacks; no recipe and seed is trained twice.

    Shows runs, device hours and disk, and asks. Runs of the home with the same recipe and seed count, whoever launched
    them; what was stopped, failed or got lost is resumed. All of them are queued, or none. Prints their ids.
    """
    lab = open_lab(context, create=not dry_run)
    cells = None if not only else chosen(lab.planned(name), only)
    if dry_run:
        _plan(lab, name, cells, retry, ask=False)
        return
    launched = launch(lab, name, yes=yes, retry=retry, only=cells, json=json)
    if wait:
        raise typer.Exit(_wait(lab, name, launched, cells))


def launch(
    lab: Lab,
    name: str,
    *,
    yes: bool,
    retry: bool = True,
    only: set[tuple[str, int]] | None = None,
    json: bool = False,
) -> tuple[str, ...]:
    """Show what is lacking, ask, queue, print ids, which are returned. Exits with 1 where the answer is no.

    Raises as `Lab.launch_study`, and VitError where runs could not be resumed.
    """
    from vitui.errors import VitError

    found = _plan(lab, name, only, retry, ask=True)
    if not found.queue and not found.resume:
        if json:
            print_json({"queued": [], "resumed": [], "reused": found.reuse})
        return ()
    if not yes and not agreed("queue these runs?", "--yes queues without asking"):
        say("nothing was queued")
        raise typer.Exit(1)
    done = lab.launch_study(name, retry=retry, only=only, tell=say)
    if json:
        print_json({"queued": done.queued, "resumed": done.resumed, "reused": done.reused, "refused": done.refused,
                    "waiting": done.waiting})  # fmt: skip
    else:
        print(*(f"{run_id}\n" for run_id in (*done.queued, *done.resumed)), sep="", end="", flush=True)
    if done.refused:
        raise VitError("\n".join(done.refused))
    return (*done.queued, *done.resumed)


def _plan(lab: Lab, name: str, only: set[tuple[str, int]] | None, retry: bool, *, ask: bool) -> StudyEstimate:
    """Say on stderr what would be done. Raises as `Lab.launch_study`.

    `ask`: the engine about models that nobody has asked about, which takes seconds and is what a launch does anyway.
    """
    from dataclasses import replace

    from vitui.studies.launching import check_launchable

    planned = lab.planned(name)
    check_launchable(planned)
    if ask:
        lab.describe_study(planned, only, say)
    whole = lab.study_estimate(name, only)
    found = whole if retry else replace(whole, resume=0)
    say(f"{name}: {sized(planned)}")
    for line in (*cost(found), *planned.waiting):
        say(line)
    if not found.queue and not found.resume:
        kept = f"{whole.resume} ended without a result and stay so" if whole.resume else "every run is there"
        say(f"nothing to queue: {'these runs are there' if only is not None and not whole.resume else kept}")
    return found


def chosen(planned: Planned, words: Sequence[str]) -> set[tuple[str, int]]:
    """Cells that ``VARIANT``, ``VARIANT:SEED`` and patterns mean. Raises NotFound for a word that means none."""
    from fnmatch import fnmatchcase

    from vitui.errors import NotFound

    names = [variant.name for variant in planned.variants]
    out: set[tuple[str, int]] = set()
    for word in words:
        variant, colon, text = word.rpartition(":")
        seeds = [seed for seed in planned.seeds if str(seed) == text]
        if word in names or not colon or not text.isdecimal():
            variant, seeds = word, list(planned.seeds)
        found = [name for name in names if name == variant] or [name for name in names if fnmatchcase(name, variant)]
        if not found:
            found = [variant_of(planned, variant).name]
        if not seeds:
            raise NotFound(
                f"study {planned.name} has no seed {text}; its seeds are {', '.join(map(str, planned.seeds))}"
            )
        out |= {(name, seed) for name in found for seed in seeds}
    return out


def _wait(lab: Lab, name: str, launched: Sequence[str], only: set[tuple[str, int]] | None) -> int:
    """Wait for the runs of a study that were launched or live, telling of each. 1 where one ended without a result."""
    from vitui.cli.control import wait_until_ended
    from vitui.store import LIVE, WAITING
    from vitui.studies.cells import shown
    from vitui.studies.variants import BROKEN

    broken = False
    try:
        for cell in lab.planned(name).cells:
            if only is not None and (cell.variant, cell.seed) not in only:
                continue
            if cell.run is not None and (cell.run.id in launched or cell.run.state in LIVE | WAITING):
                state = wait_until_ended(lab, cell.run.id)
                broken |= state in BROKEN
                run = lab.run(cell.run.id)
                say(f"{run.id} is {state}: {cell.variant}, seed {cell.seed}, {shown(run, run.report_best)}")
    except KeyboardInterrupt:
        say(f"\nnot waiting any more; the runs go on (`vitui study show {name}`, `vitui study stop {name}`)")
        return 130
    return int(broken)


def stop(
    context: typer.Context,
    name: StudyName,
    wait: Annotated[bool, typer.Option(help="Wait until they have stopped.")] = True,
) -> None:
    """Stop all runs of a study that wait or train; they can be resumed.

    Those that train finish their step and write a checkpoint first. `vitui study run` resumes them. Runs that belong
    to other studies, too, stop for these as well.
    """
    from vitui.cli.control import wait_until_ended
    from vitui.errors import Busy
    from vitui.store import LIVE, WAITING

    lab = open_lab(context)
    cells = lab.planned(name).cells
    live = dict.fromkeys(cell.run.id for cell in cells if cell.run is not None and cell.run.state in LIVE | WAITING)
    # Those that wait first: none of them is started in the place of one that stops.
    asked = []
    for run_id in sorted(live, key=lambda run_id: lab.run(run_id).state in LIVE):
        try:
            lab.stop(run_id)
        except Busy:  # it has ended meanwhile
            continue
        asked.append(run_id)
        say(f"asked {run_id} to stop")
    if wait:
        for run_id in asked:
            say(f"{run_id} is {wait_until_ended(lab, run_id)}")
    if not asked:
        say(f"no run of study {name} waits or trains")
