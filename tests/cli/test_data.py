"""``vitui data add``: the trainer's packer as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import ROOT, Home

CLEANS_UP = """
import signal, sys, time
try:
    print("packing", flush=True)
    signal.pause()
except KeyboardInterrupt:
    time.sleep(0.6)  # the cleaning takes longer than the 0.25 s that subprocess itself would wait before it kills
    open(sys.argv[1], "w").close()
    sys.exit(130)
"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for split in ("train", "val"):
        for name in ("cat", "dög [b]"):
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for n in range(2):
                Image.new("RGB", (20 + n, 24), (90 * n, 10, 10)).save(folder / f"{n}.png")
    return tmp_path / "pictures"


def test_pictures_become_a_dataset_whatever_lies_in_the_current_directory(
    home: Home, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    refused = home("data", "add", "mine", "--from", "pictures", code=2)
    assert "--size 20" in refused.err
    added = home("data", "add", "mine", "--from", "pictures", "--size", "16")
    assert "mine is ready: use it with --set data.dataset=mine" in added.err
    (status,) = [one for one in home("data", "list", "--json").json if one["name"] == "mine"]
    assert (status["state"], status["classes"], status["splits"]) == ("present", 2, {"train": 4, "val": 4})
    errors = home("run", "demo-imagefolder", "--set", "data.dataset=mine", code=2).err
    assert "data.minival = 0.1 of 4 training images is none; use at least 0.25" in errors
    errors = home("run", "demo-imagefolder", "--set", "data.dataset=mine", "--set", "data.minival=0", code=2).err
    assert "is more than the 4 training images of mine" in errors


def test_an_interrupted_packer_is_given_time_to_remove_what_it_has_made(tmp_path: Path) -> None:
    marker = tmp_path / "cleaned"
    outer = "import sys; from vitui.cli.data import _run; sys.exit(_run([sys.executable, '-c', *sys.argv[1:]]))"
    process = subprocess.Popen(
        [sys.executable, "-c", outer, CLEANS_UP, str(marker)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors, marker.exists()) == (130, b"", True)
