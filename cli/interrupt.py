"""Ctrl-C is answered at once, whatever the command is busy with.

    main thread     waits, and hears Ctrl-C
    its own thread  does the work

An interrupt that meets a kernel on the main thread makes Numba crash, and one that meets a
long step of torch or SciPy is not heard before the step is over.  Here the thread is given up
where it stands: it may finish no file any more, and ends with the process.
"""

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import NoReturn, TypeVar

from pytopo.files import withdraw

Result = TypeVar("Result")


class GivenUp(KeyboardInterrupt):
    """Ctrl-C, and the work goes on in a thread until the process ends."""


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
            thread.join(0.2)  # a wait without end would be deaf to Ctrl-C on Windows
    except KeyboardInterrupt:
        withdraw(thread)
        raise GivenUp from None
    return outcome.result()


def ignore_interrupts() -> None:
    """Take no notice of Ctrl-C from here on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave(status: int) -> NoReturn:
    """End the process with a thread that was given up still running.

    An ordinary end would take the interpreter apart under the thread, which crashes where
    the thread is in compiled code.
    """
    if multiprocessing := sys.modules.get("multiprocessing"):
        for child in multiprocessing.active_children():  # those that cut patches
            child.terminate()
    os._exit(status)
