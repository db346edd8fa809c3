"""``pytopo experiment``: methods x seeds, measured in the same way, as tables and figures."""

import argparse
import json
from pathlib import Path
from typing import Any

from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import count, positive
from pytopo.cli.report import (
    InputError,
    reporting_errors,
    reporting_system_errors,
    results,
    say,
)
from pytopo.cli.settings import setting, with_settings

DESCRIPTION = """\
Train several methods with several seeds on the same sections, and report on sections that
nothing was chosen by. Without --config: base, VGG-19, enhanced and U-Net, the last two with
and without the topological loss, ten epochs each."""

EPILOG = """\
An experiment goes on where it stands when it is started again. Started several times at the
same time, in the same folder, the processes share the runs.

The report goes to stdout and, with two figures and all numbers, into the folder:
tables.md, epochs.png, accuracy-betti.png, results.json."""


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
    parser.add_argument("--data", action="append", metavar="PATH", help="as of pytopo train")
    parser.add_argument(
        "--invert", action="store_true", default=None, help="labels mark the interior of cells"
    )
    parser.add_argument("--seeds", type=positive, metavar="N", help="seeds 0 to N - 1")
    parser.add_argument("--epochs", type=positive, metavar="N", help="of all methods")
    parser.add_argument(
        "--set", action="append", metavar="KEY=VALUE", type=setting,
        help="a value, like training.patches=512",
    )  # fmt: skip
    parser.add_argument("--device", metavar="NAME", help="cpu or cuda")
    parser.add_argument("--workers", type=count, default=0, metavar="N")


def run(args: argparse.Namespace) -> int:
    """Do the runs that are left, and report."""
    run_kernels(lambda: _run(args))
    return 0


def _run(args: argparse.Namespace) -> None:
    from pytopo.data.patches import PatchError
    from pytopo.training.distributed import joined_world
    from pytopo.training.experiment import (
        check_experiment,
        experiment_of,
        go_through,
        start_experiment,
    )
    from pytopo.training.experiment import results as results_of
    from pytopo.training.loop import NotFinite
    from pytopo.training.prediction import checked_device
    from pytopo.training.report import write_report
    from pytopo.training.run import open_blocks

    if args.device is not None:
        with reporting_errors():
            checked_device(args.device)
    with joined_world(args.device) as world:
        if world.size > 1:
            raise InputError(
                "an experiment is shared by starting it several times, not by torchrun"
            )
        with reporting_errors():
            experiment = experiment_of(_tables(args))
            blocks = open_blocks(experiment.config.data)
            notes = check_experiment(experiment, args.out, blocks, world)
            start_experiment(args.out, experiment)
        args.after_interrupt = "; the same command goes on where it stands"
        for note in notes:
            say(note)
        rows = go_through(experiment, args.out, world, blocks=blocks, workers=args.workers)
        try:
            with reporting_system_errors():
                for method, seed, row in rows:
                    say(
                        f"{method.name} seed {seed} epoch {row['epoch']}: loss "
                        f"{row['loss']:.4f}, accuracy {row['pixel_accuracy']:.4f}, Betti error "
                        f"{row['betti_error']:.3f}, VOI {row['voi']:.3f}, "
                        f"{row['seconds']:.0f} s"
                    )
        except PatchError as error:
            raise InputError(error.reason) from None
        except NotFinite as error:
            raise InputError(f"{args.out}: {error}") from None
    folder = Path(args.out)
    with reporting_errors():
        found = results_of(experiment, folder)
    with reporting_system_errors():
        _write_results(folder, found)
        text = write_report(folder, experiment, found)
    with results() as stream:
        print(text, file=stream)
    say(f"wrote {folder}: results.json, tables.md, epochs.png, accuracy-betti.png")


def _tables(args: argparse.Namespace) -> dict[str, Any]:
    from pytopo.training.config import read_tables
    from pytopo.training.experiment import DOCUMENT

    named = {
        "data.paths": args.data,
        "data.invert": args.invert,
        "training.epochs": args.epochs,
    }
    return {
        **with_settings(
            read_tables(args.config) if args.config else DOCUMENT,
            [
                *(args.set or []),
                *((key.split("."), value) for key, value in named.items() if value is not None),
            ],
        ),
        **({} if args.seeds is None else {"seeds": list(range(args.seeds))}),
    }


def _write_results(folder: Path, found: dict[str, Any]) -> None:
    from pytopo.files import replacing

    with replacing(folder / "results.json") as stream:
        stream.write(json.dumps(found, indent=1) + "\n")
