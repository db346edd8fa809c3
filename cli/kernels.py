"""Running Numba kernels in a command: the first run compiles, which is said."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pytopo.cli.report import Fault, say

Result = TypeVar("Result")


def run_kernels(function: Callable[[], Result]) -> Result:
    """Call a function that imports or runs kernels, and return what it returns.

    One line on stderr says when Numba compiles; kernels out of Numba's cache are not
    compiled.

    Raises
    ------
    Fault
        If Numba has nowhere to keep what it compiles.
    """
    try:
        with _compile_notice():
            return function()
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        raise Fault(
            "Numba finds no folder to keep compiled kernels in; set NUMBA_CACHE_DIR to a "
            "folder that can be written"
        ) from None


@contextmanager
def _compile_notice() -> Iterator[None]:
    from numba.core import event

    class Notice(event.Listener):
        said = False

        def on_start(self, event: object) -> None:
            if not self.said:
                self.said = True
                say("compiling the kernels (first run only) ...")

        def on_end(self, event: object) -> None:
            pass

    with event.install_listener("numba:compile", Notice()):
        yield
