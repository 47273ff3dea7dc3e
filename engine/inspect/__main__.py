"""``python -m engine.inspect``: what models would be like, without building them.

Reads lines of JSON, ``{"id", "recipe": {tree}, "channels", "classes", "img_size"}``, and answers each with one line:
``{"id", "params", "trainable_params", "macs", "memory": {"weights", "gradients", "optimizer", "ema",
"activations_per_image", "teacher"}}`` in scalars, multiply-adds of one image and bytes, or ``{"id", "error"}`` with a
sentence. Everything happens on the meta device: nothing is allocated or fetched; of pretrained weights only the tag
is looked up, and of a file with weights only names and shapes are read. Exit 0, whatever the answers are.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any, TextIO

from engine.inspect.describe import Description, describe
from engine.inspect.memory import Footprint, estimate, footprint
from engine.models.build import build
from engine.models.errors import ModelError
from engine.models.names import DROPOUTS
from engine.models.teacher import build_teacher
from engine.optim import param_groups
from engine.recipe.compose import validate
from engine.recipe.errors import RecipeError
from engine.recipe.schema import Recipe

Looked = tuple[Description, Footprint] | str
"""A model's counts, or the sentence that says why there is none."""


def answer(line: str, known: dict[str, Looked]) -> dict[str, Any]:
    """The answer to one line. `known` holds what was found for the same model before, and is added to."""
    id_: object = None
    try:
        request = json.loads(line)
        id_ = request["id"]
        recipe = validate(request["recipe"])
        sizes = {name: _positive(request, name) for name in ("channels", "classes", "img_size")}
    except RecipeError as error:
        return {"id": id_, "error": "; ".join(str(error).splitlines())}
    except (ValueError, KeyError, TypeError) as error:
        return {"id": id_, "error": f"not a question: {type(error).__name__}: {error}"}
    key = json.dumps([_model_part(recipe), sizes], sort_keys=True)
    if key not in known:
        known[key] = _look(recipe, **sizes)
    looked = known[key]
    if isinstance(looked, str):
        return {"id": id_, "error": looked}
    counts, found = looked
    return {"id": id_, **asdict(counts), "memory": asdict(estimate(found, recipe))}


def _positive(request: dict[str, Any], name: str) -> int:
    value = request[name]
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} = {value} is not a whole number above 0")
    return value


def _model_part(recipe: Recipe) -> dict[str, Any]:
    """The leaves of a recipe that decide what is built, how it is trained and what it keeps for the backward pass."""
    tree = recipe.model_dump(mode="json")
    regularize = {field: tree["regularize"][field] for field in (*DROPOUTS.values(), "mlp_dropout")}
    train = {field: tree["train"][field] for field in ("scope", "mode", "sync_bn")}
    parts = {"model": tree["model"], "distill": tree["distill"], "regularize": regularize, "train": train}
    return parts | {"layer_decay": recipe.optim.layer_decay}


def _look(recipe: Recipe, *, channels: int, classes: int, img_size: int) -> Looked:
    try:
        model = build(recipe, channels=channels, classes=classes, img_size=img_size, device="meta").model
        param_groups(model, recipe.optim.weight_decay, recipe.optim.layer_decay)
        teacher = None
        if recipe.distill.kind != "none":
            teacher = build_teacher(recipe, channels=channels, classes=classes, img_size=img_size, device="meta").module
        size = (channels, img_size, img_size)
        return describe(model, size), footprint(model, size, train=recipe.train.mode == "train", teacher=teacher)
    except ModelError as error:
        return str(error)
    except Exception as error:  # of a model's own code; the next line is answered all the same
        reason = (str(error).splitlines() or [""])[0]
        return f'"{recipe.model.name}" cannot be looked at without computing it ({type(error).__name__}: {reason})'


def main(questions: TextIO, answers: TextIO) -> None:
    """Answer line by line, each as soon as it is known."""
    known: dict[str, Looked] = {}
    for line in questions:
        if line.strip():
            answers.write(json.dumps(answer(line, known)) + "\n")
            answers.flush()


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
