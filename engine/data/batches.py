"""Batches for training and evaluation, from images that wait on the device or memory-mapped on the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import psutil
import torch
from torch import Tensor

from engine.data.apply import apply, normalize
from engine.data.draw import Table, at_epoch, draw
from engine.data.errors import DataError
from engine.data.pack import Joined, Split
from engine.data.resample import resize_and_crop, to_device
from engine.data.split import Indices, permutation
from engine.recipe.resolve import RESIDENT_SHARE
from engine.recipe.schema import Recipe

# On a GPU several steps are augmented together, so that starting kernels costs little; this bounds the memory it takes.
_CHUNK_BYTES = 512 << 20
_CHUNK_STEPS = 64

Statistics = Sequence[float]
Pair = tuple[Tensor, Tensor]


class TrainBatches:
    """Training images in random order, augmented; the same for the same recipe, whatever was drawn before."""

    def __init__(
        self, split: Split | Joined, indices: Indices | None, recipe: Recipe, *, mean: Statistics, std: Statistics,
        classes: int, device: torch.device,
    ) -> None:  # fmt: skip
        """`recipe` resolved; `indices` into `split`, None: all. Raises DataError: fewer images than a batch."""
        self.recipe, self.mean, self.std, self.classes, self.device = recipe, mean, std, classes, device
        self.batch, self.parts = recipe.train.batch_size, recipe.train.grad_accum_steps
        self._rows = _Rows(split, indices, recipe.data.tier == "resident", device)
        self.images = len(self._rows)
        self.steps_per_epoch = self.images // self.batch
        if not self.steps_per_epoch:
            raise DataError(
                f"train.batch_size = {self.batch} is more than the {self.images} training images; "
                f"set it to {self.images} or less"
            )
        assert isinstance(recipe.data.img_size, int)
        self.out_size = recipe.data.img_size
        self.in_size: tuple[int, int] = split.shape[:2]

    def epoch(self, epoch: int, start_step: int = 0) -> Iterator[Pair]:
        """Micro-batches of epoch `epoch` from optimiser step `start_step` (0-based inside the epoch) to its end.

        Each is (images float32 [M, C, S, S], targets), targets int64 [M] or, when the recipe mixes, float32 [M, K].
        What does not fill a last batch is left out; another part in every epoch.
        """
        order = self._order(epoch)
        steps = self._chunk_steps()
        starts = range(start_step, self.steps_per_epoch, steps)
        chunks = [(start, min(start + steps, self.steps_per_epoch)) for start in starts]
        size = self.batch // self.parts
        with self._rows.reading([order[a * self.batch : b * self.batch] for a, b in chunks]) as fetch:
            for first, last in chunks:
                table = Table.concatenate([self._draw(epoch, step) for step in range(first, last)])
                images, targets = apply(
                    *fetch(), table, mean=self.mean, std=self.std, out_size=self.out_size, classes=self.classes,
                    smoothing=self.recipe.regularize.label_smoothing,
                )  # fmt: skip
                for at in range(0, len(images), size):
                    yield images[at : at + size], targets[at : at + size]

    def _order(self, epoch: int) -> Indices:
        """Images of epoch `epoch`, batch after batch; a function of (seed, epoch) alone.

        With repeats the batches are those of timm's RepeatAugSampler (and DeiT's RASampler) over all its replicas:
        the first images of a random order, the copies of each in one batch. There the copies go to one GPU each; here
        they lie as far apart as the batch allows, so that few meet in a micro-batch or are mixed with each other.
        """
        order = permutation(self.recipe.train.seed, epoch, self.images)
        repeats = at_epoch(self.recipe.augment, epoch).repeats
        if repeats == 1:
            return order
        copies = np.arange(self.steps_per_epoch * self.batch).reshape(-1, self.batch)
        apart = np.argsort(copies % repeats, axis=1, kind="stable")
        return order[np.take_along_axis(copies, apart, 1).ravel() // repeats]

    def _draw(self, epoch: int, step: int) -> Table:
        return draw(
            self.recipe.augment, self.recipe.mix, seed=self.recipe.train.seed, epoch=epoch, step=step,
            batch=self.batch, parts=self.parts, in_size=self.in_size, out_size=self.out_size,
        )  # fmt: skip

    def _chunk_steps(self) -> int:
        if self.device.type != "cuda":
            return 1
        # The widest intermediate is float64, of the larger of the two sizes.
        side = max(self.out_size, *self.in_size)
        image = 8 * side * side * self._rows.channels
        return max(1, min(_CHUNK_STEPS, _CHUNK_BYTES // (image * self.batch)))


class EvalBatches:
    """Every image of a split (or of `indices`) exactly once, in order, resized and cropped as Pillow would."""

    def __init__(
        self, split: Split | Joined, indices: Indices | None, recipe: Recipe, *, mean: Statistics, std: Statistics,
        device: torch.device,
    ) -> None:  # fmt: skip
        """`recipe` is a resolved one. Raises DataError when there is no image."""
        assert isinstance(recipe.data.img_size, int) and isinstance(recipe.evaluate.crop_pct, float)
        self.mean, self.std, self.device = mean, std, device
        self.out_size = recipe.data.img_size
        self.resize = int(self.out_size / recipe.evaluate.crop_pct)
        self.cubic = recipe.evaluate.interpolation == "bicubic"
        self.batch = recipe.evaluate.batch_size
        self._resamples = split.shape[:2] != (self.out_size, self.out_size) or self.resize != self.out_size
        # What is resampled is kept at its new size, not at both.
        self._rows = _Rows(split, indices, recipe.data.tier == "resident" and not self._resamples, device)
        self.images = len(self._rows)
        if not self.images:
            raise DataError(f"split {split.name} has no image to evaluate on; add the dataset again with some")
        self._prepared: list[Pair] | None = None

    def batches(self) -> Iterator[Pair]:
        """(images float32 [B, C, S, S], labels int64 [B]) over the whole split; the last batch may be smaller."""
        if self._prepared is not None:
            for x, labels in self._prepared:
                yield normalize(x, self.mean, self.std), labels
            return
        keep: list[Pair] | None = [] if self._resamples and self._fits() else None
        starts = range(0, self.images, self.batch)
        with self._rows.reading([np.arange(s, min(s + self.batch, self.images)) for s in starts]) as fetch:
            for _ in starts:
                images, labels = fetch()
                x = resize_and_crop(images, self.resize, self.out_size, self.cubic)
                if keep is not None:
                    keep.append((x, labels))
                yield normalize(x, self.mean, self.std), labels
        self._prepared = keep

    def _fits(self) -> bool:
        """Whether the resized images, which are the same each time, may stay on the device."""
        need = self.images * self._rows.channels * self.out_size**2
        if self.device.type == "cuda":
            return bool(need <= RESIDENT_SHARE * torch.cuda.mem_get_info(self.device)[0])
        return bool(need <= RESIDENT_SHARE * psutil.virtual_memory().available)


class _Rows:
    """The chosen rows of a split as uint8 [n, H, W, C] and int64 [n] on the device, however they are stored."""

    def __init__(self, split: Split | Joined, indices: Indices | None, resident: bool, device: torch.device) -> None:
        self._split, self.device = split, device
        self._rows = np.arange(len(split)) if indices is None else np.asarray(indices, np.int64)
        self.channels = split.shape[2]
        self._resident: Pair | None = None
        if resident:
            images = torch.empty((len(self._rows), *split.shape), dtype=torch.uint8)
            split.take(self._rows, images.numpy())
            self._resident = images.to(device), torch.from_numpy(split.labels[self._rows]).to(device)

    def __len__(self) -> int:
        return len(self._rows)

    @contextmanager
    def reading(self, chunks: list[Indices]) -> Iterator[Callable[[], Pair]]:
        """A function that gives one chunk after the other; each chunk lists positions among the chosen rows."""
        queue = iter(chunks)
        if self._resident is not None:
            images, labels = self._resident

            def take() -> Pair:
                at = to_device(next(queue), self.device)
                return images.index_select(0, at), labels.index_select(0, at)

            yield take
            return
        stream = torch.cuda.Stream(self.device) if self.device.type == "cuda" else None  # type: ignore[no-untyped-call]
        with ThreadPoolExecutor(1) as reader:
            coming = [reader.submit(self._read, next(queue), stream)] if chunks else []

            def wait() -> Pair:
                pair = coming.pop().result()
                chunk = next(queue, None)
                if chunk is not None:
                    coming.append(reader.submit(self._read, chunk, stream))
                if stream is not None:
                    for tensor in pair:
                        tensor.record_stream(torch.cuda.current_stream(self.device))
                return pair

            yield wait

    def _read(self, chunk: Indices, stream: torch.cuda.Stream | None) -> Pair:
        """One chunk from the disk, in a thread of its own while the one before is used; to a GPU beside the rest."""
        rows = self._rows[chunk]
        images = torch.empty((len(rows), *self._split.shape), dtype=torch.uint8, pin_memory=stream is not None)
        self._split.take(rows, images.numpy())
        labels = torch.from_numpy(self._split.labels[rows])
        if stream is None:
            return images, labels
        with torch.cuda.stream(stream):
            pair = images.to(self.device, non_blocking=True), labels.pin_memory().to(self.device, non_blocking=True)
        # Whoever gets the pair may use it at once, on any stream, and the pinned memory can go.
        stream.synchronize()
        return pair
