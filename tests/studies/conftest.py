"""Homes for studies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studies.homes import StudyHome
from vitui.lab import Lab


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyHome:
    """Nobody wakes a worker, and no model is looked at."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(Lab, "_wake", lambda self: None)
    monkeypatch.setattr(Lab, "describe_all", lambda self, recipes, tell=None: [])
    return StudyHome(tmp_path / "home")
