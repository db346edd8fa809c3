"""A step in a process of its own, which Ctrl-C ends at once.

    main thread     waits, and receives Ctrl-C
    second thread   waits for the child
    child           does the step

SciPy's assignment of sparse matrices lets no other thread run before it is done, so the main
thread would not hear of Ctrl-C (`pytopo.cli.interrupt`) for minutes.
"""

import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from pytopo.cli.interrupt import deaf

Result = TypeVar("Result")

_children: list[subprocess.Popen] = []  # that are at work


def in_child(function: Callable[..., Result], *arguments: Any, name: str) -> Result:
    """Call a function in another process, and return what it returns.

    Parameters
    ----------
    function, *arguments
        As `pickle` takes them.
    name : str
        What takes so long; a terminal shows it with the time that has passed.

    Raises
    ------
    MemoryError
        If the system ended the process, which it does when memory is short.
    """
    code = f"import sys; sys.path[:] = {sys.path!r}; import pytopo.cli.child as c; c.answer()"
    with deaf():
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    _children.append(child)
    try:
        content = _answer_of(child, pickle.dumps((function, arguments)), name)
    finally:
        _children.remove(child)
    if not content:
        raise MemoryError
    result = pickle.loads(content)
    if isinstance(result, Exception):
        raise result
    return result


def _answer_of(child: subprocess.Popen, question: bytes | None, name: str) -> bytes:
    from tqdm import tqdm

    with tqdm(bar_format=f"{name}: {{elapsed}}", leave=False, disable=None) as clock:
        while True:
            try:
                return child.communicate(question, timeout=0.5)[0]
            except subprocess.TimeoutExpired:
                question = None  # is on its way
                clock.refresh()


def answer() -> None:
    """Do, in the child, what stdin asks for; what comes of it goes to stdout."""
    function, arguments = pickle.load(sys.stdin.buffer)
    try:
        result = function(*arguments)
    except Exception as error:
        error.add_note(traceback.format_exc())
        result = error
    pickle.dump(result, sys.stdout.buffer)


def end_children() -> None:
    """End the children that are at work."""
    for child in _children:
        child.kill()
