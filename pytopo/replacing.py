"""Write a file so that it appears whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def replacing(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file to write beside ``path``, and rename it to ``path`` at the end.

    If the block raises, ``path`` is as it was and nothing is left beside it.  What is not
    a regular file (a pipe, ``/dev/null``) is written to directly.

    Parameters
    ----------
    path : path-like
        A symbolic link is followed: the file it points to is replaced.
    mode : {"w", "wb"}
        Text is UTF-8 with ``\\n`` line ends.
    """
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, mode, **text) as stream:
            yield stream
        return

    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(beside, mode, **text) as stream:
            yield stream
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
