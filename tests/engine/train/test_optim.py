"""Parameter groups against timm's: what decays, which share of the learning rate each block has."""

from __future__ import annotations

import pytest
import timm
import torch
from timm.optim import param_groups_layer_decay, param_groups_weight_decay
from torch import nn

from engine.models.errors import ModelError
from engine.optim import build_optimizer, decays, param_groups, set_learning_rate
from engine.recipe import validate
from engine.recipe.schema import Recipe

NAMES = ["vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "swin_tiny_patch4_window7_224"]


def meta(name: str) -> nn.Module:
    with torch.device("meta"):
        model: nn.Module = timm.create_model(name, num_classes=10)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_what_decays_is_what_timm_decays(name: str) -> None:
    model = meta(name)
    theirs = param_groups_weight_decay(model, 0.05, no_weight_decay_list=model.no_weight_decay())
    decayed_there = {id(p) for group in theirs if group["weight_decay"] for p in group["params"]}
    ours = param_groups(model, 0.05)
    decayed_here = {id(p) for group in ours if group["weight_decay"] for p in group["params"]}
    assert decayed_here == decayed_there
    assert sum(len(g["params"]) for g in ours) == len(list(model.parameters()))


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_the_share_of_the_learning_rate_timm_gives_it(name: str) -> None:
    model = meta(name)
    theirs = param_groups_layer_decay(model, 0.05, model.no_weight_decay(), layer_decay=0.75)
    there = {id(p): (g["lr_scale"], g["weight_decay"]) for g in theirs for p in g["params"]}
    ours = param_groups(model, 0.05, 0.75)
    here = {name: (g["lr_scale"], g["weight_decay"]) for g in ours for name in g["names"]}
    assert len(here) == len(there) == sum(len(g["params"]) for g in ours)
    for key, parameter in model.named_parameters():
        assert here[key] == pytest.approx(there[id(parameter)]), key
    assert here["head.weight" if "head.weight" in here else "head.fc.weight"] == (1.0, 0.05)
    # twelve blocks with the final norm beside the last, the stem below them
    assert min(scale for scale, _ in here.values()) == pytest.approx(0.75**13)


def test_layer_decay_of_a_frozen_model_leaves_the_head_at_full_rate() -> None:
    model = meta(NAMES[0]).requires_grad_(False)
    model.get_submodule("head").requires_grad_(True)
    groups = param_groups(model, 0.05, 0.5)
    assert [(g["names"], g["lr_scale"]) for g in groups] == [(["head.weight"], 1.0), (["head.bias"], 1.0)]


def test_layer_decay_needs_a_model_with_blocks_and_an_optimiser_something_to_train() -> None:
    with pytest.raises(ModelError, match=r"optim.layer_decay = 0.5 .* Linear does not; set optim.layer_decay=1"):
        build_optimizer(nn.Linear(2, 2), validate({"optim": {"layer_decay": 0.5}}))
    with pytest.raises(ModelError, match="nothing to train"):
        build_optimizer(nn.Linear(2, 2).requires_grad_(False), Recipe())


def test_trap_T19_weight_norm_gains_tokens_and_positions_do_not_decay() -> None:
    layer = torch.nn.utils.parametrizations.weight_norm(nn.Linear(4, 8))
    named = dict(layer.named_parameters())
    assert named["parametrizations.weight.original0"].shape == (8, 1)
    assert not decays("parametrizations.weight.original0", named["parametrizations.weight.original0"], set())
    assert decays("parametrizations.weight.original1", named["parametrizations.weight.original1"], set())
    gain = nn.Parameter(torch.ones(8, 1))
    assert not decays("weight_g", gain, set()) and decays("weight_v", gain, set())
    table = nn.Parameter(torch.zeros(1, 9, 4))
    assert not decays("positional_emb", table, set()) and not decays("x.cls_token", table, set())
    head = nn.Parameter(torch.zeros(3, 4))
    assert decays("head.weight", head, set()) and not decays("head.bias", head, set())
    assert not decays("head.weight", head, {"head.weight"}) and not decays("head.weight", head, {"head.*"})


def test_groups_keep_their_scale_of_the_learning_rate() -> None:
    optimizer = build_optimizer(nn.Linear(2, 2), Recipe())
    optimizer.param_groups[0]["lr_scale"] = 0.5
    set_learning_rate(optimizer, 0.1)
    assert [g["lr"] for g in optimizer.param_groups] == [0.05, 0.1]
