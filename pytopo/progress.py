"""A line on the terminal while something takes longer than two seconds.

    diagram of 8192 x 8192 pixels: 12 s
    epoch 3, step 120 of 640: 12 s, 52 s left
    assignment of 20000 points: 12 s of about 1 min 20 s

The line is replaced twice a second, and removed when the work is done.  Where stderr is no
terminal nothing is written.  A thread writes it, so it moves while kernels run; what else goes
to the terminal calls `clear_line` before.
"""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, RLock, Thread

PATIENCE = 2.0  # seconds without a line
PERIOD = 0.5  # seconds between two lines

_lock = RLock()
_width = 0  # of the line that stands on the terminal


class Progress:
    """What is being done, since when, and how much of it.

    Attributes
    ----------
    what : str
    done : int
        Parts that are done; to be set by what does them.
    total : int or None
        All parts, if they can be counted.
    unit : str
        What a part is called.
    expected : float or None
        Seconds that it will take, if that is known beforehand.
    """

    def __init__(
        self,
        what: str,
        total: int | None = None,
        unit: str = "",
        expected: float | None = None,
    ) -> None:
        self.unit, self.expected = unit, expected
        self.begin(what, total)

    def begin(self, what: str, total: int | None = None, done: int = 0) -> None:
        """Start over, with something else, of which some parts may be done already."""
        self.what, self.total, self.done, self._first = what, total, done, done
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.started

    def text(self) -> str:
        """Return the line.

        Examples
        --------
        >>> Progress("diagram of 3 x 4 pixels").text()
        'diagram of 3 x 4 pixels: 0 s'
        """
        seconds, what, left = self.seconds, self.what, ""
        if self.total is not None:
            what += ", " + f"{self.unit} {self.done} of {self.total}".lstrip()
            if self.done > self._first:
                rest = seconds / (self.done - self._first) * (self.total - self.done)
                left = f", {seconds_text(rest)} left"
        elif self.expected is not None:
            left = f" of about {seconds_text(self.expected)}"
        return f"{what}: {seconds_text(seconds)}{left}"


@contextmanager
def progress(
    what: str,
    total: int | None = None,
    *,
    unit: str = "",
    expected: float | None = None,
    shown: bool = True,
) -> Iterator[Progress]:
    """Show a line on the terminal while the block takes longer than two seconds.

    Parameters
    ----------
    what, total, unit, expected
        As of `Progress`.
    shown : bool
        Whether to show it at all.

    Yields
    ------
    Progress
        Its ``done`` is to be set as parts are done.

    Examples
    --------
    >>> with progress("squares", total=3, unit="square") as line:
    ...     for k in range(3):
    ...         line.done = k + 1
    >>> line.text()
    'squares, square 3 of 3: 0 s, 0 s left'
    """
    line = Progress(what, total, unit, expected)
    if not (shown and sys.stderr is not None and sys.stderr.isatty()):
        yield line
        return
    ended = Event()
    thread = Thread(target=_show, args=(line, ended), daemon=True)
    thread.start()
    try:
        yield line
    finally:
        ended.set()
        thread.join()
        clear_line()


def clear_line() -> None:
    """Remove the line from the terminal, if one stands there, to make room for another text."""
    with _lock:
        if _width:
            _replace("")


def seconds_text(seconds: float) -> str:
    """Return a time as text.

    Examples
    --------
    >>> seconds_text(12.3), seconds_text(80), seconds_text(7300)
    ('12 s', '1 min 20 s', '2 h 1 min')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _show(line: Progress, ended: Event) -> None:
    while not ended.wait(PERIOD):
        if line.seconds >= PATIENCE or _width:
            _replace(line.text())


def _replace(text: str) -> None:
    """Write a line over the one that stands there, and return to its beginning."""
    global _width
    most = shutil.get_terminal_size().columns - 1
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    with _lock:
        try:
            sys.stderr.write(f"\r{text.ljust(_width)}\r{text}")
            sys.stderr.flush()
        except (OSError, ValueError, UnicodeError):  # a closed terminal stops nothing
            return
        _width = len(text)
