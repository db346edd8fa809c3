"""Trainers of nnU-Net with the topological loss: Dice + cross-entropy + weight * topology.

    export nnUNet_extTrainer=$(pytopo nnunet-path)
    nnUNetv2_train 1 2d 0 -tr nnUNetTrainerPytopo

nnU-Net imports every module of this folder, and takes the class of the name it was given.
"""

import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from pytopo.integrations.nnunet import CompoundLoss, options_of


class nnUNetTrainerPytopo(nnUNetTrainer):
    """Dice + cross-entropy, and the topological loss with points matched at the least cost."""

    matching = "wasserstein"

    # nnU-Net reads the names of these parameters.
    def __init__(self, plans, configuration, fold, dataset_json, device=torch.device("cuda")):  # noqa: B008
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.topology = options_of(dataset_json)
        self.num_epochs = self.topology.epochs or self.num_epochs
        if steps := self.topology.iterations:
            self.num_iterations_per_epoch = steps
            self.num_val_iterations_per_epoch = max(1, steps // 5)  # nnU-Net: 250 and 50

    def _build_loss(self):
        labels = self.label_manager
        self.print_to_log_file(f"pytopo: matching {self.matching}, {self.topology}")
        return CompoundLoss(
            super()._build_loss(),
            self.topology,
            self.matching,
            regions=labels.has_regions,
            ignore_label=labels.ignore_label,
        )

    def on_train_epoch_start(self):
        super().on_train_epoch_start()
        self.loss.epoch = self.current_epoch


class nnUNetTrainerPytopoBettiMatching(nnUNetTrainerPytopo):
    """The same, with features matched by where they are: Betti matching."""

    matching = "betti"
