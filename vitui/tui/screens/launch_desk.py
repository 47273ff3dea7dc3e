"""The desk of the Launch screen: a thread that changes the draft and works out what it makes. Pictures come back.

Working out a draft reads presets, data and past runs, some 10 to 40 ms: too long for a key to wait for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from vitui.errors import VitError

if TYPE_CHECKING:
    from engine.recipe import Preset, Recipe
    from vitui.composition import Composed
    from vitui.drafts import Draft
    from vitui.drafts.estimate import Estimate
    from vitui.drafts.preview import Preview
    from vitui.drafts.shelf import PresetEntry
    from vitui.lab import Lab
    from vitui.store import Run
    from vitui.supervisor.devices import Device

Edit = Callable[["Draft | None", "Preset | None"], "Draft | None"]
"""A change of the draft; it is given the preset that the draft stands on, None where there is none."""

HISTORY = 100
"""Changes that can be taken back."""


@dataclass(frozen=True)
class Sheet:
    """Everything the screen shows of one draft. `number` counts the drafts: an answer to an older one is dropped."""

    number: int
    draft: Draft | None
    preview: Preview | None = None
    refusal: str = ""
    """Why a launch cannot work here; empty when nothing is known against it."""
    estimate: Estimate | None = None
    repeats: tuple[Run, ...] = ()
    """Runs that wait, train or have finished with the same recipe and seed."""
    devices: tuple[Device, ...] = ()
    undoable: bool = False


class Shown(Message, bubble=False):
    """What the newest draft makes."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__()
        self.sheet = sheet

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Shown)


class Listed(Message, bubble=False):
    """The presets there are, or why they cannot be listed."""

    def __init__(self, entries: list[PresetEntry], problem: str = "") -> None:
        super().__init__()
        self.entries, self.problem = entries, problem


class Refused(Message, bubble=False):
    """What was asked for cannot be done."""

    def __init__(self, problem: str) -> None:
        super().__init__()
        self.problem = problem


class Asking:
    """A question to the engine about the model of a recipe. Seconds; whoever does not want the answer cancels it."""

    def __init__(self, composed: Composed) -> None:
        self._composed = composed
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._cancelled = False

    @property
    def recipe(self) -> Recipe:
        return self._composed.recipe

    def cancel(self) -> None:
        """Do without the answer: the engine's process is ended, or never started. From any thread."""
        with self._lock:
            self._cancelled, end = True, self._end
        if end is not None:
            end()

    def _begun(self, end: Callable[[], None]) -> None:
        with self._lock:
            self._end = end
        if self._cancelled:
            end()

    def ask(self, lab: Lab, post: Callable[[Message], object]) -> None:
        """Ask, in a thread; the answer is posted as `Described`, unless nobody wants it any more."""
        from vitui.drafts.estimate import describe_later

        problem = ""
        if self._cancelled:
            return
        try:
            describe_later(lab, self._composed, self._begun)
        except VitError as error:
            problem = str(error)
        except Exception as error:  # a fault of the engine is a sentence in the form
            problem = f"{type(error).__name__}: {error}"
        if not self._cancelled:
            post(Described(self, problem))


class Described(Message, bubble=False):
    """The engine has looked at the model of a recipe; `problem`: why it cannot be built or looked at."""

    def __init__(self, asking: Asking, problem: str) -> None:
        super().__init__()
        self.asking, self.problem = asking, problem


class Launched(Message, bubble=False):
    """Runs are queued, or why they are not."""

    def __init__(self, run_ids: Sequence[str], problem: str = "") -> None:
        super().__init__()
        self.run_ids, self.problem = tuple(run_ids), problem


@dataclass
class Desk:
    """Takes edits at once and carries them out one after the other in a thread of its own; only the last is shown."""

    lab: Lab
    post: Callable[[Message], object]
    draft: Draft | None = None
    """The newest draft; of the thread, others only read it."""
    _edits: deque[Edit] = field(default_factory=deque)
    _history: deque[Draft | None] = field(default_factory=lambda: deque(maxlen=HISTORY))
    _wake: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _number: int = 0

    def edit(self, change: Edit) -> None:
        """Change the draft. Returns at once."""
        with self._wake:
            self._edits.append(change)
            self._wake.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="vitui-launch-desk", daemon=True)
            self._thread.start()

    def refresh(self) -> None:
        """Work out the same draft again: data, devices or past runs may be others by now."""
        self.edit(lambda draft, _: draft)

    def undo(self) -> None:
        """Take the last change back, as often as there is one."""

        def back(draft: Draft | None, _: Preset | None) -> Draft | None:
            before = self._history.pop() if self._history else draft
            self.draft = before  # so that it is no change that could be taken back itself
            return before

        self.edit(back)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._edits)
                edits, self._edits = self._edits, deque()
            try:
                for edit in edits:
                    self._change(edit)
                sheet = self._sheet()
                if not self._edits:
                    self.post(Shown(sheet))
            except Exception as error:  # whatever it is, the form stays and says so
                self.post(Refused(f"{type(error).__name__}: {error}"))

    def _change(self, edit: Edit) -> None:
        from engine.recipe import RecipeError

        preset = None
        if self.draft is not None:
            with suppress(RecipeError, VitError):
                preset = self._ground(self.draft)
        try:
            made = edit(self.draft, preset)
        except (RecipeError, VitError) as error:
            self.post(Refused(str(error)))
            return
        if made != self.draft:
            if self.draft is not None:
                self._history.append(self.draft)
            self.draft = made

    def _ground(self, draft: Draft) -> Preset:
        from vitui.drafts.ground import ground

        return ground(self.lab, draft)

    def _sheet(self) -> Sheet:
        from vitui.drafts.estimate import estimate
        from vitui.drafts.preview import preview, refusal
        from vitui.drafts.repeats import repeats

        self._number += 1
        number, draft, undoable = self._number, self.draft, bool(self._history)
        devices = tuple(self.lab.devices())
        if draft is None:
            return Sheet(number, None, devices=devices, undoable=undoable)
        made = preview(self.lab, draft)
        if made.composed is None:
            return Sheet(number, draft, made, devices=devices, undoable=undoable)
        return Sheet(
            number,
            draft,
            made,
            refusal(self.lab, draft, made.composed),
            estimate(self.lab, made.composed, draft.device, len(made.seeds)),
            tuple(repeats(self.lab, made.composed.recipe, made.seeds)),
            devices,
            undoable,
        )


def shelve(lab: Lab, post: Callable[[Message], object]) -> None:
    """List the presets, in a thread."""
    from engine.recipe import RecipeError
    from vitui.drafts.shelf import preset_entries

    try:
        post(Listed(preset_entries(lab)))
    except (RecipeError, VitError, OSError) as error:
        post(Listed([], str(error)))


def launch(lab: Lab, draft: Draft, tell: Callable[[str], None], post: Callable[[Message], object]) -> None:
    """Queue the runs of a draft, in a thread."""
    from vitui.drafts import launching

    try:
        post(Launched(launching.launch(lab, draft, tell)))
    except Exception as error:  # whatever it is, the form stays and says so
        known = isinstance(error, VitError | ValueError)
        post(Launched((), str(error) if known else f"{type(error).__name__}: {error}"))
