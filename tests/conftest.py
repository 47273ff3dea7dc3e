"""What tests of several folders share."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from pathlib import Path

import pytest

TINY_MODEL = [
    "--set", "model.options.embed_dim=16", "--set", "model.options.depth=1", "--set", "model.options.num_heads=2",
    "--set", "train.threads=1",
]  # fmt: skip


@pytest.fixture(scope="session")
def warm_models(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder as ``<home>/cache``: what the real engine says of the models that many tests launch.

    Made once for all processes of a test session: each would have to load the engine for it.
    """
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if hasattr(request.config, "workerinput") else base) / "warm"
    (home / "runs").mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "cache" / "models").exists():
            _ask(home, [[], TINY_MODEL[1::2]])
    return home / "cache"


def _ask(home: Path, variants: Sequence[Sequence[str]]) -> None:
    from engine.recipe import presets
    from vitui.admission import answers, question
    from vitui.composition import compose_run

    recipes = [compose_run("demo-digits", (), sets, where=[presets.SHIPPED]).recipe for sets in variants]
    told = dict(answers(home, [question(home, recipe) for recipe in recipes]))
    assert not [answer for answer in told.values() if isinstance(answer, str)], told
