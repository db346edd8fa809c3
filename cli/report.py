"""How a command reports: results on stdout, messages on stderr, an input error in one line."""

import errno
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from pytopo.notes import CacheWarning, InputWarning
from pytopo.progress import clear_line


class InputError(Exception):
    """The input, or a place to write to, is at fault: one line, and exit status 1."""


class ReaderGone(Exception):
    """The reader of the pipe has closed it, having seen enough: no error, exit status 0."""


@contextmanager
def reporting_errors(what: str = "") -> Iterator[None]:
    """Turn errors of the system and of bad values into an `InputError`.

    Only for reading, checking and writing: an error from anywhere else is a bug, and keeps
    its traceback.

    Parameters
    ----------
    what : str
        What is at fault, where the messages do not name it.
    """
    try:
        yield
    except BrokenPipeError:
        raise ReaderGone from None
    except (OSError, TypeError, ValueError) as error:
        raise _input_error(what, error) from None


@contextmanager
def reporting_system_errors() -> Iterator[None]:
    """Turn errors of the system alone into an `InputError`: for long work that writes, too."""
    try:
        yield
    except OSError as error:
        raise _input_error("", error) from None


def _input_error(what: str, error: Exception) -> InputError:
    what = what or os.fsdecode(getattr(error, "filename", None) or "")
    return InputError(": ".join(filter(None, [what, _reason(error)])))


@contextmanager
def results() -> Iterator[IO[str]]:
    """Provide stdout for results, and make sure that they arrive.

    A reader that closes the pipe, as `head` does, has seen enough: that is no error, and what
    is written afterwards is dropped.  Errors of anything else in the block stay what they are.

    Raises
    ------
    InputError
        If stdout cannot be written, as on a full disk.
    """
    if sys.stdout is None:  # closed by the caller, who needs no results
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            yield nowhere
        return
    clear_line()
    stream = _Stdout(sys.stdout)
    yield cast(IO[str], stream)
    stream.flush()


class _Stdout:
    """Stdout, or the bytes behind it, whose errors are distinguished from all others."""

    def __init__(self, stream: IO[Any]) -> None:
        self._stream = stream

    @property
    def buffer(self) -> "_Stdout":
        return _Stdout(self._stream.buffer)  # type: ignore[attr-defined]

    def write(self, content: str | bytes) -> int:
        self._tried(self._stream.write, content)
        return len(content)

    def flush(self) -> None:
        self._tried(self._stream.flush)

    def _tried(self, act: Callable[..., object], *args: object) -> None:
        try:
            act(*args)
        except OSError as error:
            # Windows calls a pipe that nobody reads an invalid argument
            if isinstance(error, BrokenPipeError) or (
                os.name == "nt" and error.errno == errno.EINVAL
            ):
                silence(self._stream)
            else:
                raise InputError(f"stdout: {_reason(error)}") from None


def say(text: str) -> None:
    """Print a line on stderr; a closed stderr stops nothing."""
    if sys.stderr is None:
        return
    clear_line()
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


@contextmanager
def spoken_warnings() -> Iterator[None]:
    """Print warnings of pytopo as lines on stderr, without the place in its source."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", InputWarning)  # each is raised once, by its source
        show = warnings.showwarning

        def say_ours(
            message: Warning | str, category: type[Warning], *place: Any, **options: Any
        ) -> None:
            if issubclass(category, (CacheWarning, InputWarning)):
                say(str(message))
            else:
                show(message, category, *place, **options)

        warnings.showwarning = say_ours
        yield


def printable(text: str) -> str:
    """Return a text as one line that any terminal shows and stdout can encode.

    Examples
    --------
    >>> printable("two\\nlines and a bell\\a")
    'two lines and a bell?'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    line = " ".join(text.split()).encode(encoding, "backslashreplace").decode(encoding)
    return "".join(c if c.isprintable() else "?" for c in line)


def silence(stream: IO[str] | None) -> None:
    """Drop what a stream still holds, so that it cannot fail again at exit."""
    try:
        descriptor = stream.fileno()  # type: ignore[union-attr]
    except (AttributeError, OSError, ValueError):
        return  # no file behind it
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
