"""ViT-Lite, CVT and CCT (Hassani et al., "Escaping the Big Data Paradigm with Compact Transformers", 2021)."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
import torch.nn.functional as F
from timm.layers import Attention, DropPath, Mlp, resample_abs_pos_embed
from timm.models import checkpoint_seq
from torch import Tensor, nn

from engine.models.errors import ModelError
from engine.models.tokenizers import Tokenizer


class CompactBlock(nn.Module):
    """One encoder block on [B, N, dim] (SHI-Labs, src/utils/transformers.py, TransformerEncoderLayer).

    No pre-norm block: the second norm lies on the residual stream itself. With A attention, M the MLP:
    ``x = x + A(norm1(x)); x = norm2(x); x = x + M(x)``. qkv has no bias.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float,
        *,
        proj_drop: float = 0.0,
        mlp_drop: float = 0.0,
        attn_drop: float = 0.0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, num_heads=num_heads, qkv_bias=False, attn_drop=attn_drop, proj_drop=proj_drop)
        self.drop_path1 = DropPath(drop_path) if drop_path else nn.Identity()
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, int(dim * mlp_ratio), drop=mlp_drop)
        self.drop_path2 = DropPath(drop_path) if drop_path else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, dim] -> [B, N, dim]."""
        x = self.norm2(x + self.drop_path1(self.attn(self.norm1(x))))
        return x + self.drop_path2(self.mlp(x))  # type: ignore[no-any-return]


class CompactTransformer(nn.Module):
    """ViT-Lite (patches, class token), CVT (patches, sequence pooling) or CCT (convolutions, sequence pooling).

    Structure and initial weights are SHI-Labs' (src/cct.py, cvt.py, vit.py, utils/). Every rate defaults to 0 as in
    timm; SHI-Labs' own defaults are attn_drop_rate = 0.1 and drop_path_rate = 0.1.

    Arguments beyond timm's: `tokenizer` ("conv" or "patch") with `kernel_size`, `stride`, `padding`, `n_conv_layers`;
    `global_pool` "seq" (weights from a linear layer, softmax over tokens) or "token"; `positional_embedding`
    "learnable", "sine" (fixed) or "none"; `drop_path_shape` "linear" from 0 at the first block, or "constant" (Maevit,
    py/TEncoder.py); `mlp_drop_rate` for MLPs alone where it differs from `proj_drop_rate` (Maevit: 0 and 0.1);
    `pos_drop_rate` after the positions. Raises ModelError for sizes and kinds that do not exist.
    """

    def __init__(
        self,
        img_size: int | tuple[int, int] = 32,
        in_chans: int = 3,
        num_classes: int = 10,
        *,
        global_pool: str = "seq",
        tokenizer: str = "conv",
        kernel_size: int = 3,
        stride: int | None = None,
        padding: int | None = None,
        n_conv_layers: int = 1,
        positional_embedding: str = "learnable",
        embed_dim: int = 256,
        depth: int = 7,
        num_heads: int = 4,
        mlp_ratio: float = 2.0,
        drop_rate: float = 0.0,
        pos_drop_rate: float = 0.0,
        proj_drop_rate: float = 0.0,
        mlp_drop_rate: float | None = None,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        drop_path_shape: str = "linear",
    ) -> None:
        super().__init__()
        _one_of("global_pool", global_pool, ("seq", "token"))
        _one_of("tokenizer", tokenizer, ("conv", "patch"))
        _one_of("positional_embedding", positional_embedding, ("learnable", "sine", "none"))
        _one_of("drop_path_shape", drop_path_shape, ("linear", "constant"))
        if embed_dim % num_heads:
            raise ModelError(f"embed_dim = {embed_dim} is not a multiple of num_heads = {num_heads}")
        self.num_classes = num_classes
        self.in_chans = in_chans
        self.global_pool = global_pool
        self.positional_embedding = positional_embedding
        self.num_features = self.head_hidden_size = self.embed_dim = embed_dim
        self.num_prefix_tokens = int(global_pool == "token")
        self.grad_checkpointing = False

        height, width = (img_size, img_size) if isinstance(img_size, int) else img_size
        self.tokenizer = Tokenizer(
            (height, width), in_chans, embed_dim,
            kind=tokenizer, kernel_size=kernel_size, stride=stride, padding=padding, n_conv_layers=n_conv_layers,
        )  # fmt: skip
        tokens = self.tokenizer.num_patches + self.num_prefix_tokens
        self.class_emb = nn.Parameter(torch.zeros(1, 1, embed_dim)) if global_pool == "token" else None
        self.positional_emb: Tensor | None
        if positional_embedding == "learnable":
            self.positional_emb = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, tokens, embed_dim), std=0.2))
        else:
            # Made from the size alone, so it is no part of the weights and nothing can train it.
            table = sine_table(tokens, embed_dim) if positional_embedding == "sine" else None
            self.register_buffer("positional_emb", table, persistent=False)
        self.pos_drop = nn.Dropout(pos_drop_rate)
        self.blocks = nn.Sequential(
            *[
                CompactBlock(
                    embed_dim, num_heads, mlp_ratio,
                    proj_drop=proj_drop_rate,
                    mlp_drop=proj_drop_rate if mlp_drop_rate is None else mlp_drop_rate,
                    attn_drop=attn_drop_rate,
                    drop_path=drop_path_rate * (1 if drop_path_shape == "constant" else i / max(1, depth - 1)),
                )
                for i in range(depth)
            ]
        )  # fmt: skip
        self.norm = nn.LayerNorm(embed_dim)
        self.attention_pool = nn.Linear(embed_dim, 1) if global_pool == "seq" else None
        self.head_drop = nn.Dropout(drop_rate)
        self.head = self._classifier()
        self.apply(_init_linear)

    def _classifier(self) -> nn.Module:
        return nn.Linear(self.embed_dim, self.num_classes) if self.num_classes else nn.Identity()

    def forward_features(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> normalised tokens [B, N, embed_dim], the class token first if there is one."""
        x = self.tokenizer(x)
        if self.class_emb is not None:
            x = torch.cat((self.class_emb.expand(x.shape[0], -1, -1), x), dim=1)
        if self.positional_emb is not None:
            x = x + self.positional_emb
        x = self.pos_drop(x)
        x = checkpoint_seq(self.blocks, x) if self.grad_checkpointing else self.blocks(x)
        return self.norm(x)  # type: ignore[no-any-return]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Tokens [B, N, embed_dim] -> logits [B, num_classes]; with `pre_logits` the pooled features instead."""
        if self.attention_pool is None:
            x = x[:, 0]
        else:
            weights = F.softmax(self.attention_pool(x), dim=1)
            x = (weights.transpose(1, 2) @ x).squeeze(1)
        x = self.head_drop(x)
        return x if pre_logits else self.head(x)

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> logits [B, num_classes]."""
        return self.forward_head(self.forward_features(x))

    def get_classifier(self) -> nn.Module:
        """The last linear layer."""
        return self.head

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """A new last layer with fresh weights; 0 classes: none. Raises ModelError for another kind of pooling."""
        if global_pool not in (None, self.global_pool):
            raise ModelError(f'global_pool = "{global_pool}": this model was built with "{self.global_pool}"')
        like = self.norm.weight
        self.num_classes = num_classes
        self.head = self._classifier().to(like.device, like.dtype)
        self.head.apply(_init_linear)

    def no_weight_decay(self) -> set[str]:
        """Parameters timm's rule by dimensions would decay although they are no weight matrices."""
        return {"positional_emb", "class_emb"}

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns that sort parameters into stem, blocks and what follows them, for layer decay."""
        return {
            "stem": r"^tokenizer|positional_emb|class_emb",
            "blocks": [(r"^blocks\.(\d+)", None), (r"^norm|^attention_pool", (99999,))],
        }

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Compute blocks again in the backward pass instead of keeping their activations."""
        self.grad_checkpointing = enable


