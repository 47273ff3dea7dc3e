"""Exchanging modules of a model and loading a file into it, in the order that suits the file."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from engine.inspect.describe import meta_copy
from engine.models.config import recorded
from engine.models.errors import ModelError
from engine.models.weights import check_file, load_state, load_weights, read_weights
from engine.recipe.schema import Model


def exchange(model: nn.Module, how: Model) -> list[str]:
    """Exchange norms, activations and linears as `how` says, in place.

    Returns the keys of what was added and is not made of what was there. Raises ModelError naming the field where the
    model has nothing to exchange.
    """
    if not how.modified:
        return []
    from engine.models.norms import modify

    before = model.state_dict().keys()
    modify(model, how, name=how.name)
    # A weight-normalised linear keeps its values under other names.
    return [key for key in model.state_dict() if key not in before and ".parametrizations." not in f".{key}"]


def load_and_exchange(model: nn.Module, how: Model, path: Path) -> list[str]:
    """Load the weights at `path` and exchange modules.

    The file may be of the model as `how` changes it (such as a run's own export), or of the plain model if the norm
    stays. Returns the names left at random. Raises ModelError where it is neither.
    """
    check_file(path)
    norm = _recorded_norm(path)
    if norm not in (None, how.norm):
        raise ModelError(f'model.weights: {path} is of a model with norm = "{norm}", not model.norm = "{how.norm}"')
    if not how.modified or path.suffix == ".npz":
        _refuse_other_norm(how, path)
        random = load_weights(model, path)
        return random + exchange(model, how)
    state = read_weights(path, meta=next(model.parameters()).is_meta)
    ghost = meta_copy(model)
    exchange(ghost, how)
    new = ghost.state_dict().keys() - model.state_dict().keys()
    # GroupNorm and ReLU6 leave no trace in names; for the first only the export's own word counts.
    if new & state.keys() or (how.norm != "default" and norm == how.norm):
        exchange(model, how)
        return load_state(model, state, path)
    _refuse_other_norm(how, path)
    random = load_state(model, state, path)
    return random + exchange(model, how)


def _recorded_norm(path: Path) -> str | None:
    """model.norm as the config.json of an export beside the file has it; None where there is none."""
    changes = recorded(path.parent)
    return None if changes is None else str(changes.get("norm", "default"))


def _refuse_other_norm(how: Model, path: Path) -> None:
    if how.norm != "default":
        raise ModelError(
            f'model.weights: {path} has the weights of the plain model, whose LayerNorms model.norm = "{how.norm}" '
            "would throw away; give the model.safetensors in the model/ folder of a run with that norm, or set "
            "model.pretrained = false"
        )
