"""Color jitter, sharpening, equalisation, loss of colour and rotation, drawn as layers of operations.

Each follows torchvision's transform of that name (ColorJitter, RandomAdjustSharpness, RandomEqualize, RandomGrayscale,
RandomRotation) and comes after crop, flips and policy, in this order: timm and DeiT III put jitter after the policy
and grey after the jitter, Maevit sharpening and equalisation in between and rotation last.
"""

from __future__ import annotations

import numpy as np

from engine.data import randaugment as ra
from engine.data.streams import Purpose, Streams
from engine.recipe.schema import Augment


def draw_color(stream: Streams, n: int, augment: Augment) -> tuple[ra.Ints, ra.Floats] | None:
    """Operations and arguments [n, layers] for `n` images, NONE where a layer is not applied; None: nothing is on."""
    layers: list[tuple[ra.Ints, ra.Floats]] = []
    if augment.color_jitter or augment.color_jitter_hue:
        layers.append(_jitter(stream(Purpose.JITTER), n, augment))
    for purpose, prob, op, value in (
        (Purpose.SHARPNESS, augment.sharpness, ra.SHARPNESS, augment.sharpness_factor),
        (Purpose.EQUALIZE, augment.equalize, ra.EQUALIZE, 0.0),
        # Colour taken away altogether is grey.
        (Purpose.GRAYSCALE, augment.grayscale, ra.COLOR, 0.0),
    ):
        if prob:
            chosen = stream(purpose).random((n, 1)) < prob
            layers.append((np.where(chosen, op, ra.NONE), np.full((n, 1), value)))
    if augment.rotation:
        degrees = (2 * stream(Purpose.ROTATION).random((n, 1)) - 1) * augment.rotation
        layers.append((np.full((n, 1), ra.ROTATE), degrees))
    if not layers:
        return None
    return np.concatenate([op for op, _ in layers], 1), np.concatenate([arg for _, arg in layers], 1)


def _jitter(rng: np.random.Generator, n: int, augment: Augment) -> tuple[ra.Ints, ra.Floats]:
    applied, keys, uniform = rng.random((n, 1)), rng.random((n, 4)), rng.random((n, 4))
    low, high = 1 - augment.color_jitter, 1 + augment.color_jitter
    factors = low + (high - low) * uniform
    factors[:, 3] = (2 * uniform[:, 3] - 1) * augment.color_jitter_hue
    active = np.flatnonzero([augment.color_jitter] * 3 + [augment.color_jitter_hue])
    # Sorting random keys gives every order of the operations that are on the same chance.
    order = active[np.argsort(keys[:, active], 1)]
    op = np.array([ra.BRIGHTNESS, ra.CONTRAST, ra.COLOR, ra.HUE])[order]
    return np.where(applied < augment.color_jitter_prob, op, ra.NONE), np.take_along_axis(factors, order, 1)
