"""Write a file so that it appears whole or not at all.

    .NAME.PROCESS.part    is written first, beside its place
    NAME                  is what it is renamed to, at the end

A process that was killed leaves what it had written so far, which `clear_left_over` removes.
A thread that is abandoned, because Ctrl-C came while it was busy, cannot be stopped, but
`withdraw` prevents it from finishing any file.
"""

import glob
import io
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    import h5py

_guard = threading.Lock()  # of the two below, and of steps that belong together
_writers: dict[Path, threading.Thread] = {}  # of the files that are being written
_withdrawn: WeakSet[threading.Thread] = WeakSet()


@contextmanager
def replacing(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file to write beside ``path``, and rename it to ``path`` at the end.

    If the block raises, ``path`` is as it was and nothing is left beside it.  What is not
    a regular file (a pipe, ``/dev/null``) is written to directly.

    Parameters
    ----------
    path : path-like
        A symbolic link is followed: the file it points to is replaced.
    mode : {"w", "wb", "w+b"}
        Text is UTF-8 with ``\\n`` line ends; "w+b" can be read too.

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk; ``path`` is in its ``filename``.
    RuntimeError
        If the thread has been abandoned.
    """
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, mode, **text) as stream:
            yield stream
        return

    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _opened(beside, mode, text) as stream:
            yield stream
        with _guard:
            _refuse_withdrawn()
            os.replace(beside, target)
    except OSError as error:
        if error.filename is None:  # writing names no file
            error.filename = os.fspath(path)
        raise
    finally:
        with _guard:
            if _writers.pop(beside, None):
                _remove(beside)


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Provide a folder to fill beside ``path``, and rename it to ``path`` at the end.

    If the block raises, nothing is left.  What killed processes left is removed first.

    Raises
    ------
    FileExistsError
        If there is something at ``path``: a folder is not replaced.
    OSError
        If it cannot be written.
    RuntimeError
        If the thread has been abandoned.
    """
    target = Path(os.path.realpath(path))
    if target.exists():
        raise FileExistsError(f"{os.fspath(path)}: exists already; remove it first")
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        _clear(left)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _guard:
            _refuse_withdrawn()
            beside.mkdir()
            _writers[beside] = threading.current_thread()
        yield beside
        with _guard:
            _refuse_withdrawn()
            os.rename(beside, target)
    finally:
        with _guard:
            if _writers.pop(beside, None):
                _remove(beside)


def _remove(beside: Path) -> None:
    if beside.is_dir():
        shutil.rmtree(beside, ignore_errors=True)
    else:
        beside.unlink(missing_ok=True)


def _opened(beside: Path, mode: str, text: dict[str, Any]) -> IO[Any]:
    with _guard:
        _refuse_withdrawn()
        stream = open(beside, mode, **text)  # noqa: SIM115 (the caller closes it)
        _writers[beside] = threading.current_thread()
        return stream


def _refuse_withdrawn() -> None:
    if threading.current_thread() in _withdrawn:
        raise RuntimeError("this thread was abandoned; it may not write files any more")


def withdraw(thread: threading.Thread) -> None:
    """Prevent a thread from finishing a file: it is abandoned, but cannot be stopped.

    The files that it is writing are removed, and it can neither rename nor begin another.
    (Windows removes no file that is open; there it is left to `clear_left_over`.)
    """
    with _guard:
        _withdrawn.add(thread)
        for beside, writer in _writers.items():
            if writer is thread:
                with suppress(OSError):
                    _remove(beside)


_PART = re.compile(r"\..+\.([0-9]{1,19})\.part")


def clear_left_over(folder: str | os.PathLike[str]) -> None:
    """Remove the unfinished files of killed processes from a folder.

    Files of processes that are alive on this machine stay.
    """
    for path in Path(folder).glob(".*.part"):
        if path.is_file():
            _clear(path)


def _clear(path: Path) -> None:
    """Remove an unfinished file or folder, unless its process is alive."""
    name = _PART.fullmatch(path.name)
    if name and not _is_written(path, int(name[1])):
        with suppress(FileNotFoundError, PermissionError):  # gone already, or in use
            _remove(path)


def _is_written(path: Path, process: int) -> bool:
    """Return whether the process that began a file may still be writing it."""
    if process == os.getpid():  # or an earlier one with the same number, as in containers
        return Path(os.path.realpath(path)) in _writers
    if os.name != "posix":  # it cannot be found out there, but no file in use is removed
        return False
    try:
        os.kill(process, 0)  # signal 0 is not sent: it tests whether the process exists
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


# ---- HDF5 ----------------------------------------------------------------------------------


@contextmanager
def hdf5_file(stream: IO[bytes]) -> Iterator[tuple["h5py.File", Callable[[], None]]]:
    """Open an HDF5 file to write in a stream that can be read too.

    When a write fails, as on a full disk, the HDF5 library cannot close its file, keeps it
    open, and crashes the process when that ends.  So every write is reported to the library
    as successful, and the error is kept here.

    Parameters
    ----------
    stream : binary file
        As ``replacing(path, "w+b")`` yields it.

    Yields
    ------
    file : h5py.File
    check_written : callable
        Raises the OSError of the first write that failed, if one did.  It is called at the
        end in any case; call it in between to stop long work early.

    Examples
    --------
    >>> stream = io.BytesIO()
    >>> with hdf5_file(stream) as (file, check_written):
    ...     file["raw"] = [1, 2, 3]
    ...     check_written()
    >>> import h5py
    >>> h5py.File(stream)["raw"][()]
    array([1, 2, 3])
    """
    import h5py

    tolerant = _TolerantStream(stream)
    with h5py.File(tolerant, "w") as file:
        yield file, tolerant.check_written
    tolerant.check_written()


class _TolerantStream(io.RawIOBase):
    """A stream that reports every write as successful, and keeps the first error."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._place = self._size = 0
        self._error: OSError | None = None  # after it the stream is not used any more

    def check_written(self) -> None:
        if self._error is not None:
            raise self._error

    def _tried(self, act: Callable[..., Any], *args: Any) -> Any:
        if self._error is None:
            try:
                return act(*args)
            except OSError as error:
                self._error = error
        return 0

    def write(self, data: Any) -> int:
        self._tried(self._stream.write, data)
        self._place += len(data)
        self._size = max(self._size, self._place)
        return len(data)

    def readinto(self, buffer: Any) -> int:
        count = self._tried(self._stream.readinto, buffer)  # type: ignore[attr-defined]
        self._place += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = start + offset
        self._tried(self._stream.seek, self._place)  # may write what was buffered
        return self._place

    def truncate(self, size: int | None = None) -> int:
        self._size = self._place if size is None else size
        self._tried(self._stream.truncate, self._size)
        return self._size

    def flush(self) -> None:
        self._tried(self._stream.flush)

    def tell(self) -> int:
        return self._place

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
