"""Losses and gradient norms of single steps, kept on the device and read without making it wait."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """One finished update. `skipped`: loss or gradient was not finite and the weights were left alone."""

    number: int
    loss: float
    grad_norm: float
    skipped: bool


class Meter:
    """A ring of `interval` steps on the device; `read` gives completed intervals, on a GPU one interval late.

    A host that asks a GPU for a number waits for all queued work. So each full interval is copied to pinned memory
    on the GPU's own time, and read when the next one is full and the copy has long arrived.
    """

    def __init__(self, device: torch.device, interval: int) -> None:
        self._interval = interval
        self._cuda = device.type == "cuda"
        self._ring = torch.zeros(3, interval, device=device)
        self._first = 0
        self._filled = 0
        self._waiting: tuple[int, int, Tensor, torch.cuda.Event | None] | None = None

    def add(self, number: int, loss: Tensor, grad_norm: Tensor, skipped: Tensor) -> None:
        """Record update `number` (1-based). All three are scalars on the device."""
        if self._filled == 0:
            self._first = number
        self._ring[:, self._filled] = torch.stack((loss.detach().float(), grad_norm.float(), skipped.float()))
        self._filled += 1

    @property
    def full(self) -> bool:
        return self._filled == self._interval

    def read(self, everything: bool = False) -> Iterator[Step]:
        """Steps whose values have arrived, in order. `everything`: wait for all of them (end of epoch, stop)."""
        earlier = self._waiting
        self._waiting = self._copy() if self._filled else None
        if earlier is not None:
            yield from _steps(earlier)
        if self._waiting is not None and (everything or not self._cuda):
            yield from _steps(self._waiting)
            self._waiting = None

    def _copy(self) -> tuple[int, int, Tensor, torch.cuda.Event | None]:
        first, count, self._filled = self._first, self._filled, 0
        if not self._cuda:
            return first, count, self._ring[:, :count].clone(), None
        host = torch.empty(3, count, pin_memory=True)
        host.copy_(self._ring[:, :count], non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        return first, count, host, event


def _steps(part: tuple[int, int, Tensor, torch.cuda.Event | None]) -> Iterator[Step]:
    first, count, values, event = part
    if event is not None:
        event.synchronize()
    losses, norms, skipped = values.tolist()
    for i in range(count):
        yield Step(first + i, losses[i], norms[i], bool(skipped[i]))


def rounded(value: float) -> float:
    """Seven significant digits: all that float32 has, and a third of the bytes of its repr."""
    return float(f"{value:.7g}") if math.isfinite(value) else value
