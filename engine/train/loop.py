"""The training loop, to be read from top to bottom: epochs of steps, evaluations, checkpoints, and how each ends."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.data.batches import EvalBatches, TrainBatches
from engine.journal import Journal, RunDir
from engine.models.errors import ModelError
from engine.optim import build_optimizer, restore_optimizer, set_learning_rate
from engine.recipe.schema import Recipe
from engine.schedules import learning_rate, total_steps
from engine.train import checkpoint
from engine.train.checkpoint import Progress
from engine.train.device_use import device_use
from engine.train.distill import Distillation
from engine.train.ema import Ema
from engine.train.errors import CheckpointError
from engine.train.evaluate import Score, evaluate
from engine.train.guard import Guard
from engine.train.loss import loss_per_image
from engine.train.meter import Meter, rounded
from engine.train.stop import Diverged, StopFlag, Stopped
from engine.train.trained import set_training_mode, shortened, statistics, without_gradient


@dataclass(frozen=True)
class Splits:
    """Data of a run: what it trains on, what picks the best weights, what the result is reported on."""

    train: TrainBatches
    select: EvalBatches
    select_name: str
    report: EvalBatches
    report_name: str
    fingerprint: str
    """The packed dataset's: a checkpoint belongs to the data it was trained on."""


class Trainer:
    """Everything that changes while a run trains, and the loop over it."""

    def __init__(
        self, run: RunDir, recipe: Recipe, model: nn.Module, splits: Splits, journal: Journal,
        device: torch.device, stop: StopFlag, distillation: Distillation | None = None,
    ) -> None:  # fmt: skip
        """`recipe` resolved, `model` of any device. Raises RecipeError for a schedule that does not fit the run."""
        self.run, self.recipe, self.journal, self.stop, self.device = run, recipe, journal, stop, device
        self.splits, self.distillation = splits, distillation
        if distillation is not None:
            model.set_distilled_training(True)  # type: ignore[operator]
        self.model = model.to(device)
        self.ema = Ema(model, recipe.regularize.ema, recipe.regularize.ema_warmup) if recipe.regularize.ema else None
        self.optimizer = build_optimizer(model, recipe)
        self.scaler = torch.amp.GradScaler(
            device.type, init_scale=recipe.train.loss_scale, enabled=recipe.train.precision == "fp16"
        )
        self.meter = Meter(device, recipe.train.log_every)
        self.device_use = device_use(device)
        self.progress = Progress()
        self.steps_per_epoch = splits.train.steps_per_epoch
        self.total_steps = total_steps(recipe, self.steps_per_epoch)
        self.guard = Guard(recipe, splits.train.classes, self.scaler.is_enabled())
        self._saved_at = 0
        self._since = time.monotonic()
        self._interval = (time.monotonic(), 0)
        self._parameters = [p for p in self.model.parameters() if p.requires_grad]
        self._statistics = statistics(self.model)
        self._report_scores: dict[tuple[str, int], Score] = {}
        self._gradients_seen = False

    # -- a whole run ---------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Train from where `progress` stands to the end, evaluating and saving on the way.

        Raises Stopped (a checkpoint was written), Diverged (the last good checkpoint is intact) or OSError (the
        last checkpoint of all, without which there is no result, could not be written).
        """
        self._since = time.monotonic()
        try:
            self._evaluate_if_due()  # an earlier attempt may have been stopped between a step and its evaluation
            while self.progress.step < self.total_steps:
                self._epoch()
                self._pause_if_due()
        except Stopped as stopped:
            if not self.save():
                raise Stopped(
                    f"{stopped.reason}; its checkpoint could not be written, so it would go on from step "
                    f"{self._saved_at}"
                ) from None
            raise

    def _epoch(self) -> None:
        """From where `progress` stands to the end of the epoch, or of the run if that comes first."""
        accumulate, spe = self.recipe.train.grad_accum_steps, self.steps_per_epoch
        set_training_mode(self.model, self.recipe)
        self._interval = (time.monotonic(), self.progress.step)
        batches = self.splits.train.epoch(self.epoch_done, start_step=self.progress.step % spe)
        end = min((self.epoch_done + 1) * spe, self.total_steps)
        while self.progress.step < end:
            self._step(batches, accumulate)
            if self.meter.full:
                self._log()
            if self.stop:
                self._log(everything=True)
                raise Stopped(self.stop.reason)
            if self.progress.step < end:
                self._pause_if_due()
        self._log(everything=True)

    def _pause_if_due(self) -> None:
        """The evaluation and the checkpoint of this step. Neither draws a random number that a later step would see."""
        if not self._evaluation_due() and not self._saving_due():
            return
        self._log(everything=True)
        self._evaluate_if_due()
        if self._saving_due():
            self._save_good()
        self._interval = (time.monotonic(), self.progress.step)

    def _step(self, batches: Any, accumulate: int) -> None:
        """One optimiser update from `accumulate` micro-batches; skipped, on the device, when anything is not finite."""
        step = self.progress.step
        # Dropout and stochastic depth become a function of seed and step, so a resumed run draws what it would have.
        torch.manual_seed(self.recipe.train.seed * 1_000_003 + step)
        set_learning_rate(self.optimizer, learning_rate(self.recipe, step, self.steps_per_epoch))
        total = torch.zeros((), device=self.device)
        before = [buffer.clone() for buffer in self._statistics]
        for _ in range(accumulate):
            loss = self._loss(*next(batches)) / accumulate
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        if not self._gradients_seen:
            self._look_at_gradients()
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.get_total_norm([p.grad for p in self._parameters if p.grad is not None])
        if self.recipe.train.clip_grad:
            nn.utils.clip_grads_with_norm_(self._parameters, self.recipe.train.clip_grad, norm)
        skipped = ~(torch.isfinite(total) & torch.isfinite(norm))
        self._apply(skipped)
        for buffer, earlier in zip(self._statistics, before, strict=True):
            buffer.copy_(torch.where(skipped, earlier, buffer))
        self.optimizer.zero_grad(set_to_none=True)
        if self.ema is not None:
            self.ema.update(self.model, step, (~skipped).float())
        self.progress.step += 1
        self.meter.add(self.progress.step, total, norm, skipped)

    def _apply(self, skipped: Tensor) -> None:
        # The scaler's own step() looks for infinities only, and not at a norm or a loss that overflowed.
        if self.device.type == "cuda":
            # The fused kernels leave weights and state alone where found_inf is 1: no word to the host is needed.
            self.optimizer.found_inf = skipped.float()  # type: ignore[attr-defined]
            self.optimizer.step()
        elif not skipped:
            self.optimizer.step()
        if self.scaler.is_enabled():
            self.scaler.update()

    def _loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a micro-batch in nats; what the second head learns from the teacher is part of it."""
        with self.autocast():
            taught = self.distillation.taught(images) if self.distillation else None
            outputs = self.model(images)
        heads = outputs if isinstance(outputs, tuple | list) else (outputs,)
        if len(heads) != (1 if taught is None else 2):
            raise ModelError(
                f"{self.recipe.model.name} gives {len(heads)} outputs in training, but distill.kind = "
                f'"{self.recipe.distill.kind}" needs {1 if taught is None else 2}; use a model that fits it'
            )
        recipe = self.recipe
        base = loss_per_image(heads[0].float(), targets, recipe.train.loss, recipe.regularize.label_smoothing).mean()
        if self.distillation is None or taught is None:
            return base
        return self.distillation.combine(base, heads[1].float(), taught)

    def _look_at_gradients(self) -> None:
        """Once an attempt, after the first backward pass: raises ModelError for a classifier that learns nothing."""
        self._gradients_seen = True
        if missing := without_gradient(self.model):
            self.journal.event(
                "warning",
                message=f"{shortened(missing)}: trained, but the loss does not depend on it; it stays as it is",
            )

    # -- what is written down ------------------------------------------------------------------------------------

    def _log(self, everything: bool = False) -> None:
        steps = list(self.meter.read(everything))
        if not steps:
            return
        # Speed is of the steps done by now. On a GPU those whose values have come are fewer.
        now, done = time.monotonic(), self.progress.step
        since, from_step = self._interval
        last = steps[-1].number
        values: dict[str, Any] = {
            "train/loss": [rounded(s.loss) for s in steps],
            "train/grad_norm": [rounded(s.grad_norm) for s in steps],
            "train/lr": [rounded(learning_rate(self.recipe, s.number - 1, self.steps_per_epoch)) for s in steps],
        }
        if now > since and done > from_step:
            values["train/images_per_s"] = round((done - from_step) * self.recipe.train.batch_size / (now - since), 1)
        self._interval = (now, done)
        if self.device.type == "cuda":
            values["train/memory_gb"] = round(torch.cuda.max_memory_allocated() / 2**30, 3)
        values |= self.device_use.read()
        self.journal.event("metrics", step=last, epoch=self._epoch_at(last), values=values)
        for step in steps:
            if what := self.guard.count(step, self.progress):
                self.journal.event(
                    "nonfinite", step=step.number, epoch=self._epoch_at(step.number), what=what,
                    consecutive=self.progress.nonfinite,
                )  # fmt: skip
            if reason := self.guard.reason(step, self.progress):
                raise Diverged(reason)

    def _saving_due(self) -> bool:
        """Whether a regular checkpoint of this step is asked for, and has not been written."""
        step, rules = self.progress.step, self.recipe.train
        if step == self._saved_at:
            return False
        if rules.checkpoint_every_steps and step % rules.checkpoint_every_steps == 0:
            return True
        every = rules.checkpoint_every_epochs
        return bool(every) and step % self.steps_per_epoch == 0 and self.epoch_done % every == 0

    def _save_good(self) -> None:
        """The regular checkpoint."""
        if not self.guard.doubtful(self.progress):
            self.save()

    def save(self, best: bool = False, required: bool = False) -> bool:
        """Write checkpoints/last.pt (and best.pt).

        A full disk is a warning: False is returned, training goes on, old files are intact. If `required`, OSError.
        """
        self._tick()
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "ema": self.ema.module.state_dict() if self.ema else None,
            "data": self._data(),
        }
        try:
            checkpoint.save(self.run, state, self.progress, best)
        except OSError as error:
            self.journal.event(
                "warning", message=f"checkpoint at step {self.progress.step} could not be written: {error}"
            )
            if required:
                raise
            return False
        self._saved_at = self.progress.step
        written = self.progress.best if best else self.progress.last
        self.journal.event(
            "checkpoint", step=self.progress.step, epoch=self.epoch, best=best,
            path=self.run.last.relative_to(self.run.path).as_posix(),
            metric=written.get("metric"), value=written.get("value"),
        )  # fmt: skip
        self.journal.sync()
        return True

    def restore(self, content: dict[str, Any]) -> None:
        """Continue from a checkpoint. Raises CheckpointError when it belongs to another model or other data."""
        data = content.get("data", {})
        for name, now in self._data().items():
            if data.get(name, now) != now:
                raise CheckpointError(
                    f"the checkpoint was trained on other data or batches ({name} was {data[name]}, is {now}); "
                    "bring back what it was, or launch a new run"
                )
        try:
            self.model.load_state_dict(content["model"])
            if self.ema is not None:
                self.ema.module.load_state_dict(content["ema"])
            restore_optimizer(self.optimizer, content["optimizer"])
            if content["scaler"]:  # empty from a device where there was none: the fresh one finds its scale
                self.scaler.load_state_dict(content["scaler"])
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise CheckpointError(
                f"the checkpoint does not fit this recipe ({reason}); launch a new run for a changed recipe"
            ) from None
        self.progress = content["progress"]
        self._saved_at = self.progress.step

    # -- evaluation ----------------------------------------------------------------------------------------------

    @property
    def selecting_weights(self) -> str:
        """Which weights pick the best checkpoint and are exported: the average where there is one."""
        return "ema" if self.ema else "model"

    def _evaluation_due(self) -> bool:
        """Whether the weights as they are now are to be evaluated, and have not been."""
        step, rules = self.progress.step, self.recipe.evaluate
        if step == 0 or step == self.progress.last.get("step"):
            return False
        if step == self.total_steps:
            return True
        if rules.every_steps:
            return step % rules.every_steps == 0
        return step % self.steps_per_epoch == 0 and self.epoch_done % rules.every_epochs == 0

    def _evaluate_if_due(self) -> None:
        if not self._evaluation_due():
            return
        scores: dict[str, Score] = {}
        for weights, module in (("model", self.model), ("ema", self.ema.module if self.ema else None)):
            if module is not None:
                score = self._score(module, self.splits.select)
                scores[weights] = score
        for weights, score in scores.items():
            self._journal_eval(self.splits.select_name, weights, score, "select")
        score = scores[self.selecting_weights]
        self.progress.values = {k: rounded(v) for k, v in score.values.items()}
        self.progress.last = self._summary(score)
        before, final = self.progress.best, self.progress.step == self.total_steps
        finite = math.isfinite(score.values["loss"])
        if not finite:
            self.journal.event(
                "nonfinite", step=self.progress.step, epoch=self.epoch, what=f"{self.splits.select_name}/loss",
                consecutive=1,
            )  # fmt: skip
            if final and not before:
                raise Diverged(f"no evaluation on {self.splits.select_name} had a finite loss")
        better = not before or (_rank(self.progress.last) > _rank(before) and not self.guard.doubtful(self.progress))
        best = finite and better
        if best:
            self.progress.best = self.progress.last
        # A checkpoint that a stop wrote before this evaluation is written again, lest every attempt evaluate it anew.
        saving = best or final or self._saved_at == self.progress.step
        if saving and not self.save(best, required=final):
            self.progress.best = before  # best.pt still is that one

    def _score(self, module: nn.Module, data: EvalBatches) -> Score:
        score = evaluate(module, data.batches(), self.autocast, lambda: bool(self.stop), self.recipe.train.loss)
        if score is None:
            raise Stopped(self.stop.reason)
        return score

    def report(self) -> dict[str, dict[str, Any]]:
        """Score the best and the last checkpoint on the report split, once, and journal both. Leaves the best loaded.

        Raises Stopped if asked to stop in between, CheckpointError when one of them is gone or damaged.
        """
        out = {}
        for role, path in (("report-last", self.run.last), ("report-best", self.run.best)):
            try:
                content = checkpoint.load(path)
            except FileNotFoundError:
                raise CheckpointError(f"{path} is gone; resume the run, which makes it again") from None
            module = self.ema.module if self.ema else self.model
            module.load_state_dict(content["ema" if self.ema else "model"])
            at = content["progress"].step
            if (self.selecting_weights, at) not in self._report_scores:
                score = self._score(module, self.splits.report)
                self._report_scores[self.selecting_weights, at] = score
            score = self._report_scores[self.selecting_weights, at]
            self._journal_eval(self.splits.report_name, self.selecting_weights, score, role, at)
            out[role] = {k: rounded(v) for k, v in score.values.items()} | {"step": at}
        return out

    def _journal_eval(self, split: str, weights: str, score: Score, role: str, step: int | None = None) -> None:
        at = self.progress.step if step is None else step
        self.journal.event(
            "eval", step=at, epoch=self._epoch_at(at), split=split, weights=weights, images=score.images, role=role,
            values={k: rounded(v) for k, v in score.values.items()},
        )  # fmt: skip

    def _summary(self, score: Score) -> dict[str, Any]:
        return {
            "metric": "top1", "value": rounded(score.values["top1"]), "loss": rounded(score.values["loss"]),
            "step": self.progress.step, "epoch": self.epoch, "split": self.splits.select_name,
            "weights": self.selecting_weights,
        }  # fmt: skip

    # -- small facts ---------------------------------------------------------------------------------------------

    @property
    def epoch_done(self) -> int:
        """Whole epochs finished."""
        return self.progress.step // self.steps_per_epoch

    @property
    def epoch(self) -> float:
        """Epochs finished, with the fraction inside the current one."""
        return self._epoch_at(self.progress.step)

    def _epoch_at(self, step: int) -> float:
        return round(step / self.steps_per_epoch, 4)

    @property
    def autocast(self) -> Callable[[], AbstractContextManager[object]]:
        dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.recipe.train.precision)
        if dtype is None:
            return nullcontext
        return lambda: torch.autocast(self.device.type, dtype)

    def _data(self) -> dict[str, Any]:
        """What an attempt has to find as an earlier one left it, or the same steps would see other pixels."""
        train = self.splits.train
        return {
            "fingerprint": self.splits.fingerprint, "steps_per_epoch": self.steps_per_epoch,
            "mean": list(train.mean), "std": list(train.std),
        }  # fmt: skip

    def _tick(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._since
        self._since = now


def _rank(summary: dict[str, Any]) -> tuple[float, float]:
    """Order of evaluations: by accuracy, and by loss where that is equal, which on a small split it often is."""
    return float(summary["value"]), -float(summary["loss"])
