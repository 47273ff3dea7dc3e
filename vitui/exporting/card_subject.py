"""What a model card is about, and what that is under. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from engine.recipe import datasets
from vitui.exporting.loading import timm_knows

if TYPE_CHECKING:
    from engine.recipe.datasets import DatasetSpec
    from vitui.comparing import RunFacts

UNKNOWN: Final = "unknown"
_LICENCES: Final = (
    ("CC BY 4.0", "cc-by-4.0"), ("CC BY-SA 3.0", "cc-by-sa-3.0"), ("CC BY-SA 4.0", "cc-by-sa-4.0"),
    ("CC BY-NC-SA 3.0", "cc-by-nc-sa-3.0"), ("MIT", "mit"),
)  # fmt: skip
"""How licences begin in the catalogue of datasets, and what the hub calls them."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What a part of the model is under. `name`: as the hub calls it; empty where nothing says so."""

    of: str
    stated: str
    name: str = ""


@dataclass(frozen=True)
class Subject:
    """What a card is about. `export`: the config.json of the exported model; `recipe`: resolved.toml as text.

    `command`: what trains it again; empty where its recipe cannot be read. `origins`: field -> what set it.
    """

    facts: RunFacts
    export: Mapping[str, Any]
    recipe: str = ""
    command: str = ""
    origins: Mapping[str, Any] | None = None

    @property
    def dataset(self) -> str:
        return self.facts.run.dataset

    @property
    def spec(self) -> DatasetSpec | None:
        return datasets.known().get(self.dataset)

    @property
    def title(self) -> str:
        """The name of the dataset as people write it."""
        return self.spec.title if self.spec else self.dataset.rstrip("/").rpartition("/")[2]

    @property
    def loadable(self) -> bool:
        return timm_knows(str(self.export.get("architecture", "")))

    def pixels(self, name: str) -> Any:
        """One of timm's entries that say what images look like: input_size, mean, std, crop_pct, interpolation."""
        found = self.export.get("pretrained_cfg")
        return found.get(name) if isinstance(found, Mapping) else None


def licences(subject: Subject) -> list[Licence]:
    """What the data and the weights at the start are under, as far as anybody said so."""
    config, spec = subject.facts.config, subject.spec
    stated = spec.licence if spec else ""
    known = next((name for start, name in _LICENCES if stated.startswith(start)), "")
    found = [Licence(f"the data ({subject.title})", stated or "not known", known)]
    if config.get("model.weights"):
        found.append(Licence("the weights at the start (a file)", "not known"))
    elif config.get("model.pretrained"):
        name = subject.pixels("license")
        said = name if isinstance(name, str) else ""
        found.append(Licence(f"the weights at the start ({config.get('model.name')})", said or "not known", said))
    if config.get("distill.teacher"):
        found.append(Licence("the teacher", "not known"))
    return found


def licence(subject: Subject) -> str:
    """The licence that all parts agree on, else unknown: which one the model itself has is for its owner to say."""
    names = {one.name for one in licences(subject)}
    return names.pop() or UNKNOWN if len(names) == 1 else UNKNOWN
