"""Asking the engine what a model is like: one `python -m engine.inspect` answers any number of questions."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vitui.errors import VitError

COMMAND = (sys.executable, "-P", "-m", "engine.inspect")  # -P: a folder called engine where the user stands is not ours


@dataclass(frozen=True)
class Memory:
    """Bytes a training takes on its device, estimated; activations as in 32-bit arithmetic."""

    weights: int
    gradients: int
    optimizer: int
    ema: int
    activations_per_image: int
    teacher: int

    def total(self, micro_batch: int) -> int:
        """Bytes while a forward-backward pass of so many images runs."""
        fixed = self.weights + self.gradients + self.optimizer + self.ema + self.teacher
        return fixed + self.activations_per_image * micro_batch


@dataclass(frozen=True)
class Description:
    """A model: scalars it has and trains, multiply-adds of one image's forward pass, memory."""

    params: int
    trainable_params: int
    macs: int
    memory: Memory

    def as_json(self) -> dict[str, Any]:
        """What `description` reads."""
        return asdict(self)


@dataclass(frozen=True)
class Question:
    """Can this be built? `recipe` is the tree of a recipe, `key` whatever the answer is to be known by."""

    key: str
    recipe: Mapping[str, Any]
    channels: int
    classes: int
    img_size: int

    def line(self) -> str:
        return json.dumps({
            "id": self.key, "recipe": self.recipe,
            "channels": self.channels, "classes": self.classes, "img_size": self.img_size,
        })  # fmt: skip


Answer = Description | str
"""What the model is like, or the sentence that says why it cannot be built."""


Begun = Callable[[Callable[[], None]], object]
"""Is given what ends the process that was asked, for another thread: whoever waits for an answer gets an error."""


def ask(questions: Sequence[Question], begun: Begun | None = None) -> Iterator[tuple[str, Answer]]:
    """Key and answer of each question, as the engine gives them. Leaving early ends the process.

    Raises VitError when it ends without having answered everything: that is not a yes.
    """
    if not questions:
        return
    waiting = {question.key for question in questions}
    # Files rather than pipes: neither side ever waits for the other to read.
    with tempfile.TemporaryFile("w+") as asked, tempfile.TemporaryFile("w+", errors="replace") as errors:
        asked.writelines(f"{question.line()}\n" for question in questions)
        asked.seek(0)
        child = subprocess.Popen(COMMAND, stdin=asked, stdout=subprocess.PIPE, stderr=errors, text=True)
        if begun is not None:
            begun(child.kill)
        try:
            assert child.stdout is not None
            for line in child.stdout:
                if (found := _read(line)) is not None and found[0] in waiting:
                    waiting.remove(found[0])
                    yield found
            code = child.wait()
        finally:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
        if waiting:
            errors.seek(0)
            last = next((line.strip() for line in reversed(errors.readlines()) if line.strip()), "it said nothing")
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise VitError(f"the model could not be checked: `python -m engine.inspect` {how} ({last})")


def _read(line: str) -> tuple[str, Answer] | None:
    """One line of the process; None for one that is no answer, such as what a library prints."""
    try:
        answer = json.loads(line)
        if isinstance(answer.get("error"), str):
            return str(answer["id"]), answer["error"]
        return str(answer["id"]), description(answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def description(content: Any) -> Description:
    """From JSON. Raises KeyError, TypeError or ValueError where something is missing or is no whole number."""
    memory = Memory(**{name: _whole(content["memory"][name]) for name in Memory.__dataclass_fields__})
    return Description(_whole(content["params"]), _whole(content["trainable_params"]), _whole(content["macs"]), memory)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
