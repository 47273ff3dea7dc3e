"""A draft: what stands in the launch form. Immutable; every change gives a new one.

The latest change wins. A command line is composed in a fixed order instead, overrides first and toggles after them, so
a change that this order would lose is put into other words: a toggle whose field is typed over becomes the fields it
set. What `Draft.command` says is what the form makes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from engine.recipe import Preset, Recipe, RecipeError, diff, parse_set, toggles
from engine.recipe import compose as compose_layers
from engine.recipe.compose import Layer, as_text, merge, to_sets
from engine.recipe.schema import DEFAULT_TAGS, flatten
from vitui.drafts.fields import entered

_TEXTS = ("preset", "name", "device", "notes", "question", "base")


@dataclass(frozen=True)
class Draft:
    """What is to be launched, in the words it was asked for with."""

    preset: str
    """Its name; empty where a run is cloned whose preset is gone: `base` is what it stands on then."""
    flips: tuple[str, ...] = ()
    """Toggles as after ``--toggle``: mixup, no-ema."""
    sets: Mapping[str, str] = field(default_factory=dict)
    """Dotted field -> text as after ``--set``, in the order it was typed."""
    seeds: tuple[int, ...] = ()
    """One run for each; empty: one, of the recipe's own seed."""
    name: str = ""
    device: str = "auto"
    tags: tuple[str, ...] = ()
    notes: str = ""
    question: str = ""
    base: str = ""
    """The run it is a clone of; changes are then told against that run's recipe."""

    @property
    def changed(self) -> bool:
        """Whether toggles or fields were touched."""
        return bool(self.flips or self.sets)

    @property
    def assignments(self) -> list[str]:
        """The sets as words of ``--set``."""
        return [f"{key}={text}" for key, text in self.sets.items()]

    # -- changes -------------------------------------------------------------------------------------------------

    def flip(self, id: str, on: bool, preset: Preset) -> Draft:
        """With a toggle on or off; its rivals are turned off by that. `preset`: what the draft stands on.

        A toggle that cannot be flipped here is in the result all the same, and composing it says why.
        """
        if id not in preset.toggles:
            return self
        toggle, word = preset.toggles[id], id if on else f"no-{id}"
        governed = {*toggle.told_by, *toggle.on, *toggle.off}
        others = tuple(w for w in self.flips if w not in (id, f"no-{id}"))
        kept = {key: text for key, text in self.sets.items() if key not in governed}
        plain = replace(self, flips=others, sets=kept)
        if (there := recipe_of(plain, preset)) is not None and toggle.is_on(there) is on:
            return plain  # without a word, and nothing typed stands against it
        friends = tuple(w for w in others if not (on and w in toggle.excludes))
        drafts = [
            replace(self, flips=(*friends, word), sets=kept),
            replace(self, flips=(*friends, word)),
            *(replace(self, flips=(*friends[:i], *friends[i + 1 :], word), sets=kept) for i in range(len(friends))),
        ]
        wanted: Recipe | None = None
        if (now := recipe_of(self, preset)) is not None:
            with suppress(RecipeError):
                wanted = toggles.apply(now, [word], preset.toggles)
        for draft in drafts:
            made = recipe_of(draft, preset)
            if made is not None and toggle.is_on(made) is on and (wanted is None or _like(made, wanted, governed)):
                return _tidied(draft, made, preset)
        if wanted is not None:
            return self._spelled_out(wanted, preset)
        return drafts[0]

    def set(self, key: str, text: str, preset: Preset | None = None) -> Draft:
        """With a field typed. `preset`: what the draft stands on; without it a toggle may overrule what was typed.

        Text is taken as the field's kind wants it: words of a text field need no quotes, lists no brackets.
        For ``model.options`` it is ``NAME=VALUE``, one more argument of the model's constructor.
        """
        key, text = entered(key, text)
        section, _, leaf = key.partition(".")
        sets = dict(self.sets)
        if leaf == "name" and section in DEFAULT_TAGS and sets.get(key) != text:
            # Another optimiser or schedule: what was typed for the old one goes with it.
            sets = {k: t for k, t in sets.items() if not k.startswith(f"{section}.")}
        sets[key] = text
        plain = replace(self, sets=sets)
        if preset is None:
            return plain
        if not self.flips:  # what is typed may be what it stands on anyway
            bare, made = self.unset(key), recipe_of(plain, preset)
            return bare if made is not None and made == recipe_of(bare, preset) else plain
        now = recipe_of(self, preset)
        wanted = _typed(now, key, text)
        if now is None or wanted is None:
            return plain
        if (made := recipe_of(plain, preset)) is not None and made.flat() == wanted.flat():
            return plain
        for word, written in _written(self, now, preset):
            if key in written or section in _tags_in(written):
                rest = {k: t for k, t in written.items() if k != key}
                draft = replace(self, flips=tuple(w for w in self.flips if w != word), sets={**rest, **sets})
                if (made := recipe_of(draft, preset)) is not None and made.flat() == wanted.flat():
                    return draft
        return self._spelled_out(wanted, preset)

    def unset(self, key: str) -> Draft:
        """Without what was typed for a field; for the name of an optimiser or schedule, without its fields too."""
        section, _, leaf = key.partition(".")
        gone = f"{section}." if leaf == "name" and section in DEFAULT_TAGS and key in self.sets else None
        return replace(
            self, sets={k: t for k, t in self.sets.items() if k != key and not (gone and k.startswith(gone))}
        )

    def _spelled_out(self, wanted: Recipe, preset: Preset) -> Draft:
        """The draft of a recipe in fields alone."""
        return replace(self, flips=(), sets=dict(_pair(word) for word in to_sets(preset.recipe, wanted)))

    # -- words ---------------------------------------------------------------------------------------------------

    def command(self) -> str:
        """The equivalent command line, quoted for a shell."""
        words = ["vitui", *(["run", self.preset] if self.preset else ["rerun", self.base])]
        for flip in self.flips:
            words += ["--toggle", flip]
        for word in self.assignments:
            words += ["--set", word]
        if len(self.seeds) == 1:
            words += ["--set", f"train.seed={self.seeds[0]}"]
        elif self.seeds:
            words += ["--seeds", ",".join(map(str, self.seeds))]
        # What `vitui rerun` is not told is as it was, so there "auto" must be said.
        device = "" if self.device == "auto" and self.preset else self.device
        given = [("--name", self.name), ("--device", device)]
        given += [("--tag", tag) for tag in self.tags]
        given += [("--note", self.notes), ("--question", self.question)]
        for option, value in given:
            if value:
                words += [option, value]
        return shlex.join(words)

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Any) -> Draft | None:
        """None for what is no draft; single values of the wrong type count as absent."""
        if not isinstance(content, Mapping):
            return None
        texts = {key: content[key] for key in _TEXTS if isinstance(content.get(key), str)}
        if not (texts.get("preset") or texts.get("base")):
            return None
        sets = content.get("sets")
        seeds = content.get("seeds")
        return cls(
            **{"preset": "", **texts},
            flips=_strings(content.get("flips")),
            sets={k: t for k, t in sets.items() if isinstance(k, str) and isinstance(t, str)}
            if isinstance(sets, Mapping)
            else {},
            seeds=tuple(s for s in seeds if type(s) is int and s >= 0) if isinstance(seeds, list | tuple) else (),
            tags=_strings(content.get("tags")),
        )


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()


