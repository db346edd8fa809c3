"""``pytopo experiment``: methods x seeds, measured in the same way, as tables and figures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import count, positive
from pytopo.cli.report import (
    InputError,
    reporting_errors,
    reporting_system_errors,
    results,
    say,
)
from pytopo.cli.settings import (
    add_settings,
    configured,
    device_of,
    reporting_training_errors,
)

if TYPE_CHECKING:
    from pytopo.training.blocks import Blocks
    from pytopo.training.distributed import World
    from pytopo.training.methods import Experiment

DESCRIPTION = """\
Train several methods with several seeds on the same sections, and report on held-out
sections. Without --config: base, VGG-19, enhanced and U-Net, the last two with and without
the topological loss, ten epochs each."""

EPILOG = """\
An experiment that is started again continues where it stands. Processes that are started in
the same folder at the same time share the runs.

The report goes to stdout and, with figures and all numbers, into the folder: tables.md,
epochs.png, accuracy-betti.png, results.json, and weights.png where several methods differ in
the weight of the topological loss only."""

# Values that have an option of their own; --set reaches all others.
OPTIONS = {
    "data": ("data", "paths"),
    "invert": ("data", "invert"),
    "epochs": ("training", "epochs"),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "experiment",
        help="compare methods over seeds, on held-out sections",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument("--out", metavar="FOLDER", default="experiment", help="(experiment)")
    parser.add_argument(
        "--config", metavar="FILE", help="TOML: seeds, [data], [training], [methods.NAME]"
    )
    parser.add_argument("--seeds", type=positive, metavar="N", help="seeds 0 to N - 1")
    parser.add_argument(
        "--join", nargs="+", default=[], metavar="FOLDER",
        help="first, copy the finished runs of other folders, of other machines",
    )  # fmt: skip
    parser.add_argument(
        "--time-steps", type=count, default=0, metavar="N",
        help="at the end, time the training steps of all methods in turns, on N batches (0)",
    )  # fmt: skip
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Do the runs that are left, and report."""
    run_kernels(lambda: _run(args))
    return 0


def _run(args: argparse.Namespace) -> None:
    from pytopo.training.blocks import open_blocks
    from pytopo.training.distributed import joined_world
    from pytopo.training.experiment import check_experiment, start_experiment
    from pytopo.training.joining import join, runs_to_join
    from pytopo.training.methods import experiment_of
    from pytopo.training.report import write_report
    from pytopo.training.results import gather_results, write_json
    from pytopo.training.timing import FILE, read_times, time_steps

    device = device_of(args)
    with joined_world(device) as world:
        if world.size > 1:
            raise InputError(
                "an experiment is shared by starting it several times, not by torchrun"
            )
        with reporting_errors():
            experiment = experiment_of(_tables(args))
            blocks = open_blocks(experiment.config.data)
            notes = check_experiment(experiment, args.out, blocks, world)
            copies = runs_to_join(experiment, args.out, args.join)
            start_experiment(args.out, experiment)
        args.after_interrupt = "; the same command continues where it stands"
        for note in notes:
            say(note)
        with reporting_system_errors():
            for source, _ in join(copies):
                say(f"joined {source}")
        _complete(args, experiment, blocks, world)
        folder = Path(args.out)
        if args.time_steps:
            with reporting_training_errors(where=f"{args.out}: "):
                times = time_steps(experiment, folder, blocks, world, args.time_steps)
                write_json(folder / FILE, times)
    with reporting_errors():
        found, times = gather_results(experiment, folder), read_times(folder)
    with reporting_system_errors():
        text = write_report(folder, experiment, found, times)
    with results() as stream:
        print(text, file=stream)
    say(f"wrote {folder}: results.json, tables.md and figures")


def _complete(
    args: argparse.Namespace, experiment: "Experiment", blocks: "Blocks", world: "World"
) -> None:
    """Do the runs that are left."""
    from pytopo.training.experiment import run_experiment
    from pytopo.training.pace import Pace

    with reporting_errors():
        pace = Pace(experiment, args.out)
    rows = run_experiment(
        experiment, args.out, world, blocks=blocks, workers=args.workers, pace=pace, shown=True
    )
    with reporting_training_errors(where=f"{args.out}: "):
        for method, seed, row in rows:
            news = _news(row) if row else f"evaluated; {pace.text()}"
            say(f"{method.name} seed {seed} {news}")


def _news(row: dict[str, float]) -> str:
    """Return the row of an epoch in words."""
    return (
        f"epoch {row['epoch']}: loss {row['loss']:.4f}, accuracy {row['pixel_accuracy']:.4f}, "
        f"Betti error {row['betti_error']:.3f}, VOI {row['voi']:.3f}, {row['seconds']:.0f} s"
    )


def _tables(args: argparse.Namespace) -> dict[str, Any]:
    """Return the tables of the experiment: its values, and the seeds."""
    from pytopo.training.methods import DATTA_2024

    tables = configured(args, DATTA_2024, OPTIONS)
    return tables if args.seeds is None else {**tables, "seeds": list(range(args.seeds))}
