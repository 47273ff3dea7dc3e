"""``python -m engine.data`` as a real process: its streams, its exit codes, and what is left after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from engine.data.pack import PackedDataset, verify


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine.data", *map(str, words)], capture_output=True, text=True, timeout=120
    )


def test_add_and_list(tmp_path: Path, folder: Path) -> None:
    data = tmp_path / "data"
    done = run("add", "mine", "--from", folder, "--data-root", data, "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert {e["what"] for e in events[:-1]} == {"reading headers", "packing train", "packing val"}
    assert events[-1]["event"] == "done" and events[-1]["splits"] == {"train": 12, "val": 6}
    assert events[-1]["fingerprint"] == PackedDataset.open(data / "mine").fingerprint
    listed = {
        row["name"]: row for row in map(json.loads, run("list", "--data-root", data, "--json").stdout.splitlines())
    }
    assert listed["mine"]["packed"] and not listed["cifar10"]["packed"]
    assert listed["cifar10"]["download_mb"] == 170.5
    plain = run("list", "--data-root", data).stdout
    assert "12 train, 6 val images of 16x16, 3 classes" in plain


def test_bad_input_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    for words in (["add", "flowers"], ["add", "x", "--from", tmp_path / "no"], ["add", "../x"]):
        done = run(*words, "--data-root", tmp_path / "data")
        assert done.returncode == 2 and done.stdout == ""
        assert done.stderr.startswith("engine.data: ") and done.stderr.count("\n") == 1
    assert run("add", "x", "--size", "3", "--data-root", tmp_path).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_names_out_of_an_archive_cannot_speak_to_the_terminal(tmp_path: Path, folder: Path) -> None:
    (folder / "val" / "ant" / "1.png").rename(folder / "val" / "ant" / "\x1b]0;owned\x07\n1.png")
    (folder / "val" / "ant" / "\x1b]0;owned\x07\n1.png").write_text("no picture")
    done = run("add", "mine", "--from", folder, "--data-root", tmp_path / "data")
    assert done.returncode == 2 and "val/ant/?]0;owned??1.png is not a whole picture" in done.stderr
    assert done.stderr.removesuffix("\n").isprintable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o555)
    done = run("add", "digits", "--data-root", tmp_path / "data")
    assert done.returncode == 2 and "cannot be written" in done.stderr and done.stderr.count("\n") == 1


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    done = run("add", "digits", "--data-root", tmp_path / "data")
    assert done.returncode == 2 and "cannot be written" in done.stderr and done.stderr.count("\n") == 1


def test_adding_from_disk_imports_neither_torch_nor_timm(tmp_path: Path, folder: Path) -> None:
    code = (
        "import sys; from engine.data.__main__ import main; "
        f"main(['add', 'mine', '--from', {str(folder)!r}, '--data-root', {str(tmp_path / 'data')!r}]); "
        "print([m for m in ('torch', 'torchvision', 'timm', 'sklearn') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_while_packing_leaves_nothing_visible_and_the_next_add_works(tmp_path: Path, photos, how) -> None:
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    images = photos(256, 8)
    for split, name in (("train", "a"), ("train", "b"), ("val", "a"), ("val", "b")):
        (pictures / split / name).mkdir(parents=True)
        for n in range(8):
            Image.fromarray(images[n]).save(pictures / split / name / f"{n}.png")
            for copy in range(40 if split == "train" else 0):
                os.link(pictures / split / name / f"{n}.png", pictures / split / name / f"{n}-{copy}.png")
    words = [sys.executable, "-m", "engine.data", "add", "mine", "--from", str(pictures), "--data-root", str(data)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any(p.stat().st_size > 1000 for p in data.glob(".mine.*.packing/train.images.npy")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.002)
    process.send_signal(how)
    assert process.wait(30) == (-9 if how == signal.SIGKILL else 130)
    assert not (data / "mine").exists()
    assert len(list(data.glob("*.packing"))) == (1 if how == signal.SIGKILL else 0)
    again = run("add", "mine", "--from", pictures, "--data-root", data)
    assert again.returncode == 0, again.stderr
    verify(data / "mine")
    assert [p.name for p in data.iterdir() if not p.name.endswith(".lock")] == ["mine"]
