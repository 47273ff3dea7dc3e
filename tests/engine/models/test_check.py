"""Looking at models without building them: memory against what is really kept, and the process that answers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from engine.inspect.describe import describe, meta_copy
from engine.inspect.memory import estimate, footprint, saved_per_image
from engine.models.build import build
from engine.recipe import validate


def kept_for_backward(model: nn.Module, images: Tensor) -> int:
    """Bytes alive after a real forward pass because its graph holds them, by walking the graph itself."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    nodes, seen, storages = [model(images).sum().grad_fn], set(), {}
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        nodes += [following for following, _ in node.next_functions]
        for name in dir(node):
            if name.startswith("_saved_"):
                value = getattr(node, name)
                for tensor in value if isinstance(value, tuple | list) else (value,):
                    if isinstance(tensor, Tensor) and tensor.untyped_storage().data_ptr() not in own:
                        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    return sum(storages.values())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vit_tiny_patch16_224", {"embed_dim": 64, "depth": 3, "num_heads": 2, "patch_size": 4, "img_size": 32}),
        ("resnet10t", {}),
        ("swin_tiny_patch4_window7_224", {"embed_dim": 32, "depths": [1, 1, 1, 1], "img_size": 32}),
    ],
)
def test_the_estimate_is_what_a_real_forward_pass_keeps(name: str, options: dict[str, Any]) -> None:
    model = timm.create_model(name, num_classes=10, **options)
    real = kept_for_backward(model, torch.randn(5, 3, 32, 32)) - kept_for_backward(model, torch.randn(4, 3, 32, 32))
    # The fused kernels of CPU and GPU keep the normaliser of each row in rows of other lengths.
    assert saved_per_image(model, (3, 32, 32)) == pytest.approx(real, rel=0.02)


def test_a_frozen_model_keeps_next_to_nothing_and_the_optimiser_only_what_is_trained() -> None:
    tree = {"model": {"name": "vit_tiny_patch16_224"}, "train": {"scope": "head"}, "regularize": {"ema": 0.9}}
    head = validate(tree)
    model = build(head, channels=3, classes=10, img_size=224, device="meta").model
    found = footprint(model, (3, 224, 224))
    weights = 4 * (5_717_416 - 990 * 193)
    assert (found.weights, found.gradients) == (weights, 4 * 10 * 193)
    assert found.activations_per_image < 200_000 < saved_per_image(meta_copy(model).requires_grad_(True), (3, 224, 224))
    assert (estimate(found, head).optimizer, estimate(found, head).ema) == (2 * 4 * 10 * 193, weights)
    for optim, moments in (({"name": "sgd"}, 1), ({"name": "sgd", "momentum": 0.0}, 0)):
        other = estimate(found, validate({**tree, "optim": optim, "regularize": {}}))
        assert (other.optimizer, other.ema) == (moments * 4 * 10 * 193, 0)


def test_multiply_adds_of_the_tiny_imagenet_models() -> None:
    """The papers' figures at 384 px; ViT-L's and DeiT-B's there leave out a token each, which is counted here."""
    counted = {}
    for name in (
        "vit_large_patch16_384",
        "cait_s36_384",
        "deit_base_distilled_patch16_384",
        "swin_large_patch4_window12_384",
    ):
        recipe = validate({"model": {"name": name}})
        counted[name] = describe(
            build(recipe, channels=3, classes=200, img_size=384, device="meta").model, (3, 384, 384)
        ).macs

    def vit(tokens: int, depth: int, width: int, heads: int) -> int:
        """Patches, then 12 width^2 for the linears of each token and block, and 2 width for each pair of tokens."""
        embedding = 576 * 16 * 16 * 3 * width
        return embedding + depth * (tokens * 12 * width**2 + 2 * tokens**2 * width) + heads * width * 200

    assert counted["vit_large_patch16_384"] == vit(577, 24, 1024, 1)
    assert round(vit(576, 24, 1024, 1) / 1e9, 1) == 190.7
    assert counted["deit_base_distilled_patch16_384"] == vit(578, 12, 768, 2)
    assert round(vit(577, 12, 768, 2) / 1e9, 1) == 55.5
    assert round(counted["swin_large_patch4_window12_384"] / 1e9, 1) == 103.9
    assert counted["cait_s36_384"] / 1e9 == pytest.approx(48.0, abs=0.1)


def ask(*lines: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "engine.inspect"], input="\n".join(lines), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_process_answers_every_line_good_or_bad() -> None:
    def line(key: str, tree: dict[str, Any], classes: int = 1000, size: int = 224) -> str:
        return json.dumps({"id": key, "recipe": tree, "channels": 3, "classes": classes, "img_size": size})

    large = {"model": {"name": "vit_large_patch16_224"}}
    answers = ask(
        line("large", {**large, "optim": {"name": "sgd"}}),
        "not json",
        line("same", large),
        line("typo", {"model": {"nam": "x"}}),
        line("nan", {"model": {"name": "vit_large_patch16_224.nope"}}, 10),
        line("taught", {
            "model": {"name": "deit_tiny_distilled_patch16_224"},
            "distill": {"kind": "hard", "teacher": "regnety_160.deit_in1k"},
        }),
        line("gelu", {"model": {"name": "mlp_nope"}}),
        json.dumps({"id": "zero", "recipe": {}, "channels": 0, "classes": 10, "img_size": 8}),
        line("relu6", {"model": {"name": "resnet10t", "activation": "relu6"}}),
        line("file", {"model": {"name": "vit_tiny_patch16_224", "pretrained": True, "weights": "/nowhere.npz"}}),
        line("decay", {"model": {"name": "pit_ti_224"}, "optim": {"layer_decay": 0.5}}),
    )  # fmt: skip
    assert [a["id"] for a in answers] == [
        "large", None, "same", "typo", "nan", "taught", "gelu", "zero", "relu6", "file", "decay",
    ]  # fmt: skip
    large_answer, broken, same, typo, tag, taught, unknown, zero, relu6, file, decay = answers
    params = 304_326_632  # ViT-L/16 at 224 px with 1,000 classes, as in timm's table: 304.33 M
    assert large_answer["params"] == large_answer["trainable_params"] == params
    memory = large_answer["memory"]
    assert (memory["weights"], memory["gradients"], memory["optimizer"]) == (4 * params, 4 * params, 4 * params)
    assert same["memory"] == {**memory, "optimizer": 8 * params}
    assert taught["memory"]["teacher"] > 4 * 83_590_140
    for answer, sentence in (
        (broken, "not a question"),
        (typo, "unknown field model.nam; did you mean model.name?"),
        (tag, "has no tag nope"),
        (unknown, 'model.name = "mlp_nope" is not a timm model'),
        (zero, "channels = 0 is not a whole number above 0"),
        (relu6, 'model.activation = "relu6"'),
        (file, "there is no file /nowhere.npz"),
        (decay, "optim.layer_decay = 0.5 needs a model that says which block its parameters belong to"),
    ):
        assert sentence in answer["error"] and "\n" not in answer["error"] and set(answer) == {"id", "error"}
