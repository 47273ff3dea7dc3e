"""From a run directory to a finished run: everything around the loop, in the order it happens."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import socket
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import journal as journal_module
from engine.data.errors import DataError
from engine.errors import ModelError
from engine.journal import Journal, RunDir, atomic_write
from engine.recipe.compose import validate
from engine.recipe.errors import RecipeError
from engine.recipe.resolve import Facts, resolve
from engine.recipe.schema import Recipe, flatten
from engine.train.errors import CheckpointError
from engine.train.stop import Diverged, StopFlag, Stopped

if TYPE_CHECKING:
    import torch

    from engine.data.pack import PackedDataset
    from engine.train.distill import Distillation
    from engine.train.loop import Splits, Trainer


@dataclass
class Session:
    """One attempt at one run."""

    run: RunDir
    attempt: int
    device_name: str
    data_root: Path
    stop: StopFlag = field(default_factory=StopFlag)

    def execute(self) -> int:
        """Run the attempt to its end and return the process's exit code. Every end is journalled."""
        self.stop.install()
        self.trainer: Trainer | None = None
        try:
            self.run.checkpoints.mkdir(exist_ok=True)
            self._earlier = _last_event(self.run)
            self.journal = Journal(self.run.journal, self.attempt)
        except OSError as error:
            _say(f"{_sentence(error)}; {self._remedy(error)}")
            return journal_module.EXIT_FAILED
        self.journal.event(
            "started", argv=sys.argv, pid=os.getpid(), host=socket.gethostname(), device=self.device_name,
            engine_version=version("vitui"), python=platform.python_version(),
        )  # fmt: skip
        try:
            return self._run()
        except Stopped as stopped:
            self._end("stopped", reason=stopped.reason)
            return journal_module.EXIT_STOPPED
        except Diverged as diverged:
            self._end("diverged", reason=str(diverged), best=self.trainer.progress.best if self.trainer else {})
            return journal_module.EXIT_DIVERGED
        except (RecipeError, DataError, ModelError) as error:
            self._end("failed", error=str(error), remedy="")
            _say(str(error))
            return journal_module.EXIT_BAD_INPUT
        except CheckpointError as error:
            self._end("failed", error=str(error), remedy="")
            _say(str(error))
            return journal_module.EXIT_FAILED
        except Exception as error:
            remedy = self._remedy(error)
            self._end("failed", error=_sentence(error), remedy=remedy or "the whole error is in console.log")
            if not remedy:
                raise
            _say(f"{_sentence(error)}; {remedy}")
            return journal_module.EXIT_FAILED
        finally:
            self.journal.close()

    def _run(self) -> int:
        self._phase("reading")
        recipe = _read_recipe(self.run)
        if recipe.train.deterministic:
            # cuBLAS reads it once, when the first product is computed.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        dataset = self._dataset(recipe)
        self._phase("importing")
        import torch

        from engine.train.loop import Trainer

        device = _device(self.device_name)
        self._phase("building")
        state = self._checkpoint()
        recipe, model, arguments = self._model(recipe, dataset, device, fetch=state is None)
        if state is not None:
            self._warn_of_changes(recipe)
        atomic_write(self.run.resolved, _toml(recipe))
        torch.use_deterministic_algorithms(recipe.train.deterministic)
        if device.type == "cuda":
            torch.backends.cudnn.benchmark = not recipe.train.deterministic
            torch.set_float32_matmul_precision("high")
        splits = self._splits(recipe, dataset, model, device)
        distillation = self._distillation(recipe, dataset, device)
        trainer = self.trainer = Trainer(self.run, recipe, model, splits, self.journal, device, self.stop, distillation)
        self._resume(trainer, state)
        del state  # as large as the model and its moments, for as long as the run trains
        self._phase("training")
        trainer.train()
        self._phase("evaluating")
        reported = trainer.report()
        self._phase("exporting")
        self._export(trainer, recipe, dataset, arguments)
        best = {**trainer.progress.best, "selected_on": splits.select_name, "report": reported["report-best"]}
        last = {**trainer.progress.last, "report": reported["report-last"]}
        self._end("finished", seconds=round(trainer.progress.seconds, 3), best=best, last=last)
        return journal_module.EXIT_FINISHED

    def _dataset(self, recipe: Recipe) -> PackedDataset:
        from engine.data.pack import PackedDataset
        from engine.data.sources import pack_embedded
        from engine.recipe import datasets

        folder = self.data_root / recipe.data.dataset
        spec = datasets.known().get(recipe.data.dataset)
        if spec is not None and spec.embedded and not (folder / "manifest.json").exists():
            self._phase("packing")
            pack_embedded(recipe.data.dataset, self.data_root)
        return PackedDataset.open(folder)

    def _model(
        self, recipe: Recipe, dataset: PackedDataset, device: torch.device, fetch: bool
    ) -> tuple[Recipe, torch.nn.Module, dict[str, Any]]:
        """Build the model and decide every "auto"; the build itself needs the image size, the rest needs the model.

        Pretrained weights are read only if `fetch`: a resumed run must not need a file or network for what its
        checkpoint replaces.
        """
        import psutil
        import torch

        from engine.data.roles import train_bytes
        from engine.inspect.describe import describe
        from engine.models.build import build

        facts = Facts(
            image_size=min(dataset.size),
            train_bytes=train_bytes(recipe, dataset),
            splits=tuple(dataset.splits),
            device=device.type,
            bf16=device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False),
            free_memory=torch.cuda.mem_get_info()[0] if device.type == "cuda" else psutil.virtual_memory().available,
            cores=len(os.sched_getaffinity(0)),
        )
        size = resolve(recipe, facts).data.img_size
        assert isinstance(size, int)
        built = build(recipe, channels=dataset.channels, classes=len(dataset.classes), img_size=size, fetch=fetch)
        model = built.model
        cfg: dict[str, Any] = getattr(model, "pretrained_cfg", None) or {}
        counted = describe(model, (dataset.channels, size, size))
        facts = Facts(
            **{**vars(facts), "macs": counted.macs, "weights_crop_pct": cfg.get("crop_pct"),
               "weights_interpolation": cfg.get("interpolation")}
        )  # fmt: skip
        recipe = resolve(recipe, facts)
        assert isinstance(recipe.train.threads, int)
        if device.type == "cpu":
            torch.set_num_threads(recipe.train.threads)
        self.journal.event(
            "model", name=recipe.model.name, params=counted.params, trainable_params=counted.trainable_params,
            macs=counted.macs, input_size=[dataset.channels, size, size], pretrained=recipe.model.pretrained,
            random=built.random,
        )  # fmt: skip
        return recipe, model, built.arguments

    def _distillation(self, recipe: Recipe, dataset: PackedDataset, device: torch.device) -> Distillation | None:
        """The teacher, ready to be asked; the normalisation must be known by now."""
        if recipe.distill.kind == "none":
            return None
        from engine.models.teacher import build_teacher, logits
        from engine.train.distill import Distillation

        size = recipe.data.img_size
        assert isinstance(size, int)
        teacher = build_teacher(recipe, channels=dataset.channels, classes=len(dataset.classes), img_size=size)
        teacher.module.to(device)
        # A teacher from the hub says nothing of its classes.
        if other := [pair for pair in zip(teacher.classes, dataset.classes, strict=False) if pair[0] != pair[1]]:
            theirs, ours = other[0]
            self.journal.event(
                "warning",
                message=f"distill.teacher: {len(other)} of its classes have other names than the dataset's, "
                f'first "{theirs}" for "{ours}"; it teaches them as if they were the same',
            )
        mean, std = self._normalization
        return Distillation(recipe.distill, lambda images: logits(teacher, images, mean, std))

    def _splits(self, recipe: Recipe, dataset: PackedDataset, model: torch.nn.Module, device: torch.device) -> Splits:
        from engine.data.batches import EvalBatches, TrainBatches
        from engine.data.normalize import mean_std
        from engine.data.roles import assign
        from engine.schedules import total_steps
        from engine.train.loop import Splits

        cfg: dict[str, Any] = getattr(model, "pretrained_cfg", None) or {}
        mean, std = mean_std(recipe.data.normalize, dataset, cfg)
        self._normalization = (mean, std)
        roles = assign(recipe, dataset, self.data_root)
        for message in roles.warnings:
            self.journal.event("warning", message=message)
        batches = TrainBatches(
            roles.train.images,
            roles.train.rows,
            recipe,
            mean=mean,
            std=std,
            classes=len(dataset.classes),
            device=device,
        )
        report = EvalBatches(roles.report.images, None, recipe, mean=mean, std=std, device=device)
        select = report
        if roles.select is not roles.report:
            select = EvalBatches(roles.select.images, roles.select.rows, recipe, mean=mean, std=std, device=device)
        steps = total_steps(recipe, batches.steps_per_epoch)
        epochs = steps / batches.steps_per_epoch if recipe.train.steps else recipe.train.epochs
        self.journal.event(
            "data", dataset=dataset.name, fingerprint=dataset.fingerprint, classes=len(dataset.classes),
            train_images=len(roles.train), select_split=roles.select.name, select_images=select.images,
            report_split=roles.report.name, report_images=report.images, steps_per_epoch=batches.steps_per_epoch,
            total_steps=steps, total_epochs=epochs,
            batch_size=recipe.train.batch_size, micro_batch=recipe.micro_batch, tier=recipe.data.tier, mean=list(mean),
            std=list(std),
        )  # fmt: skip
        return Splits(batches, select, roles.select.name, report, roles.report.name, dataset.fingerprint)

    def _checkpoint(self) -> dict[str, Any] | None:
        """The state earlier attempts left behind; None where there is none, or none that is whole."""
        from engine.train.checkpoint import recover

        content, problems = recover(self.run)
        for problem in problems:
            self.journal.event("warning", message=problem)
        return content

    def _warn_of_changes(self, recipe: Recipe) -> None:
        """Say so when "auto" is decided otherwise than before, as on another machine: curves may have a kink there."""
        try:
            before = flatten(journal_module.read_toml(self.run.resolved))
        except (OSError, ValueError):
            return
        now = recipe.flat()
        now.pop("data.tier", None)  # where images wait changes nothing
        changed = [f"{key} was {before[key]}, is {now[key]}" for key in now if before.get(key, now[key]) != now[key]]
        if changed:
            self.journal.event("warning", message=f"this attempt computes otherwise than before: {'; '.join(changed)}")

    def _resume(self, trainer: Trainer, content: dict[str, Any] | None) -> None:
        if content is not None:
            trainer.restore(content)
            self.journal.event("resumed", step=trainer.progress.step, epoch=trainer.epoch, path=content["path"])
        elif self.attempt > 1 or self._earlier is not None:
            self.journal.event("resumed", step=0, epoch=0.0, path="")
        if self._earlier is not None and self._earlier["kind"] == "diverged":
            self.journal.event(
                "warning", message="this run diverged before and the same steps follow, so expect it to diverge again; "
                "to try something else, launch a new run, for example with a lower optim.lr",
            )  # fmt: skip

    def _export(self, trainer: Trainer, recipe: Recipe, dataset: PackedDataset, arguments: dict[str, Any]) -> None:
        from engine.train.export import export_model

        mean, std = self._normalization
        size = recipe.data.img_size
        cfg = {
            "input_size": [dataset.channels, size, size], "num_classes": len(dataset.classes), "mean": list(mean),
            "std": list(std), "crop_pct": recipe.evaluate.crop_pct, "interpolation": recipe.evaluate.interpolation,
        }  # fmt: skip
        module = trainer.ema.module if trainer.ema else trainer.model
        export_model(
            self.run, module, recipe.model, {**arguments, "in_chans": dataset.channels}, cfg, list(dataset.classes)
        )

    def _phase(self, name: str) -> None:
        self.journal.event("phase", name=name)
        if self.stop:
            raise Stopped(self.stop.reason)

    def _end(self, kind: str, **fields: Any) -> None:
        step = self.trainer.progress.step if self.trainer else 0
        epoch = self.trainer.epoch if self.trainer else 0.0
        self.journal.event(kind, step=step, epoch=epoch, **fields)
        self.journal.sync()

    def _remedy(self, error: Exception) -> str:
        """What helps against an error that is not this program's fault; "" where it may be."""
        if type(error).__name__ == "OutOfMemoryError":
            return "double train.grad_accum_steps: the effective batch stays the same and memory halves"
        if isinstance(error, MemoryError):
            return "give it a machine with more memory, or set data.tier=packed"
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"free space on the disk of {self.run.path}, then resume"
        if isinstance(error, OSError) and error.filename is not None:
            return "see to that path, then resume"
        return ""


def _last_event(run: RunDir) -> dict[str, Any] | None:
    """The last whole event among the last 64 KiB of a journal; None where there is none."""
    try:
        size = run.journal.stat().st_size
    except FileNotFoundError:
        return None
    events = journal_module.read(run.journal, max(0, size - (64 << 10))).events
    return events[-1] if events else None


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the console may be on a full disk
        print(f"engine: {text}", file=sys.stderr)


def _read_recipe(run: RunDir) -> Recipe:
    try:
        return validate(journal_module.read_toml(run.recipe))
    except OSError as error:
        raise RecipeError(f"{run.recipe} cannot be read: {error.strerror}") from None
    except RecipeError:
        raise
    except ValueError as error:  # TOML syntax
        raise RecipeError(f"{run.recipe} is not valid TOML: {error}") from None


def _toml(recipe: Recipe) -> bytes:
    import tomli_w

    return tomli_w.dumps(recipe.model_dump(mode="json")).encode()


def _device(name: str) -> torch.device:
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise RecipeError("--device cuda was asked for but this process sees no usable GPU; use --device cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _sentence(error: Exception) -> str:
    """The first line of an error, without Python's names where it is the system that speaks."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
