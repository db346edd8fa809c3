"""Running Numba kernels in a command: the first run prints that it compiles."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pytopo.cli.report import say

Result = TypeVar("Result")


def run_kernels(function: Callable[[], Result]) -> Result:
    """Call a function that imports or runs kernels, and return what it returns.

    A line on stderr is printed when Numba compiles; kernels in Numba's cache are loaded.
    """
    with _compile_notice():
        return function()


@contextmanager
def _compile_notice() -> Iterator[None]:
    from numba.core import event

    from pytopo.kernels.jit import kept

    class Notice(event.Listener):
        said = False

        def on_start(self, event: object) -> None:
            if not self.said and kept():  # otherwise a warning has said so
                self.said = True
                say("compiling the kernels (first run only) ...")

        def on_end(self, event: object) -> None:
            pass

    with event.install_listener("numba:compile", Notice()):
        yield
