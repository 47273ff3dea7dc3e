"""Unpacking .zip and .tar archives that came from somewhere: plain files only, and none outside the folder."""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from engine.data.build import Progress, quiet
from engine.data.errors import DataError

# RuntimeError: an encrypted or strangely compressed .zip. Decompressors raise OSError too, but without a number.
TORN = (
    tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError,
    UnicodeError,
)  # fmt: skip
_BLOCK = 1 << 20
# What macOS's own archiver puts beside the files: their attributes, under the same names.
_MACOS = "__MACOSX"


def is_archive(path: Path) -> bool:
    """Whether `path` is a file that is named like an archive."""
    return path.is_file() and re.search(r"\.(zip|tar|tgz|tar\.(gz|bz2|xz))$", path.name) is not None


def unpack(path: Path, folder: Path, progress: Progress = quiet) -> None:
    """Write the plain files of an archive below `folder`.

    Raises DataError: a torn archive, a name that leads out of the folder, too little space; OSError from the disk.
    """
    try:
        with _opened(path) as (members, bytes_in_all):
            free = shutil.disk_usage(folder).free
            if free < bytes_in_all:
                raise DataError(
                    f"unpacking {path} needs {bytes_in_all / 1e6:,.0f} MB but {folder} has {free / 1e6:,.0f} MB free; "
                    "free some space or use another home"
                )
            done = 0
            for name, content in members:
                if PurePosixPath(name).parts[:1] == (_MACOS,):
                    continue
                target = folder / _safe(name, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, open(target, "xb") as file:
                    while block := content.read(_BLOCK):
                        file.write(block)
                        done += len(block)
                progress(f"unpacking {path.name}", done, bytes_in_all)
    except TORN as error:
        raise DataError(f"{path} is not a whole archive ({first_line(error)}); fetch it again") from None
    except OSError as error:
        if error.errno is None:
            raise DataError(f"{path} is not a whole archive ({error}); fetch it again") from None
        if not isinstance(error, FileExistsError):
            raise
        raise DataError(f"{path} has two files of one name ({error.filename}); fetch it again") from None


def first_line(error: BaseException) -> str:
    """What went wrong, without the list of everything that tarfile tried."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Iterator[tuple[str, IO[bytes]]], int]]:
    """Name and content of every plain file, and the bytes of all of them. Links and devices are left out."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_link(entry)]
            contents = ((entry.filename, archive.open(entry)) for entry in entries)
            yield contents, sum(entry.file_size for entry in entries)
        return
    with tarfile.open(path) as tar:
        plain = [member for member in tar if member.isreg()]
        files = ((member.name, file) for member in plain if (file := tar.extractfile(member)) is not None)
        yield files, sum(member.size for member in plain)
        check_end(tar)


def check_end(tar: tarfile.TarFile) -> None:
    """Read what is left of an archive: gzip's checksum lies behind its own end. Raises what `TORN` lists."""
    while tar.fileobj is not None and tar.fileobj.read(_BLOCK):
        pass


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _safe(name: str, path: Path) -> PurePosixPath:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts or "\\" in name or "\0" in name or not inside.parts:
        raise DataError(f'{path} holds a file that would land outside its folder ("{name[:80]}"); do not use it')
    return inside
