"""``pytopo train``: learn to find membranes, and leave all results in a folder."""

import argparse
import shlex
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import count, positive
from pytopo.cli.report import InputError, reporting_errors, results, say
from pytopo.cli.settings import (
    add_settings,
    configured,
    device_of,
    reporting_training_errors,
)

if TYPE_CHECKING:
    from pytopo.data import Sections
    from pytopo.training.blocks import Blocks
    from pytopo.training.config import RunConfig
    from pytopo.training.distributed import World
    from pytopo.training.log import Row

DESCRIPTION = """\
Train a network on random patches: cross-entropy first, then cross-entropy + weight *
topological loss. Without --data a synthetic volume is generated and used."""

EPILOG = """\
examples:
  pytopo train                                            synthetic data, five minutes
  pytopo train --data sample_A.hdf --out runs/a           a volume in the CREMI layout
  pytopo train --data isbi2012 --invert --network plain --topo-weight 0.1
  pytopo train --config run.toml --set training.epochs=20 --set network.options.width=32
  pytopo train --resume runs/a                            after a kill, bit for bit
  pytopo train --resume runs/a --epochs 30                more epochs than before
  torchrun --nproc-per-node 2 -m pytopo.cli train ...     two processes, one network

The folder will contain config.toml, log.csv, curves.png, examples.png, last.pt, best.pt.
A row per epoch is printed; measures are of the validation sections, thresholded at 0.5;
the Betti error is the mean over framed patches, components and holes together."""

COLUMNS = {
    "epoch": "d",
    "loss": ".6f",
    "pixel_accuracy": ".4f",
    "betti_error": ".4f",
    "voi": ".4f",
    "seconds": ".1f",
}

# Values that have an option of their own; --set reaches all others.
OPTIONS = {
    "data": ("data", "paths"),
    "invert": ("data", "invert"),
    "network": ("network", "name"),
    "weights": ("network", "weights"),
    "epochs": ("training", "epochs"),
    "seed": ("training", "seed"),
    "topo_weight": ("loss", "topo_weight"),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="train a network with the topological loss",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument("--out", metavar="FOLDER", help="folder of the run (run)")
    parser.add_argument(
        "--resume", metavar="FOLDER",
        help="resume the run in a folder; of its configuration only --epochs may change",
    )  # fmt: skip
    parser.add_argument(
        "--config", metavar="FILE", help="TOML: [data], [network], [training], [loss]"
    )
    add_settings(parser)
    parser.add_argument(
        "--network", metavar="NAME", help="base, vgg19, enhanced, unet or plain"
    )
    parser.add_argument("--weights", metavar="FILE", help="a checkpoint to start from")
    parser.add_argument("--seed", type=count, metavar="N", help="(0)")
    parser.add_argument("--topo-weight", type=float, metavar="X", help="0 leaves it out (0.03)")
    parser.add_argument(
        "--save-every", type=positive, default=200, metavar="N",
        help="steps between checkpoints (200)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Train, and print a row per epoch."""
    described = {*OPTIONS, "out", "config", "set"} - {"epochs"}
    if args.resume and any(getattr(args, name) is not None for name in described):
        args.usage_error(
            "--resume reads the configuration, except --epochs, from its folder; leave out "
            "the other options that describe a run"
        )
    run_kernels(lambda: _run(args))
    return 0


def _run(args: argparse.Namespace) -> None:
    from pytopo.training.distributed import joined_world
    from pytopo.training.run import resume_run

    device = device_of(args)
    with joined_world(device) as world, ExitStack() as until_the_end:
        folder, config, blocks = _begun(args, world, until_the_end)
        args.after_interrupt = f"; to resume: pytopo train --resume {shlex.quote(folder)}"
        world.wait()
        if world.is_first:
            say(_opening(folder, config, blocks))
            _print(_line(dict.fromkeys(COLUMNS)))
        rows = resume_run(
            folder,
            world,
            blocks=blocks,
            workers=args.workers,
            save_every=args.save_every,
            shown=folder,
        )
        with reporting_training_errors(advice=f"; the batch is in {folder}/not-finite.pt"):
            for row in rows:
                if world.is_first:
                    _print(_line(row))
        if world.is_first:
            say(f"wrote {folder}: log.csv, curves.png, examples.png, best.pt, last.pt")


def _begun(
    args: argparse.Namespace, world: "World", until_the_end: ExitStack
) -> "tuple[str, RunConfig, Blocks]":
    """Check all that can be checked, and then write the configuration of the run.

    The folder is claimed until the end of ``until_the_end``.
    """
    from pytopo.training.blocks import open_blocks
    from pytopo.training.checks import check_run
    from pytopo.training.config import config_of
    from pytopo.training.folder import start_run, write_config
    from pytopo.training.resume import check_resume

    folder = args.resume or args.out or "run"
    with reporting_errors():
        config = _resumed(args) if args.resume else config_of(configured(args, {}, OPTIONS))
        if args.resume:
            _claim(folder, world, until_the_end)
            begun = (Path(folder) / "last.pt").exists()
            notes = check_resume(folder, world, config)
            blocks = open_blocks(config.data)
            notes += check_run(config, blocks, world, begun=begun)
            if world.is_first and args.epochs is not None:
                write_config(folder, config)
        else:
            blocks = open_blocks(config.data)
            notes = check_run(config, blocks, world)
            _claim(folder, world, until_the_end)
            if world.is_first:
                start_run(folder, config)
    if world.is_first:
        for note in notes:
            say(note)
    return folder, config, blocks


def _claim(folder: str, world: "World", until_the_end: ExitStack) -> None:
    """Keep other processes out of the folder of a run, except those that train with us."""
    from pytopo.training.folder import claimed

    if Path(folder).exists() and not Path(folder).is_dir():
        raise InputError(f"{folder}: a file; name a folder for the run")
    if world.is_first and not until_the_end.enter_context(claimed(folder)):
        raise InputError(f"{folder}: another process is training in this folder; name another")


def _resumed(args: argparse.Namespace) -> "RunConfig":
    """Return the configuration of a run's folder, with the number of epochs if one is given."""
    from pytopo.training.folder import read_run

    config = read_run(args.resume)
    if args.epochs is None:
        return config
    return replace(config, training=replace(config.training, epochs=args.epochs))


def _print(line: str) -> None:
    with results() as stream:
        print(line, file=stream, flush=True)


def _opening(folder: str, config: "RunConfig", blocks: "Blocks") -> str:
    """Return what is going to happen, in one line."""
    training = config.training
    data = ", ".join(config.data.paths) or "a synthetic volume"
    counts = " / ".join(
        str(len(block)) for block in (blocks.train, blocks.validation, blocks.test)
    )
    return (
        f"{folder}: {config.network.name} on {data}, {counts} sections to train / validate / "
        f"test, {training.epochs} epochs of {training.epoch_steps} steps; calling every "
        f"pixel background has accuracy {_background(blocks.validation):.4f}"
    )


def _background(sections: "Sections") -> float:
    """Return the share of background: the accuracy of predicting no membrane at all."""
    pixels = [section.truth.size for section in sections]
    return 1 - sum(int(section.truth.sum()) for section in sections) / sum(pixels)


def _line(row: "dict[str, Any] | Row") -> str:
    cells = []
    for name, form in COLUMNS.items():
        width = max(len(name), 9)
        cells.append(
            name.rjust(width) if row[name] is None else format(row[name], form).rjust(width)
        )
    return "  ".join(cells)
