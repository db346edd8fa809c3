"""The ``pytopo`` command: parse the line, run the subcommand, choose the exit status.

Each subcommand is a module with ``add_parser(subparsers)`` and ``run(args) -> int``.  What
takes long to import is imported in ``run``, so that ``--help`` answers at once.
"""

import argparse
import sys
from collections.abc import Sequence

import pytopo
from pytopo.cli import (
    bench,
    diagram,
    evaluate,
    experiment,
    explain,
    loss,
    match,
    predict,
    synth,
    train,
)
from pytopo.cli.report import Fault, say, silence, spoken_warnings

DONE, INPUT_AT_FAULT, INTERRUPTED = 0, 1, 130  # 2, for the command line, is argparse's


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; it sets ``args.run`` to the ``run`` of the chosen subcommand."""
    parser = argparse.ArgumentParser(
        prog="pytopo",
        description="Persistent homology of images.",
        epilog="exit status: 0 done, 1 the input is at fault, 2 the command line is",
        allow_abbrev=False,
    )
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
    experiment.add_parser(subparsers)
    bench.add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    argv : sequence of str or None
        What follows ``pytopo`` on the command line; ``None`` for that of the process.

    Raises
    ------
    SystemExit
        With status 2 if the command line is at fault, with 0 after ``--help``.
    """
    try:
        args = build_parser().parse_args(argv)
        with spoken_warnings():
            return args.run(args)
    except Fault as fault:
        say(f"pytopo {args.command}: {fault}")
        return INPUT_AT_FAULT
    except BrokenPipeError:
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _flush()


def _flush() -> None:
    """Flush stdout here, where a broken pipe can still be told from a bug."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        silence(sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
