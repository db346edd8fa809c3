"""``pytopo nnunet-path``: where nnU-Net finds the trainers with the topological loss."""

import argparse

from pytopo.cli.report import results

DESCRIPTION = """\
Print the folder of the trainers nnUNetTrainerPytopo and nnUNetTrainerPytopoBettiMatching, for
nnU-Net v2 to find them."""

EPILOG = """\
  export nnUNet_extTrainer=$(pytopo nnunet-path)
  nnUNetv2_train 1 2d 0 -tr nnUNetTrainerPytopo

Options are read from the table "pytopo" in dataset.json, or from variables that win over it:
PYTOPO_WEIGHT, PYTOPO_WARMUP, PYTOPO_RAMP, PYTOPO_CONSTRUCTION, PYTOPO_FRAME, PYTOPO_NORMALIZE,
PYTOPO_MIN_PERSISTENCE, PYTOPO_EPOCHS, PYTOPO_ITERATIONS."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "nnunet-path",
        help="the folder of the trainers for nnU-Net",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the folder."""
    from pytopo.integrations.nnunet import trainer_folder

    with results() as stream:
        print(trainer_folder(), file=stream)
    return 0
