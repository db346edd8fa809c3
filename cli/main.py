"""The ``pytopo`` command: parse the line, run the subcommand, choose the exit status.

Each subcommand is a module with ``add_parser(subparsers)`` and ``run(args) -> int``.  What
takes long to import is imported in ``run``, so that ``--help`` answers at once.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

import pytopo
from pytopo.cli import (
    bench,
    clean,
    diagram,
    evaluate,
    experiment,
    explain,
    loss,
    match,
    nnunet_path,
    predict,
    synth,
    train,
)
from pytopo.cli.interrupt import GivenUp, ignore_interrupts, interruptible, leave
from pytopo.cli.memory import add_memory, allowed_memory
from pytopo.cli.report import (
    InputError,
    ReaderGone,
    results,
    say,
    silence,
    spoken_warnings,
)

READ_IMAGES = ("diagram", "loss", "match", "evaluate", "predict", "clean")
DONE, INPUT_AT_FAULT, INTERRUPTED = 0, 1, 130  # 2, for the command line, is argparse's


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; it sets ``args.run`` to the ``run`` of the chosen subcommand."""
    parser = argparse.ArgumentParser(
        prog="pytopo",
        description="Persistent homology of images.",
        epilog="exit status: 0 done, 1 the input is at fault, 2 the command line is",
        allow_abbrev=False,
    )
    parser.set_defaults(after_interrupt="")
    parser.add_argument("--version", action="version", version=f"pytopo {pytopo.__version__}")
    subparsers = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True
    )
    diagram.add_parser(subparsers)
    explain.add_parser(subparsers)
    loss.add_parser(subparsers)
    match.add_parser(subparsers)
    evaluate.add_parser(subparsers)
    synth.add_parser(subparsers)
    train.add_parser(subparsers)
    predict.add_parser(subparsers)
    clean.add_parser(subparsers)
    experiment.add_parser(subparsers)
    nnunet_path.add_parser(subparsers)
    bench.add_parser(subparsers)
    for command in READ_IMAGES:
        add_memory(subparsers.choices[command])
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    argv : sequence of str or None
        What follows ``pytopo`` on the command line; ``None`` for that of the process, which
        then ends here at once when it is interrupted.

    Raises
    ------
    SystemExit
        With status 2 if the command line is at fault, with 0 after ``--help``, which is also
        what an empty line gets.
    """
    _open_closed_streams()
    try:
        return _status(_arguments(argv), ends_here=argv is None)
    except InputError as error:
        say(f"pytopo: {error}")
        return INPUT_AT_FAULT
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _flush()


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; help and the version are results, which have to arrive."""
    given = sys.argv[1:] if argv is None else argv
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            return build_parser().parse_args(given or ["--help"])
    except SystemExit as end:
        if not end.code:
            with results() as stream:
                stream.write(printed.getvalue())
        raise


def _status(args: argparse.Namespace, ends_here: bool) -> int:
    """Run the subcommand, and return the exit status or, after Ctrl-C, end with it."""
    try:
        with spoken_warnings(), allowed_memory(args):
            return interruptible(lambda: args.run(args))
    except InputError as error:
        say(f"pytopo {args.command}: {error}")
        return INPUT_AT_FAULT
    except ReaderGone:
        return DONE
    except KeyboardInterrupt as interrupt:
        if ends_here:
            ignore_interrupts()  # a second one changes nothing
        if os.environ.get("RANK", "0") == "0":  # torchrun interrupts all its processes
            say(f"pytopo {args.command}: interrupted{args.after_interrupt}")
        if ends_here and isinstance(interrupt, GivenUp):
            leave(INTERRUPTED)
        return INTERRUPTED


def _open_closed_streams() -> None:
    """Open the null device for stdin, stdout and stderr where they are closed.

    Otherwise the first file that is opened takes the descriptor, and gets what libraries print.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            free = os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor: this one
            os.set_inheritable(free, True)
            if getattr(sys, name) is None:
                mode = "r" if name == "stdin" else "w"
                stream = open(free, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
                setattr(sys, name, stream)


def _flush() -> None:
    """Flush stdout here, where a broken pipe can still be distinguished from a bug."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        silence(sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
