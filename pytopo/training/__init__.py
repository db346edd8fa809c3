"""Training: cross-entropy, then the topological loss beside it.

==============  ======================================================================
file            what it does
==============  ======================================================================
loop.py         ``train``: one flat loop over batches, and its two schedules
config.py       all that can be asked for, from TOML and the command line
checkpoint.py   a network in a file
distributed.py  several processes that train one network
prediction.py   a network and an image become a likelihood, tile by tile
run.py          a run in a folder, which can be killed and resumed
figures.py      its curves and examples
experiment.py   methods x seeds, measured on held-out sections
report.py       what came out, as tables and figures
==============  ======================================================================
"""

from pytopo.training.loop import (
    MOST_SEEDS,
    OPTIMIZERS,
    SCHEDULES,
    LossConfig,
    NotFinite,
    Step,
    TrainingConfig,
    learning_rate,
    new_optimizer,
    topo_weight,
    train,
)

__all__ = [
    "MOST_SEEDS",
    "OPTIMIZERS",
    "SCHEDULES",
    "LossConfig",
    "NotFinite",
    "Step",
    "TrainingConfig",
    "learning_rate",
    "new_optimizer",
    "topo_weight",
    "train",
]