def sine_table(tokens: int, dim: int) -> Tensor:
    """[1, tokens, dim]: sine (even channels i) or cosine (odd) of p / 10000^(2 floor(i/2) / dim) at position p."""
    channel = torch.arange(dim)
    angle = torch.arange(tokens, dtype=torch.float64)[:, None] / 10000 ** (2 * (channel // 2).double() / dim)
    return torch.where(channel % 2 == 0, angle.sin(), angle.cos()).float()[None]


def checkpoint_filter_fn(state_dict: dict[str, Any], model: CompactTransformer) -> dict[str, Tensor]:
    """Weights of this model at another image size, or SHI-Labs' own checkpoints, as `model` names and shapes them.

    Learned positions are resampled bilinearly without antialiasing (SHI-Labs, src/utils/helpers.py, pe_check). A sine
    table in the file is dropped if it is one. Raises ModelError if it is not, or if positions form no square grid.
    """
    for key in ("state_dict", "model"):
        state_dict = state_dict.get(key, state_dict)
    state: dict[str, Tensor] = {_own_name(key): value for key, value in state_dict.items()}
    table = state.get("positional_emb")
    if table is None:
        return state
    if model.positional_embedding == "sine":
        expected = sine_table(table.shape[1], table.shape[2])
        if not torch.allclose(table.to("cpu", torch.float32), expected, atol=1e-2):
            raise ModelError("these weights hold learned positions; use the model's name without _sine")
        del state["positional_emb"]
    elif model.positional_emb is not None and table.shape[1] != model.positional_emb.shape[1]:
        prefix = model.num_prefix_tokens
        side = math.isqrt(table.shape[1] - prefix)
        if side * side != table.shape[1] - prefix:
            raise ModelError(f"positions of {table.shape[1] - prefix} tokens form no square grid to be resampled")
        state["positional_emb"] = resample_abs_pos_embed(
            table,
            new_size=list(model.tokenizer.grid_size),
            old_size=[side, side],
            num_prefix_tokens=prefix,
            interpolation="bilinear",
            antialias=False,
        )
    return state


_SHI_NAMES = (
    (r"^classifier\.fc\.", "head."),
    (r"^classifier\.", ""),
    (r"^(blocks\.\d+)\.norm1\.", r"\1.norm2."),
    (r"^(blocks\.\d+)\.pre_norm\.", r"\1.norm1."),
    (r"^(blocks\.\d+)\.self_attn\.", r"\1.attn."),
    (r"^(blocks\.\d+)\.linear([12])\.", r"\1.mlp.fc\2."),
)


def _own_name(key: str) -> str:
    if key.startswith("classifier."):
        for pattern, name in _SHI_NAMES:
            key = re.sub(pattern, name, key)
    return key


def _init_linear(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _one_of(argument: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ModelError(f'{argument} = "{value}" is none of {", ".join(allowed)}')
