"""The decorator of all kernels: Numba's, with a cache on disk that may fail.

Numba gives up where it finds no folder for its cache, where a file of the cache cannot be
written (a full disk) and where one is damaged.  None of that changes a result, so here the
kernel is compiled in memory instead, and `CacheWarning` says so once per process, when the
first kernel runs.  A damaged file is replaced silently.
"""

import os
import pickle
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    NullCache,
    UserWideCacheLocator,
)
from numba.core.serialize import dumps

from pytopo.notes import CacheWarning

ADVICE = "set NUMBA_CACHE_DIR to a folder that can be written"
_said: list[str] = []  # why kernels of this process are not kept; one reason at most


def njit(*, cache: bool, **options: bool) -> Callable[[Callable], Callable]:
    """Return the decorator that `numba.njit` returns; with ``cache``, one that always works.

    Parameters
    ----------
    cache : bool
        Keep compiled code on disk, where that is possible.
    **options
        As in `numba.njit`.
    """

    def decorate(function: Callable) -> Callable:
        kernel = numba.njit(**options)(function)
        if cache and kernel is not function:  # with NUMBA_DISABLE_JIT=1 it is
            kernel._cache = _cache_of(function)
        return kernel

    return decorate


def kept() -> bool:
    """Return whether all that was compiled so far is in the cache on disk."""
    return not _said


def _cache_of(function: Callable) -> NullCache:
    try:
        return KernelCache(function)
    except (OSError, RuntimeError):  # no folder is writable, or there is none
        return NoCache()


def _say_once(reason: str) -> None:
    # Numba compiles under a lock of its own, so no two threads come here together.
    if not _said:
        _said.append(reason)
        warnings.warn(
            f"{reason}, so kernels are compiled in memory, anew in each process; {ADVICE}",
            CacheWarning,
            stacklevel=2,
        )


class NoCache(NullCache):
    """Keeps nothing, and says so when a kernel is looked for."""

    def load_overload(self, sig: Any, target_context: Any) -> None:
        """Find nothing."""
        _say_once("Numba finds no folder that it can write its cache to")


class KernelFiles(CompileResultCacheImpl):
    """The content of the cache files of a kernel: what Numba stores, and its checksum."""

    def __init__(self, function: Callable) -> None:
        # Without a home "~" stays as it is, and Numba would make a folder of that name.
        if not os.path.isabs(os.path.expanduser("~")) and "XDG_CACHE_HOME" not in os.environ:
            self._locator_classes = [
                c for c in self._locator_classes if c is not UserWideCacheLocator
            ]
        super().__init__(function)

    def reduce(self, data: Any) -> tuple[int, bytes]:
        """Return the checksum and the content of what is kept."""
        content = dumps(super().reduce(data))
        return zlib.crc32(content), content

    def rebuild(self, target_context: Any, reduced_data: tuple[int, bytes]) -> Any:
        """Return the compiled kernel: code with a wrong sum would crash the process."""
        checksum, content = reduced_data
        if zlib.crc32(content) != checksum:
            raise ValueError("a damaged file")
        return super().rebuild(target_context, pickle.loads(content))


class KernelCache(FunctionCache):
    """The cache of one kernel; where it fails, it acts as if it were empty."""

    _impl_class = KernelFiles

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel, or None; a damaged index is emptied."""
        try:
            return super().load_overload(sig, target_context)
        except OSError:  # saving will say it
            return None
        except Exception:  # unpickling damaged bytes raises whatever they spell
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel, or say why that cannot be done."""
        try:
            super().save_overload(sig, data)
        except Exception as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            _say_once(f"Numba cannot write its cache in {self.cache_path}: {reason}")
