"""Running Numba kernels in a command: the first run compiles, which is said."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pytopo.cli.report import say

Result = TypeVar("Result")


def run_kernels(function: Callable[[], Result]) -> Result:
    """Call a function that imports or runs kernels, and return what it returns.

    One line on stderr says when Numba compiles; kernels out of Numba's cache are not
    compiled.
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
            if not self.said and kept():  # else a warning has said it
                self.said = True
                say("compiling the kernels (first run only) ...")

        def on_end(self, event: object) -> None:
            pass

    with event.install_listener("numba:compile", Notice()):
        yield
