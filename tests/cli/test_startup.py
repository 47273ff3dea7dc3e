"""What a command loads decides how long it takes to answer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT, Home


@pytest.mark.parametrize("words", [("--help",), ("runs",), ("runs", "-n", "5", "--json"), ("queue",), ("stop", "@")])
def test_listing_loads_neither_pydantic_nor_numpy(
    home: Home, environment: dict[str, str], words: tuple[str, ...]
) -> None:
    home.add()
    script = (
        "import sys\nfrom vitui.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n"
        "    print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, env=environment, cwd=ROOT
    )
    loaded = set(done.stderr.split())
    assert "vitui" in loaded
    assert not loaded & {"pydantic", "numpy", "textual", "sqlite_utils", "plotext", "torch", "timm"}, (
        "0.2 s of start-up: typer 0.29 loads pydantic for every command, so the project asks for an older one"
    )
