"""Models in these tests are tiny: one thread for all of them."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def tiny_models(one_thread: None) -> None:
    """Every test of the folder runs on one thread."""
