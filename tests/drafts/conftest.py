"""A home without a worker and without a trainer, and the presets of which there is one of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitui.lab import Lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(Lab, "_wake", lambda self: None)
    return Lab.open(tmp_path / "home", create=True)
