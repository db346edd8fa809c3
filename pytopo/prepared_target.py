"""``PreparedTarget``: a truth whose diagrams are known, on its way through a data loader.

    worker: prepare -> pickle -> main process: collate -> pin -> to the device -> loss

Only the tensor moves.  The diagrams are arrays of NumPy, and are used where they are.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data._utils.collate import default_collate_fn_map

from pytopo.diagram import Diagram


class PreparedTarget:
    """A truth whose diagrams are known: `TopologicalLoss.prepare` makes it, `forward` takes it.

    It moves like a tensor, so that data loaders and trainers can carry it: ``to`` a device,
    ``pin_memory``, and joined by ``torch.utils.data.default_collate``.

    Attributes
    ----------
    tensor : (B, C, H, W) or (B, C, D, H, W) Tensor
        The truth itself.
    diagrams : list of Diagram
        One an image and channel, channels fastest.
    made_with : tuple
        The options of the loss that made it.

    Examples
    --------
    >>> import torch
    >>> from pytopo import TopologicalLoss
    >>> loss = TopologicalLoss()
    >>> first, second = (loss.prepare(torch.ones(1, 1, 5, 5)) for _ in range(2))
    >>> torch.utils.data.default_collate([first, second])
    <PreparedTarget of shape (2, 1, 5, 5) on cpu>
    """

    def __init__(
        self, tensor: Tensor, diagrams: list[Diagram], made_with: tuple[object, ...]
    ) -> None:
        self.tensor = tensor
        self.diagrams = diagrams
        self.made_with = made_with

    def to(self, *args: Any, **kwargs: Any) -> "PreparedTarget":
        """Return the same with its tensor elsewhere; the arguments are those of `Tensor.to`."""
        return self._with(self.tensor.to(*args, **kwargs))

    def pin_memory(self) -> "PreparedTarget":
        """Return the same with its tensor in page-locked memory."""
        return self._with(self.tensor.pin_memory())

    def _with(self, tensor: Tensor) -> "PreparedTarget":
        return PreparedTarget(tensor, self.diagrams, self.made_with)

    def __repr__(self) -> str:
        where = f"{tuple(self.tensor.shape)} on {self.tensor.device}"
        return f"<PreparedTarget of shape {where}>"


def joined(targets: Sequence[PreparedTarget], **_: object) -> PreparedTarget:
    """Return several prepared targets as one, along the first axis, B.

    Raises
    ------
    ValueError
        If losses with different options made them, or their images differ in shape.
    """
    if any(target.made_with != targets[0].made_with for target in targets):
        raise ValueError(
            "targets were prepared by losses with different options; prepare all with one"
        )
    shapes = {tuple(target.tensor.shape[1:]) for target in targets}
    if len(shapes) > 1:
        raise ValueError(
            f"targets have images of shapes {', '.join(map(str, sorted(shapes)))}; "
            "expected one shape in a batch"
        )
    return PreparedTarget(
        torch.cat([target.tensor for target in targets]),
        [diagram for target in targets for diagram in target.diagrams],
        targets[0].made_with,
    )


default_collate_fn_map[PreparedTarget] = joined
