"""The folder of a run: its configuration, who trains in it, and whether it is finished."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pytopo.files import replacing
from pytopo.notes import one_line
from pytopo.training.checkpoint import load_checkpoint
from pytopo.training.config import RunConfig, as_toml, config_of, read_tables, tables_of


def start_run(folder: str | os.PathLike[str], config: RunConfig) -> None:
    """Create the folder of a run and write its configuration.

    Raises
    ------
    FileExistsError
        If there is already a run in the folder.
    """
    path = Path(folder)
    if (path / "config.toml").exists():
        raise FileExistsError(
            f"{path}: there is a run in this folder; resume it, or name another"
        )
    path.mkdir(parents=True, exist_ok=True)
    write_config(path, config)


def write_config(folder: str | os.PathLike[str], config: RunConfig) -> None:
    """Write the configuration of the run in a folder."""
    with replacing(Path(folder) / "config.toml") as stream:
        stream.write(as_toml(tables_of(config)))


def read_run(folder: str | os.PathLike[str]) -> RunConfig:
    """Read the configuration of the run in a folder.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    ValueError
        If ``config.toml`` is damaged.
    """
    path = Path(folder) / "config.toml"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected the folder of a run")
    tables = read_tables(path)
    try:
        return config_of(tables)
    except (TypeError, ValueError) as error:
        raise ValueError(one_line(f"{path}: {error}")) from None


def is_finished(folder: str | os.PathLike[str]) -> bool:
    """Return whether the run in a folder has done all of its steps."""
    path = Path(folder)
    if not (path / "last.pt").is_file() or not (path / "config.toml").is_file():
        return False
    return load_checkpoint(path / "last.pt").get("step", 0) >= read_run(folder).training.steps


@contextmanager
def claimed(folder: str | os.PathLike[str]) -> Iterator[bool]:
    """Claim the folder of a run for this process, until the end of the block.

    The folder is created if there is none.  The lock is released with the process, also when
    that is killed.

    Yields
    ------
    bool
        Whether the folder is ours; False if another process trains in it.

    Raises
    ------
    OSError
        If nothing can be written in the folder.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
