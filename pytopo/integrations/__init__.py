"""Other people's training: losses and trainers in the form that a framework expects.

======================  =========================================================
file                    for
======================  =========================================================
measures.py             what metrics measure of one image, in all frameworks
monai_losses.py         MONAI: the topological loss, alone and with Dice (extra ``monai``)
monai_metrics.py        MONAI: metrics that add up over the batches of an epoch
monai_ignored.py        which pixels they ignore
torchmetrics.py         torchmetrics, and Lightning: the same (extra ``torchmetrics``)
nnunet.py               nnU-Net v2: the compound loss, its options (extra ``nnunet``)
nnunet_trainers/        the trainers that nnU-Net finds through ``nnUNet_extTrainer``
======================  =========================================================
"""
