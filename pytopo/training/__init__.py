"""Training: cross-entropy, then the topological loss beside it.

==============  ======================================================================
file            what it does
==============  ======================================================================
loop.py         ``train``: one flat loop over batches, and its two schedules
objective.py    what is minimised: cross-entropy, topological and other losses
rivals.py       losses to compare with
checkpoint.py   a network in a file
distributed.py  several processes that train one network
tiles.py        tiles that overlap, and their weights
bands.py        from tiles to likelihood, a band of rows at a time
prediction.py   from network and image to likelihood, tile by tile
config.py       all values of a run, from TOML and the command line

blocks.py       a run: its sections in three blocks, and the patches of the first
network.py      its network, and the weights that it starts with
folder.py       its folder: configuration, lock, and whether it is finished
log.py          its log, one row per epoch
decision.py     from likelihood to mask, and what is measured
checks.py       what is checked before anything is written
resume.py       whether its last checkpoint can be resumed
state.py        where it stands, in memory and in its checkpoint
figures.py      its curves and examples
run.py          all of these: a run in a folder, which can be killed and resumed

methods.py      an experiment: methods x seeds
measures.py     all measures of each image, with a decision
results.py      the numbers of its runs, measured on held-out sections
pace.py         how many runs are done, and the time that is left
experiment.py   all of its runs, shared by several processes
comparison.py   methods in pairs: by seed and by image, with tests
joining.py      finished runs of other folders, of other machines
timing.py       how long a step takes, all methods in turns
families.py     methods that differ in the weight of the topological loss only
tables.py       the results as tables in Markdown
charts.py       the results as figures
report.py       all of these: the report
==============  ======================================================================
"""

from pytopo.training.loop import (
    MOST_SEEDS,
    OPTIMIZERS,
    SCHEDULES,
    NotFinite,
    Step,
    TrainingConfig,
    learning_rate,
    new_optimizer,
    topo_weight,
    train,
)
from pytopo.training.objective import LossConfig

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
