"""What importing interfaces and trainer costs: no torch, no timm, and for the command line neither textual nor pydantic."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(*{{m.partition('.')[0] for m in sys.modules}})"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


@pytest.mark.parametrize(
    "module",
    [
        "vitui.cli",
        "vitui.tui",
        "vitui.tui.app",
        "vitui.lab",
        "vitui.supervisor.worker",
        "engine.recipe.presets",
        "engine.journal",
        "engine.schedules",
        # Torch takes seconds: the trainer says that it has started, and listens for being stopped, before it loads it.
        "engine.__main__",
        "engine.session",
        "engine.data.sources",
        "vitui.admission",
        "vitui.composition",
    ],
)
def test_what_must_answer_at_once_loads_neither_torch_nor_timm(module: str) -> None:
    assert not loaded(f"import {module}") & {"torch", "timm", "torchvision", "sklearn"}


def test_the_command_line_loads_only_what_a_command_needs() -> None:
    assert not loaded("import vitui.cli") & {
        "textual",
        "numpy",
        "pydantic",
        "sqlite_utils",
        "plotext",
        "sqlite3",
        "rich",
    }
    assert not loaded("import vitui.supervisor.worker") & {"textual", "numpy", "pydantic", "sqlite_utils", "plotext"}
