"""The presets there are, as a list shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.recipe import Preset, Recipe, Reference, presets
from vitui.composition import roots, telling
from vitui.display import epochs, percent
from vitui.preflight import DatasetStatus, dataset_status

if TYPE_CHECKING:
    from vitui.reading import Reading


@dataclass(frozen=True)
class PresetEntry:
    """One preset in a list. What a file could not be read for is in `problem`; all the rest is empty then."""

    name: str
    family: str
    title: str = ""
    reference: str = ""
    """The number somebody reported, in the metric's unit, or the outcome ("NaN at epoch 35"); empty for none."""
    metric: str = ""
    """Metric and split of the number: ``top1 on test``."""
    dataset: str = ""
    data_state: str = ""
    """``present``, ``packed at first use``, ``downloads 170 MB``, ``missing`` or ``damaged``."""
    data_remedy: str = ""
    """The command that gets the data; empty where none is needed."""
    model: str = ""
    epochs: str = ""
    """Length in epochs, or ``5000 steps``."""
    description: str = ""
    references: tuple[Reference, ...] = ()
    parents: tuple[str, ...] = ()
    path: Path = Path()
    problem: str = ""

    @property
    def haystack(self) -> str:
        """What a preset is looked for in, casefolded."""
        return "\n".join((self.name, self.family, self.title, self.model, self.dataset)).casefold()

    def matches(self, words: str) -> bool:
        """Whether it has every one of the words, in any case; those of `vitui presets WORD…`."""
        hay = self.haystack
        return all(word in hay for word in words.casefold().split())


def preset_entries(lab: Reading) -> list[PresetEntry]:
    """Every preset that can be run, by family and name; those that are broken last. About 0.1 s for 230."""
    found, wrong = presets.load_sound(roots(lab.home))
    known = {status.name: status for status in dataset_status(lab.home)}
    return [
        *(entry_of(preset, known.get(preset.recipe.data.dataset)) for preset in found),
        *(PresetEntry(name, "", problem=sentence) for name, sentence in sorted(wrong.items())),
    ]


def entry_of(preset: Preset, data: DatasetStatus | None) -> PresetEntry:
    """A preset as the list shows it; `data`: its dataset, None where nobody knows it."""
    shown = telling(preset.reference, preset.outcome)
    dataset = preset.recipe.data.dataset
    return PresetEntry(
        name=preset.name,
        family=preset.family,
        title=preset.title,
        reference="" if shown is None else shown.outcome or percent(shown.value),
        metric="" if shown is None or shown.outcome else f"{shown.metric} on {shown.split}",
        dataset=dataset,
        data_state=data_state(data),
        data_remedy=f"vitui data add {dataset} --from PATH" if data is None else data.remedy,
        model=preset.recipe.model.name,
        epochs=length(preset.recipe),
        description=preset.description,
        references=preset.references,
        parents=preset.parents,
        path=preset.path,
    )


def data_state(data: DatasetStatus | None) -> str:
    """Whether a dataset is here, in words."""
    if data is None or (data.state == "missing" and not data.download_mb):
        return "missing"
    if data.state == "missing":
        return f"downloads {data.download_mb:.0f} MB"
    return "packed at first use" if data.state == "embedded" else data.state


def length(recipe: Recipe) -> str:
    """How long it trains: epochs, or steps where those decide."""
    return f"{recipe.train.steps} steps" if recipe.train.steps else epochs(recipe.train.epochs)
