"""Normal noise as a function of a key and a position: the same on every device and in any batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def normals(keys: Tensor, count: int) -> Tensor:
    """float32 [K, count] standard normal numbers from keys int32 [K, 2].

    Integer hashing (exact everywhere) gives uniform numbers, Box and Muller's transform makes pairs of normal ones.
    """
    half = (count + 1) // 2
    at = torch.arange(half, dtype=torch.int32, device=keys.device)
    radius = (-2 * torch.log(_uniform(keys, at))).sqrt_()
    angle = _uniform(keys, at + half).mul_(2 * math.pi)
    return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], 1)[:, :count]


def _uniform(keys: Tensor, at: Tensor) -> Tensor:
    """float32 in the open interval (0, 1), [K, len(at)]."""
    bits = _mix(_mix(at * _signed(0x9E3779B9) + keys[:, :1]) ^ keys[:, 1:])
    return (_right(bits, 8).float() + 0.5) * (1 / (1 << 24))


def _mix(h: Tensor) -> Tensor:
    """The finaliser of MurmurHash3 on int32 that wraps."""
    h = (h ^ _right(h, 16)) * _signed(0x85EBCA6B)
    h = (h ^ _right(h, 13)) * _signed(0xC2B2AE35)
    return h ^ _right(h, 16)


def _right(h: Tensor, bits: int) -> Tensor:
    """Shift right, filling with zeros: torch's own shift of int32 copies the sign."""
    return (h >> bits) & ((1 << (32 - bits)) - 1)


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