def _pair(word: str) -> tuple[str, str]:
    key, _, text = word.partition("=")
    return key, text


def recipe_of(draft: Draft, preset: Preset) -> Recipe | None:
    """What a draft comes to; None where that cannot be. Paths stay as they were typed."""
    try:
        recipe, _ = compose_layers(_layers(draft, preset))
        if draft.flips:
            recipe, _ = compose_layers([*_layers(draft, preset), *toggles.patch(recipe, draft.flips, preset.toggles)])
    except RecipeError:
        return None
    return recipe


def _layers(draft: Draft, preset: Preset) -> list[Layer]:
    return [*preset.layers, *(Layer("--set", parse_set(word)) for word in draft.assignments)]


def _typed(recipe: Recipe | None, key: str, text: str) -> Recipe | None:
    """A recipe with one more field typed."""
    if recipe is None:
        return None
    try:
        made, _ = compose_layers([Layer("", recipe.model_dump(mode="json")), Layer("", parse_set(f"{key}={text}"))])
    except RecipeError:
        return None
    return made


def _like(made: Recipe, wanted: Recipe, governed: set[str]) -> bool:
    """Whether nothing differs but fields of the toggle itself, or of a rival it turned off."""
    return all(change.key in governed for change in diff(wanted, made))


def _tidied(draft: Draft, made: Recipe, preset: Preset) -> Draft:
    """Without typed fields that a toggle overrules."""
    flat = made.flat()
    kept = {}
    for key, text in draft.sets.items():
        leaves = flatten(parse_set(f"{key}={text}"))
        if all(leaf in flat and as_text(flat[leaf]) == as_text(value) for leaf, value in leaves.items()):
            kept[key] = text
    tidy = replace(draft, sets=kept)
    same = (again := recipe_of(tidy, preset)) is not None and again.flat() == made.flat()
    return tidy if same else draft


def _written(draft: Draft, recipe: Recipe, preset: Preset) -> Iterator[tuple[str, dict[str, str]]]:
    """Each flip with the fields it writes, as they would be typed; of one that changes nothing, those it would."""
    plain = recipe_of(replace(draft, flips=()), preset)
    layers: Sequence[Layer] = toggles.patch(plain, draft.flips, preset.toggles) if plain is not None else ()
    written = {layer.origin.removeprefix("toggle "): flatten(layer.tree) for layer in layers}
    flat = recipe.flat()
    for word in draft.flips:
        toggle, on = toggles.parse(word, preset.toggles)
        idle = {key: flat[key] for key in (toggle.on if on else toggle.off) if key in flat}
        yield word, {key: as_text(value) for key, value in written.get(word, idle).items()}


def _tags_in(written: Mapping[str, str]) -> set[str]:
    """Sections of which another variant was chosen."""
    return {section for section in DEFAULT_TAGS if f"{section}.name" in written}


def typed_tree(preset: Preset, draft: Draft) -> dict[str, Any]:
    """Leaves of what was asked for where it cannot be composed: for a form to go on showing it."""
    tree: dict[str, Any] = preset.recipe.model_dump(mode="json")
    for word in draft.assignments:
        with suppress(RecipeError):
            tree = merge(tree, parse_set(word))
    return flatten(tree)
