"""Images -> tokens for the compact transformers: strided patches, or convolutions with pooling."""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from engine.models.errors import ModelError

# Width of every convolution but the last (SHI-Labs, src/utils/tokenizer.py, in_planes).
INNER_WIDTH = 64


class Tokenizer(nn.Module):
    """[B, C, H, W] -> [B, N, embed_dim], row by row (SHI-Labs Compact-Transformers, src/utils/tokenizer.py).

    ``patch``: one convolution with bias, by default kernel = stride and no padding. ``conv``: `n_conv_layers` times
    convolution without bias, ReLU, max-pool 3 of stride 2 and padding 1; default stride max(1, kernel // 2 - 1),
    default padding max(1, kernel // 2). Kernels start Kaiming normal. Raises ModelError for a size it cannot take.
    """

    def __init__(
        self,
        img_size: tuple[int, int],
        in_chans: int,
        embed_dim: int,
        *,
        kind: str,
        kernel_size: int,
        stride: int | None = None,
        padding: int | None = None,
        n_conv_layers: int = 1,
    ) -> None:
        super().__init__()
        if kind == "patch":
            stride = kernel_size if stride is None else stride
            padding = padding or 0
            if n_conv_layers != 1:
                raise ModelError(f"a patch tokeniser has one convolution, not n_conv_layers = {n_conv_layers}")
            if any((side + 2 * padding - kernel_size) % stride for side in img_size):
                raise ModelError(f"images of {img_size[0]}x{img_size[1]} do not divide into patches of {kernel_size}")
        else:
            stride = max(1, kernel_size // 2 - 1) if stride is None else stride
            padding = max(1, kernel_size // 2) if padding is None else padding
        self.img_size = img_size
        self.grid_size = img_size
        widths = [in_chans, *[INNER_WIDTH] * (n_conv_layers - 1), embed_dim]
        layers = []
        for before, after in itertools.pairwise(widths):
            conv = nn.Conv2d(before, after, kernel_size, stride, padding, bias=kind == "patch")
            nn.init.kaiming_normal_(conv.weight)
            self.grid_size = _sides(self.grid_size, kernel_size, stride, padding)
            if kind == "patch":
                layers.append(nn.Sequential(conv))
            else:
                layers.append(nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(3, 2, 1)))
                self.grid_size = _sides(self.grid_size, 3, 2, 1)
            if min(self.grid_size) < 1:
                raise ModelError(f"images of {img_size[0]}x{img_size[1]} are too small for this tokeniser")
        self.conv_layers = nn.Sequential(*layers)
        self.num_patches = self.grid_size[0] * self.grid_size[1]

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> [B, N, embed_dim]. Raises ModelError for images of another size than built for."""
        if tuple(x.shape[-2:]) != self.img_size:
            raise ModelError(
                f"images of {x.shape[-2]}x{x.shape[-1]} for a model of {self.img_size[0]}x{self.img_size[1]}"
            )
        return self.conv_layers(x).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]


def _sides(size: tuple[int, int], kernel: int, stride: int, padding: int) -> tuple[int, int]:
    height, width = size
    return (height + 2 * padding - kernel) // stride + 1, (width + 2 * padding - kernel) // stride + 1
