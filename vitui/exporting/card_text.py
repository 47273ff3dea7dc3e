"""What people read on a model card: facts from the run, and nothing that was not measured or written down. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vitui import display
from vitui.comparing.judged import Figure, judged, on_reference_split, reference_of
from vitui.comparing.results import signed
from vitui.escaping import markdown
from vitui.exporting.card_subject import UNKNOWN, Subject, licence, licences
from vitui.exporting.markup import code, fenced, table
from vitui.references import within

CLASSES: Final = 30
"""Of more classes than that only the first are named."""
ALWAYS: Final = (
    "model.name", "data.dataset", "data.img_size", "optim.name", "optim.lr", "optim.weight_decay", "schedule.name",
    "train.epochs", "train.batch_size", "train.precision", "train.seed",
)  # fmt: skip
"""Fields that the table of the recipe has whether or not they are as by default."""
KINDS: Final = {
    "published": "published", "reproduction": "a reproduction", "measured": "measured before",
    "draft": "a draft of the paper",
}  # fmt: skip
"""How a reference is called, by its kind."""
NOTHING: Final = "–"


def body(subject: Subject) -> str:
    """Everything below the front matter."""
    parts = [
        f"# {markdown(subject.facts.run.name)}", _what(subject), *_selected(subject),
        "## How to load it", *_loading(subject),
        "## Results", *_results(subject),
        "## How it was trained", *_recipe(subject),
        "## Where it comes from", _origin(subject),
        "## Intended use and limits", _limits(subject),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _what(subject: Subject) -> str:
    run, model = subject.facts.run, subject.facts.model
    size = f" ({display.trained(run)}" if run.params else ""
    macs = model.get("macs")
    size += f", {display.count(macs)} multiply-adds an image" if size and isinstance(macs, int) else ""
    config = subject.facts.config
    pretrained = config.get("model.pretrained") or config.get("model.weights")
    start = "from pretrained weights" if pretrained else "from scratch"
    length = f" for {display.progress(run).partition('/')[0]} epochs" if run.total_epochs else ""
    picked = judged(subject.facts, "report_best", run.metric or "top1")
    which = "the averaged weights" if picked and "averaged" in picked.note else "the weights"
    when = f" of epoch {run.best_epoch:g}, picked on {markdown(run.selected_on)}" if run.best_epoch is not None else ""
    return (
        f"An image classifier: {code(run.model)}{size}{')' if size else ''}, trained {start} on "
        f"{markdown(subject.title)}{length} with [timm](https://github.com/huggingface/pytorch-image-models) and "
        f"vitui. In this folder are {which}{when}."
    )


def _selected(subject: Subject) -> list[str]:
    run = subject.facts.run
    if not run.select_is_report:
        return []
    split = markdown(run.report_split)
    return [
        f"> **Selected on {split}.** The epoch was picked on the split that the result is reported on, so it flatters."
    ]


def _loading(subject: Subject) -> list[str]:
    if not subject.loadable:
        lines = [
            "import engine.models.exported",
            "",
            'model = engine.models.exported.load("PATH/TO/THIS/FOLDER")',
            'names = model.pretrained_cfg["label_names"]',
        ]
        return [
            "timm alone cannot build this architecture; with vitui installed:", fenced("\n".join(lines), "python"),
        ]  # fmt: skip
    lines = [
        "import timm",
        "",
        'model = timm.create_model("local-dir:PATH/TO/THIS/FOLDER", pretrained=True).eval()',
        'model = timm.create_model("hf-hub:OWNER/NAME", pretrained=True).eval()  # once it is on the hub',
        "transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)",
        'names = model.pretrained_cfg["label_names"]',
    ]
    return [fenced("\n".join(lines), "python")]


# -- results -------------------------------------------------------------------------------------------------------


def _results(subject: Subject) -> list[str]:
    facts, run = subject.facts, subject.facts.run
    rows = []
    for which, title in (
        ("report_best", "picked epoch"), ("report_last", "last epoch"), ("best", "best on the selecting split"),
    ):  # fmt: skip
        top1 = judged(facts, which, "top1")
        if top1 is not None:
            top5, loss = judged(facts, which, "top5"), judged(facts, which, "loss")
            shown = [_accuracy(top1), _accuracy(top5), display.number(loss.value) if loss else NOTHING]
            rows.append([title, markdown(top1.of), markdown(top1.note), *shown])
    rows += _published(subject)
    if not rows:
        return ["Nothing was evaluated."]
    note = (
        "Accuracies in percent; ±: one standard error from the number of images, sqrt(p(1-p)/n). It says nothing about "
        f"other seeds: this is one run, seed {run.seed}."
    )
    return [table(["", "split", "of", "top-1", "top-5", "loss"], rows, raw=True), note, *_difference(subject)]


def _accuracy(figure: Figure | None) -> str:
    if figure is None:
        return NOTHING
    return display.accuracy(figure.value) + (f" ±{figure.error:.2f}" if figure.error is not None else "")


def _published(subject: Subject) -> list[list[str]]:
    """The row of what others reported for this recipe."""
    told, said = reference_of(subject.facts), subject.facts.reference
    source, kind = markdown(str(said.get("source") or "")), _kind(subject)
    if told is not None:
        columns = {"top1": NOTHING, "top5": NOTHING, "loss": NOTHING}
        if told.metric in columns:
            columns[told.metric] = display.percent(told.value)
            return [[kind, markdown(told.split), source, *columns.values()]]
    elif outcome := str(said.get("outcome") or ""):
        return [[kind, markdown(str(said.get("split") or "")), source, markdown(outcome), NOTHING, NOTHING]]
    return []


def _difference(subject: Subject) -> list[str]:
    told = reference_of(subject.facts)
    own = on_reference_split(subject.facts, told) if told is not None else None
    if told is None or own is None:
        return []
    gap = own.value - told.value
    inside = "inside" if within(gap, told.tolerance) else "outside"
    unit = "" if told.metric == "loss" else " points"
    return [f"Own less that ({_kind(subject)}): {signed(gap, 2)}{unit}, {inside} its tolerance of {told.tolerance:g}."]


def _kind(subject: Subject) -> str:
    return KINDS.get(str(subject.facts.reference.get("kind")), "published")


# -- how, where from, limits ---------------------------------------------------------------------------------------


def _recipe(subject: Subject) -> list[str]:
    config, origins = subject.facts.config, subject.origins
    shown = [key for key in config if origins is None or key in ALWAYS or origins.get(key, "default") != "default"]
    rows = [[code(key), code(display.value(config[key])), markdown(_set_by(origins, key))] for key in shown]
    out = [table(["field", "value", "set by"], rows, raw=True)] if rows else []
    if subject.recipe:
        whole = fenced(subject.recipe, "toml")
        out.append(f"<details><summary>The whole recipe, every field decided</summary>\n\n{whole}\n\n</details>")
    if subject.command:
        out += ["Trained again by:", fenced(subject.command, "sh")]
    return out


def _set_by(origins: Mapping[str, Any] | None, key: str) -> str:
    found = (origins or {}).get(key, "")
    return found if isinstance(found, str) else ""


def _origin(subject: Subject) -> str:
    facts, run, provenance = subject.facts, subject.facts.run, subject.facts.provenance
    git, packages = provenance.get("git"), provenance.get("packages")
    commit = str(git.get("commit") or "") if isinstance(git, Mapping) else ""
    dirty = " with uncommitted changes" if isinstance(git, Mapping) and git.get("dirty") else ""
    versions = [f"{name} {number}" for name, number in packages.items()] if isinstance(packages, Mapping) else []
    python = f"Python {provenance['python']}" if provenance.get("python") else ""
    facts_of = [
        ("run", code(run.id)),
        ("launched", markdown(display.moment(run.created))),
        ("preset", code(run.preset) if run.preset else ""),
        ("code", f"commit {code(commit)}{dirty}" if commit else ""),
        ("packages", markdown(", ".join(filter(None, [python, *versions])))),
        ("device", markdown(run.placed)),
        ("time", "" if facts.seconds is None else display.duration(facts.seconds)),
        ("speed", "" if facts.speed is None else f"{display.rate(facts.speed)} images/s in training"),
        ("memory", "" if facts.memory is None else f"{display.bytes_(facts.memory)} of {facts.memory_kind} at most"),
        ("data", f"fingerprint {code(str(facts.data['fingerprint']))}" if facts.data.get("fingerprint") else ""),
    ]
    return table(["", ""], [[name, value] for name, value in facts_of if value], raw=True)


def _limits(subject: Subject) -> str:
    run, data, spec = subject.facts.run, subject.facts.data, subject.spec
    lines = [_classes(subject), _input(subject)]
    train, report = (_counted(data.get(f"{part}_images")) for part in ("train", "report"))
    lines.append(f"Trained on {train} of {markdown(subject.title)}" + ("." if spec else ", the owner's own data."))
    if run.report_split:
        lines.append(
            f"Evaluated on {report} of {markdown(run.report_split)} and nothing else: other data, robustness, "
            "calibration and fairness were not looked at."
        )
    if run.select_is_report:
        lines.append(
            f"Selected on {markdown(run.report_split)}: the checkpoint was picked by the images it is judged by."
        )
    elif run.selected_on:
        lines.append(f"The checkpoint was picked on {markdown(run.selected_on)}, not by the images it is judged by.")
    found = licence(subject)
    lines += [f"Licence of {markdown(one.of)}: {markdown(one.stated)}." for one in licences(subject)]
    if found == UNKNOWN:
        lines.append("Nothing that it was made of settles the licence of the model itself; its owner has to say.")
    else:
        lines.append(f"The licence above, {found}, is that of what it was made of; its owner may have to say more.")
    return "\n".join(f"- {line}" for line in lines if line)


def _counted(number: Any) -> str:
    return f"{number:,} images" if isinstance(number, int) else "the images"


def _classes(subject: Subject) -> str:
    names = subject.export.get("label_names")
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        return ""
    more = f" and {len(names) - CLASSES} more" if len(names) > CLASSES else ""
    listed = ", ".join(markdown(str(name)) for name in names[:CLASSES])
    return f"Made to tell {len(names)} classes apart: {listed}{more}. It puts every picture into one of them."


def _input(subject: Subject) -> str:
    size, crop = subject.pixels("input_size"), subject.pixels("crop_pct")
    if not isinstance(size, Sequence) or len(size) != 3:
        return ""
    mean, std = (_numbers(subject.pixels(name)) for name in ("mean", "std"))
    cropped = f", cropped to {crop:g} of the resized side" if isinstance(crop, float) and crop < 1 else ""
    return (
        f"Input: {size[0]} channel{'s' if size[0] != 1 else ''} of {size[1]}x{size[2]} px{cropped}, scaled to 0..1, "
        f"then less {mean} and divided by {std}."
    )


def _numbers(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in values) if isinstance(values, Sequence) else "?"
