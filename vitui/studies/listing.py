"""The list of studies: what each is, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vitui.errors import VitError
from vitui.studies import definition
from vitui.studies.definition import Study

if TYPE_CHECKING:
    from vitui.reading import Reading


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One study. `counts`: its cells by status, empty where its variants were not looked at; `problem`: why it cannot
    be read, or what it waits for; `changed`: presets say something else than when its runs were queued."""

    name: str
    title: str = ""
    shipped: bool = False
    kind: str = ""
    base: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    variants: int = 0
    problem: str = ""
    question: str = ""
    description: str = ""
    changed: bool = False

    @property
    def cells(self) -> int:
        return sum(self.counts.values())


def lines(lab: Reading) -> list[StudyLine]:
    """Every study, the user's own first, then by name. A broken file is a line that says what is wrong with it."""
    return [line(lab, name) for name in names(lab)]


def names(lab: Reading) -> list[str]:
    """Names of all studies, the user's own first."""
    mine = definition.own(lab.home)
    return sorted(found := definition.find(lab.home), key=lambda name: (found[name].parent != mine, name))


def line(lab: Reading, name: str, *, counted: bool = True) -> StudyLine:
    """One study. Without `counted` its variants are not looked at, which may take seconds the first time. Never raises
    for what is wrong with its file."""
    told = StudyLine(name)
    try:
        told = replace(told, shipped=definition.locate(lab.home, name).parent != definition.own(lab.home))
        study = lab.study(name)
        told = StudyLine(
            name, study.title, told.shipped, kind(study), study.base or ", ".join(study.presets[:3]),
            question=study.question, description=study.description,
        )  # fmt: skip
        if not counted:
            return told
        planned = lab.planned(name)
    except (VitError, ValueError) as error:
        return replace(told, problem=str(error))
    return replace(
        told, counts=planned.counts, variants=len(planned.variants), problem="; ".join(planned.waiting),
        changed=bool(planned.changed),
    )  # fmt: skip


def kind(study: Study) -> str:
    """What a study is made of, in words."""
    parts = []
    if study.leave_out or study.add:
        parts.append("ablation")
    if study.axis:
        parts.append("grid of " + " x ".join(axis.title for axis in study.axis))
    if study.presets or study.variant:
        parts.append("variants")
    if study.search is not None:
        parts.append("random search")
    if study.upstream is not None:
        parts.append(f"from {study.upstream.study}")
    return ", ".join(parts) or "one recipe"
