"""Fetching the files of a catalogue entry: checked against their published MD5, kept until they are packed."""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from engine.data.build import Progress, quiet
from engine.data.errors import DataError
from engine.recipe.datasets import DatasetSpec, Remote

_BLOCK = 1 << 18
_TIMEOUT_S = 60


def download(spec: DatasetSpec, folder: Path, progress: Progress = quiet) -> list[Path]:
    """The files of `spec` in `folder`, fetched where they are not there already. Raises DataError, OSError (disk)."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_fetch(remote, folder / remote.filename, spec.name, progress) for remote in spec.files]


def _fetch(remote: Remote, path: Path, name: str, progress: Progress) -> Path:
    if path.is_file() and _md5(path) == remote.md5:
        return path
    part = path.with_name(path.name + ".part")
    digest = hashlib.md5(usedforsecurity=False)
    done = 0
    request = urllib.request.Request(remote.url, headers={"User-Agent": "vitui"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response, open(part, "wb") as file:
            while block := response.read(_BLOCK):
                digest.update(block)
                file.write(block)
                done += len(block)
                progress(f"downloading {path.name}", done, remote.bytes)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        part.unlink(missing_ok=True)
        reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise DataError(
            f"{remote.url} could not be fetched ({reason}); "
            f"fetch it elsewhere and run: vitui data add {name} --from PATH"
        ) from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if digest.hexdigest() != remote.md5:
        part.unlink(missing_ok=True)
        raise DataError(
            f"{remote.url} gave {done} bytes with MD5 {digest.hexdigest()}, not {remote.md5}; try again later"
        )
    os.replace(part, path)
    return path


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
