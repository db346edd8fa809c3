"""``pytopo train``: learn to find membranes, in a folder that tells all about it."""

import argparse
import shlex
from contextlib import ExitStack
from dataclasses import replace
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
from pytopo.cli.settings import setting, with_settings

if TYPE_CHECKING:
    from pytopo.data import Sections
    from pytopo.training.config import RunConfig
    from pytopo.training.distributed import World
    from pytopo.training.run import Blocks, Row

DESCRIPTION = """\
Train a network on random patches: cross-entropy first, then cross-entropy + weight *
topological loss. Without --data a synthetic volume is made and learnt from."""

EPILOG = """\
examples:
  pytopo train                                            synthetic data, five minutes
  pytopo train --data sample_A.hdf --out runs/a           a volume in the CREMI layout
  pytopo train --data isbi2012 --invert --network plain --topo-weight 0.1
  pytopo train --config run.toml --set training.epochs=20 --set network.options.width=32
  pytopo train --resume runs/a                            after a kill, bit for bit
  pytopo train --resume runs/a --epochs 30                go on for longer
  torchrun --nproc-per-node 2 -m pytopo.cli train ...     two processes, one network

The folder gets config.toml, log.csv, curves.png, examples.png, last.pt and best.pt.
A row an epoch is printed; measures are of the validation sections, thresholded at 0.5;
the Betti error is the mean over framed patches, components and holes together."""

COLUMNS = {
    "epoch": "d",
    "loss": ".6f",
    "pixel_accuracy": ".4f",
    "betti_error": ".4f",
    "voi": ".4f",
    "seconds": ".1f",
}

# Options that have a name of their own; --set reaches all others.
SHORT = {
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
        help="go on with the run in a folder; of what describes it only --epochs may change",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", help="a TOML file with the tables below")
    parser.add_argument(
        "--set", action="append", metavar="KEY=VALUE", type=setting,
        help="a value of [data], [network], [training] or [loss], like loss.warmup=3",
    )  # fmt: skip
    parser.add_argument(
        "--data", action="append", metavar="PATH",
        help="file in the CREMI layout, folder with image/ and label/, or "
        "raw.h5:/raw,labels.h5:/labels; several are joined",
    )  # fmt: skip
    parser.add_argument(
        "--invert", action="store_true", default=None, help="labels mark the interior of cells"
    )
    parser.add_argument(
        "--network", metavar="NAME", help="base, vgg19, enhanced, unet or plain"
    )
    parser.add_argument("--weights", metavar="FILE", help="a checkpoint to start from")
    parser.add_argument("--epochs", type=positive, metavar="N", help="(10)")
    parser.add_argument("--seed", type=count, metavar="N", help="(0)")
    parser.add_argument("--topo-weight", type=float, metavar="X", help="0 leaves it out (0.03)")
    parser.add_argument(
        "--device", metavar="NAME", help="cpu or cuda (a GPU where there is one)"
    )
    parser.add_argument(
        "--workers", type=count, default=0, metavar="N", help="processes that cut patches (0)"
    )
    parser.add_argument(
        "--save-every", type=positive, default=200, metavar="N",
        help="steps between checkpoints (200)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Train, and print a row an epoch."""
    described = {*SHORT, "out", "config", "set"} - {"epochs"}
    if args.resume and any(getattr(args, name) is not None for name in described):
        args.usage_error(
            "--resume takes all but --epochs from its folder; leave out what describes a run"
        )
    run_kernels(lambda: _run(args))
    return 0


def _run(args: argparse.Namespace) -> None:
    from pytopo.data.patches import PatchError
    from pytopo.training.distributed import joined_world
    from pytopo.training.loop import NotFinite
    from pytopo.training.prediction import checked_device
    from pytopo.training.run import go_on

    if args.device is not None:
        with reporting_errors():
            checked_device(args.device)
    with joined_world(args.device) as world, ExitStack() as until_the_end:
        folder, config, blocks = _begun(args, world, until_the_end)
        args.after_interrupt = f"; pytopo train --resume {shlex.quote(folder)} goes on"
        world.wait()
        if world.is_first:
            say(_opening(folder, config, blocks))
            _print(_line(dict.fromkeys(COLUMNS)))
        rows = go_on(
            folder, world, blocks=blocks, workers=args.workers, save_every=args.save_every
        )
        try:
            with reporting_system_errors():
                for row in rows:
                    if world.is_first:
                        _print(_line(row))
        except PatchError as error:
            raise InputError(error.reason) from None
        except NotFinite as error:
            raise InputError(f"{error}; the batch is in {folder}/not-finite.pt") from None
        if world.is_first:
            say(f"wrote {folder}: log.csv, curves.png, examples.png, best.pt, last.pt")


def _begun(
    args: argparse.Namespace, world: "World", until_the_end: ExitStack
) -> "tuple[str, RunConfig, Blocks]":
    """Check all that can be checked, and then write down what is asked of the run.

    The folder is ours until the end of ``until_the_end``.
    """
    from pytopo.training.run import (
        check_resume,
        check_run,
        open_blocks,
        start_run,
        write_config,
    )

    folder = args.resume or args.out or "run"
    with reporting_errors():
        config = _resumed(args) if args.resume else _config(args)
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
    """Keep other processes out of the folder of a run, but those that train with us."""
    from pytopo.training.run import claimed

    if Path(folder).exists() and not Path(folder).is_dir():
        raise InputError(f"{folder}: a file; name a folder for the run")
    if world.is_first and not until_the_end.enter_context(claimed(folder)):
        raise InputError(f"{folder}: another process is training in this folder; name another")


def _resumed(args: argparse.Namespace) -> "RunConfig":
    """Return what the folder of a run says, with the number of epochs that is asked for."""
    from pytopo.training.run import read_run

    config = read_run(args.resume)
    if args.epochs is None:
        return config
    return replace(config, training=replace(config.training, epochs=args.epochs))


def _print(line: str) -> None:
    with results() as stream:
        print(line, file=stream, flush=True)


def _config(args: argparse.Namespace) -> "RunConfig":
    """Return what is asked: defaults, then the file, then --set, then the options."""
    from pytopo.training.config import config_of, read_tables

    tables = with_settings(read_tables(args.config) if args.config else {}, args.set or [])
    named = [
        ([table, name], getattr(args, option))
        for option, (table, name) in SHORT.items()
        if getattr(args, option) is not None
    ]
    return config_of(with_settings(tables, named))


def _opening(folder: str, config: "RunConfig", blocks: "Blocks") -> str:
    """Return what is going to happen, in a line."""
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
    """Return the share of background in the truth: the accuracy of a network that sees none."""
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
