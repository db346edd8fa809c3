"""Ctrl-C ends a command at once, whatever it is computing.

    main thread     waits, and receives Ctrl-C
    second thread   does the work

An interrupt during a kernel on the main thread makes Numba crash, and one during a long step
of torch or SciPy is not handled before the step ends.  Here the thread is abandoned where it
is: it can finish no file any more, and ends with the process.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Thread
from typing import NoReturn, TypeVar

from pytopo.files import withdraw

Result = TypeVar("Result")


class GivenUp(KeyboardInterrupt):
    """Ctrl-C, and the work goes on in a thread until the process ends."""


_undos: list[Callable[[], None]] = []


@contextmanager
def undone_at_interrupt(undo: Callable[[], None]) -> Iterator[None]:
    """Call a function if Ctrl-C abandons the block.

    It runs on the main thread, while the thread of the block may still be running.
    """
    _undos.append(undo)
    try:
        yield
    finally:
        _undos.remove(undo)


def interruptible(function: Callable[[], Result]) -> Result:
    """Call a function on a thread of its own, and return what it returns.

    Raises
    ------
    GivenUp
        At Ctrl-C.
    """
    outcome: Future[Result] = Future()

    def work() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)

    thread = Thread(target=work, daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            thread.join(0.2)  # on Windows an endless wait would not notice Ctrl-C
    except KeyboardInterrupt:
        withdraw(thread)
        try:
            for undo in reversed(_undos):
                with suppress(Exception):
                    undo()
        finally:
            raise GivenUp from None
    return outcome.result()


@contextmanager
def deaf() -> Iterator[None]:
    """Start processes and threads that do not hear Ctrl-C: a terminal interrupts all."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C from here on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave(status: int) -> NoReturn:
    """End the process while an abandoned thread is still running.

    An ordinary exit would tear the interpreter down under the thread, which crashes if the
    thread is in compiled code.
    """
    if multiprocessing := sys.modules.get("multiprocessing"):
        for child in multiprocessing.active_children():  # those that cut patches
            child.terminate()
    if steps := sys.modules.get("pytopo.cli.child"):
        steps.end_children()
    os._exit(status)
