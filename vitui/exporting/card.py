"""Model cards: README.md in a run's model/, as the Hugging Face hub reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vitui.errors import Busy, NotFound, UsageError
from vitui.exporting.card_subject import Subject, licence
from vitui.exporting.card_text import body
from vitui.exporting.markup import yaml
from vitui.exporting.places import check_free, staged
from vitui.exporting.request import Request
from vitui.labels import read_object

if TYPE_CHECKING:
    from vitui.lab import Lab

FILE: Final = "README.md"
_TYPES: Final = {"top1": "accuracy", "top5": "top-5-accuracy", "loss": "loss"}
"""What the hub calls our metrics."""


def write(lab: Lab, request: Request, tell: Callable[[str], None]) -> list[str]:
    """Write a card for each run and return where they are. Raises Busy for a run that has no exported model yet."""
    places = {run: _place(lab, request, run) for run in request.runs}
    subjects = {run: read(lab, run) for run in request.runs}
    check_free(list(places.values()), request.force)
    for run, path in places.items():
        with staged(path.parent, [path.name], force=request.force) as inside:
            (inside / path.name).write_text(text(subjects[run]), encoding="utf-8")
    return [str(path) for path in places.values()]


def _place(lab: Lab, request: Request, run: str) -> Path:
    if request.out is None:
        return lab.run_dir(run).model / FILE
    if request.out.suffix != ".md":
        return request.out / f"{run}.md"
    if len(request.runs) > 1:
        raise UsageError(f"{request.out} is one file for {len(request.runs)} cards; give --out a folder")
    return request.out


def read(lab: Lab, run: str) -> Subject:
    """All that a card says of a run."""
    from vitui.comparing import FactsReader

    folder, facts = lab.run_dir(run), FactsReader(lab, run).read()
    export = read_object(folder.model / "config.json")
    if not export:
        raise Busy(f"run {run} is {facts.run.state} and has no model/ to describe: it is written when a run finishes")
    path = folder.resolved if folder.resolved.exists() else folder.recipe
    origins = lab.labels(run).get("origins")
    try:
        recipe, command = path.read_text(encoding="utf-8", errors="replace"), lab.command_of(run)
    except (OSError, NotFound, UsageError):
        recipe, command = "", ""
    return Subject(facts, export, recipe, command, origins if isinstance(origins, Mapping) else None)


def text(subject: Subject) -> str:
    """The whole card: the front matter for the hub, then what people read."""
    return f"---\n{yaml(front_matter(subject))}---\n\n{body(subject)}"


def front_matter(subject: Subject) -> dict[str, Any]:
    """What the hub reads: library, task, licence, data, and results as ``model-index``, accuracies in percent."""
    library = "timm" if subject.loadable else "vitui"
    results = _results(subject)
    return {
        "library_name": library,
        "pipeline_tag": "image-classification",
        "license": licence(subject),
        "tags": list(dict.fromkeys(["image-classification", library, "vitui"])),
        "datasets": [subject.dataset.removeprefix("hfds/")],
        "metrics": ["accuracy"],
        **(
            {
                "model-index": [
                    {
                        "name": subject.facts.run.name,
                        "results": [
                            {
                                "task": {"type": "image-classification", "name": "Image Classification"},
                                "dataset": {
                                    "name": subject.title,
                                    "type": subject.dataset.removeprefix("hfds/"),
                                    "split": subject.facts.run.report_split,
                                },
                                "metrics": results,
                            }
                        ],
                    }
                ]
            }
            if results
            else {}
        ),
    }


def _results(subject: Subject) -> Sequence[dict[str, Any]]:
    from vitui.comparing.judged import judged

    run, found = subject.facts.run, []
    picked = f"epoch picked on {run.selected_on}" + (", the split it is reported on" if run.select_is_report else "")
    for which, how in (("report_best", picked), ("report_last", "last epoch")):
        for metric, title in (("top1", "top-1 accuracy in percent"), ("top5", "top-5 accuracy in percent")):
            if figure := judged(subject.facts, which, metric):
                found.append({"type": _TYPES[metric], "value": figure.value, "name": f"{title}, {how}"})
        if figure := judged(subject.facts, which, "loss"):
            found.append({"type": _TYPES["loss"], "value": figure.value, "name": f"loss, {how}"})
    return found
