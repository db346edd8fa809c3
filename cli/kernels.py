"""Running Numba kernels in a command: the first run compiles, and Ctrl-C must be survived."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar

from pytopo.cli.report import say

Result = TypeVar("Result")


def run_kernels(function: Callable[[], Result]) -> Result:
    """Call a function that imports or runs kernels, and return what it returns.

    One line on stderr says when Numba compiles; kernels out of Numba's cache are not
    compiled.  The call is made on a thread, because an interrupt that meets a kernel on
    the main thread makes Numba crash; here Ctrl-C abandons the thread at once.
    """
    outcome: Future[Result] = Future()

    def work() -> None:
        try:
            with _compile_notice():
                outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=work, daemon=True).start()
    return outcome.result()


@contextmanager
def _compile_notice() -> Iterator[None]:
    from numba.core import event

    from pytopo.kernels.jit import kept

    class Notice(event.Listener):
        said = False

        def on_start(self, event: object) -> None:
            if not self.said and kept():  # else a warning has said it
                self.said = True
                say("compiling the kernels (first run only) ...")

        def on_end(self, event: object) -> None:
            pass

    with event.install_listener("numba:compile", Notice()):
        yield
