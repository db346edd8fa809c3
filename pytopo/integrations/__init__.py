"""Other people's training: losses and trainers in the form that a framework expects.

======================  =========================================================
file                    for
======================  =========================================================
monai.py                MONAI: losses and metrics (extra ``monai``)
nnunet.py               nnU-Net v2: the compound loss, its options (extra ``nnunet``)
nnunet_trainers/        the trainers that nnU-Net finds through ``nnUNet_extTrainer``
======================  =========================================================
"""
