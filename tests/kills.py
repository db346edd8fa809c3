"""Kill a training run at random moments, resume it, and compare with one never killed.

python tests/kills.py 10
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from pytopo.training.checkpoint import load_checkpoint
from pytopo.training.folder import is_finished

TRAIN = [sys.executable, "-m", "pytopo.cli", "train"]
RUN = ["--epochs", "6", "--set", "data.sections=6", "--set", "data.side=128",
       "--set", "training.patches=256", "--set", "network.options.width=8",
       "--set", "loss.warmup=2"]  # fmt: skip
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    moments = random.Random(args.seed)
    os.environ["OMP_NUM_THREADS"] = "1"

    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        begun = time.perf_counter()
        subprocess.run([*TRAIN, *RUN, "--out", whole], check=True, **QUIET)
        seconds = time.perf_counter() - begun
        print(f"never killed: {seconds:.0f} s", flush=True)
        for kill in range(args.kills):
            begin = killed / "config.toml"
            command = ["--resume", killed] if begin.exists() else [*RUN, "--out", killed]
            process = subprocess.Popen([*TRAIN, *command, "--save-every", "3"], **QUIET)
            time.sleep(moments.uniform(0.1, 0.5) * seconds)
            process.kill()
            process.wait()
            last = killed / "last.pt"
            step = load_checkpoint(last)["step"] if last.exists() else 0
            print(f"kill {kill + 1}: continues from step {step}", flush=True)
            if last.exists() and is_finished(killed):
                print("finished; starting a new one")
                compare(whole, killed)
                killed = Path(folder) / f"killed-{kill}"
        subprocess.run([*TRAIN, "--resume", killed], check=True, **QUIET)
        compare(whole, killed)
        left = [path.name for path in killed.iterdir() if path.suffix == ".part"]
        print("left half written:", ", ".join(left) if left else "nothing")
        if left:
            sys.exit(1)


def compare(whole, killed):
    one, other = (load_checkpoint(folder / "last.pt")["weights"] for folder in (whole, killed))
    differ = [name for name in one if not torch.equal(one[name], other[name])]
    print("weights differ:", ", ".join(differ) if differ else "none")
    if differ:
        sys.exit(1)


if __name__ == "__main__":
    main()
