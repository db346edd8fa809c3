"""What may go into the loss: dense batches of numbers, targets and likelihoods in [0, 1].

Everything else is refused in one line.  A mask of 0 and 255, or logits mistaken for
likelihoods, would give a loss and a gradient too, and train a network that learns nothing.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import forward_ad

from pytopo.images.masks import IGNORE_LABELS, value_counts_text
from pytopo.images.scaling import ROUNDING
from pytopo.notes import warn_of

GREY = 30  # above it values are neither likelihoods nor, if none is negative, logits
NO_NEGATIVE = (
    "is never negative and far above 1, like an image of 0 to 255, and its sigmoid is taken; "
    "expected logits, which are negative where there is no foreground"
)
NO_MINIMUM = (torch.bool, torch.uint16, torch.uint32, torch.uint64)  # for torch.aminmax


def check_images(images: object, name: str) -> None:
    """Refuse anything but a dense batch of images whose values can be read.

    Parameters
    ----------
    images : object
        To be a Tensor of shape (B, C, H, W) or (B, C, D, H, W).
    name : str
        "prediction", which has to be made of floats, or "target".

    Raises
    ------
    TypeError
        As `check_tensor`.
    ValueError
        If it has another shape, or no pixel.
    """
    check_tensor(images, name)
    assert isinstance(images, Tensor)
    if images.ndim not in (4, 5) or images.numel() == 0:
        raise ValueError(
            f"{name} has shape {tuple(images.shape)}; expected (B, C, H, W) or (B, C, D, H, W)"
        )


def check_tensor(images: object, name: str) -> None:
    """Refuse anything but a dense tensor of real numbers whose values can be read.

    Raises
    ------
    TypeError
        If it is no Tensor, not dense, not real, or without values of its own.
    """
    if not isinstance(images, Tensor):
        raise TypeError(f"{name} is {type(images).__name__}; expected a Tensor")
    if images.is_nested:
        raise TypeError(
            f"{name} is a nested tensor; expected images of one shape, or one call for each"
        )
    if images.layout != torch.strided:
        raise TypeError(
            f"{name} has layout {images.layout}; expected a dense tensor, {name}.to_dense()"
        )
    if images.is_meta or _has_no_values(images):
        kind = "a tensor on the meta device" if images.is_meta else type(images).__name__
        raise TypeError(
            f"{name} is {kind}, which holds no values of its own; a diagram is computed of "
            "values, so the loss cannot be exported, nor traced without them"
        )
    if torch.jit.is_tracing():
        raise TypeError(
            "the loss is traced; its pixels differ from call to call and cannot be recorded: "
            "trace the network alone"
        )
    if torch._C._functorch.is_functorch_wrapped_tensor(images):
        raise TypeError(
            f"{name} is inside a transform of torch.func, which hides its values; expected "
            "the loss outside it, and .backward() or torch.autograd.grad for the gradient"
        )
    if _carries_tangent(images):
        raise TypeError(
            f"{name} carries a tangent of forward-mode differentiation, for which the loss has "
            "no rule; expected .backward() or torch.autograd.grad for the gradient"
        )
    if images.is_complex():
        raise TypeError(f"{name} has dtype {images.dtype}; expected real numbers")
    if name == "prediction" and not images.is_floating_point():
        grey = ", prediction / 255 for grey values of 0 to 255"
        advice = grey if images.dtype == torch.uint8 else ""
        raise TypeError(f"{name} has dtype {images.dtype}; expected floats{advice}")
    if images.is_quantized:
        raise TypeError(f"{name} is quantized; expected numbers, {name}.dequantize()")
    if images.is_floating_point() and images.dtype.itemsize < 2:
        raise TypeError(
            f"{name} has dtype {images.dtype}; expected floats of 16 bits or more, "
            f"{name}.float()"
        )


def _has_no_values(images: Tensor) -> bool:
    """Return whether a subclass computes by itself, and is a stand-in for other tensors."""
    return type(images).__torch_dispatch__ is not Tensor.__torch_dispatch__


def _carries_tangent(images: Tensor) -> bool:
    """Return whether a tensor is a dual number of ``torch.autograd.forward_ad``."""
    return forward_ad.unpack_dual(images).tangent is not None


def check_likelihoods(prediction: Tensor) -> None:
    """Refuse likelihoods outside [0, 1], which are mostly logits."""
    low, high = _finite_range(prediction, "prediction")
    if _outside(prediction, low, high):
        grey = "prediction / 255 for grey values of 0 to 255; " if _is_grey(low, high) else ""
        raise ValueError(
            f"prediction holds values from {low:.8g} to {high:.8g}; expected likelihoods from "
            f"0 to 1: {grey}logits become likelihoods with sigmoid=True, or softmax=True over "
            "channels"
        )


def _is_grey(low: float, high: float) -> bool:
    """Return whether values look like those of an image of 8 bits."""
    return low >= 0 and GREY < high <= 255


def check_logits(prediction: Tensor, softmax: bool) -> None:
    """Refuse logits that are not finite; the sigmoid would hide the infinite ones.

    Warns
    -----
    InputWarning
        If they look like likelihoods, or like an image of 0 to 255: without a negative one, and
        from near 0 to near 1.  Logits may be like that, but those of a network hardly ever are.
    """
    low, high = value_range(prediction)
    if not (np.isfinite(low) and np.isfinite(high)):
        tame = "" if np.isnan(low) else "; prediction.clamp(-30, 30) is certain enough"
        raise ValueError(_not_finite(prediction, "prediction") + tame)
    if low < 0:
        return
    if high <= 1 and high - low > 0.7 and _is_likelihood(prediction.detach(), softmax):
        layer = "softmax" if softmax else "sigmoid"
        note = f"lies in [0, 1], like likelihoods, and its {layer} is taken; expected logits, "
        warn_of([f"{note}what comes before the {layer} of the network"], "prediction")
    if _is_grey(low, high) and not softmax:
        warn_of([NO_NEGATIVE], "prediction")


def _is_likelihood(values: Tensor, softmax: bool) -> bool:
    """Return whether values in [0, 1] are neither those of a mask nor all the same."""
    if softmax:
        return bool(((values.float().sum(1) - 1).abs() < 1e-2).all())
    return bool((values != values.round()).any()) and bool(
        (values != values.flatten()[0]).any()
    )


def check_target(target: Tensor) -> None:
    """Refuse a target outside [0, 1]: masks of 0 and 255, ids, marks of pixels to ignore."""
    if target.dtype == torch.bool:
        return
    low, high = _finite_range(target, "target")
    if _outside(target, low, high):
        values = as_array(target)
        raise ValueError(
            f"target holds {value_counts_text(values)}; expected 0 to 1: {_advice(values)}"
        )


def _advice(values: NDArray) -> str:
    """Return what makes a target of values outside [0, 1]."""
    distinct = np.unique(values)
    high = np.format_float_positional(distinct[-1], trim="-")
    if distinct[0] == 0 and distinct.size == 2:
        return f"target / {high}"
    if distinct.size <= 2:
        return f"target == {high} for a mask of the larger value"
    odd = distinct[(distinct < 0) | (distinct > 1)]
    if odd.size == 1 and odd[0] in IGNORE_LABELS:
        return f"ignore_index={odd[0]:.0f} leaves those pixels out"
    if (distinct == np.floor(distinct)).all():
        white = "255" if _is_grey(distinct[0], distinct[-1]) else high
        scaled = f", or target / {white} for grey values" if distinct[0] >= 0 else ""
        return f"one channel a class (one-hot) or target > 0 for ids{scaled}"
    if distinct[0] >= 0:
        return f"target / {high}, or target.clamp(0, 1)"
    return "target.clamp(0, 1), or (target - target.min()) / (target.max() - target.min())"


def _finite_range(images: Tensor, name: str) -> tuple[float, float]:
    """Return the least and the largest value, or refuse a value that is not finite."""
    low, high = value_range(images)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(_not_finite(images, name))
    return low, high


def value_range(images: Tensor) -> tuple[float, float]:
    """Return the least and the largest value, NaN if there is one.

    One pass over the tensor, on its own device, and one wait for two numbers.
    """
    images = images.detach()
    if images.dtype in NO_MINIMUM:
        images = images.to(torch.int64)
    low, high = torch.stack(images.aminmax()).tolist()
    return low, high


def _not_finite(images: Tensor, name: str) -> str:
    values = as_array(images)
    where = np.argwhere(~np.isfinite(values))[0].tolist()
    place = ", ".join(map(str, where))
    return f"{name}[{place}] is not a finite number: {values[tuple(where)]}"


def _outside(images: Tensor, low: float, high: float) -> bool:
    """Return whether values leave [0, 1] by more than sums of likelihoods do by rounding."""
    rounding = ROUNDING
    if images.is_floating_point():
        rounding = max(rounding, 2 * torch.finfo(images.dtype).eps)
    return low < -rounding or high > 1 + rounding


def as_images(images: Tensor) -> NDArray[np.floating]:
    """Return channels as images of their own, (n, H, W) or (n, D, H, W), on the CPU.

    float64 stays, everything else becomes float32.
    """
    dtype = torch.float64 if images.dtype == torch.float64 else torch.float32
    values = images.detach().to("cpu", dtype).contiguous()
    return values.reshape(-1, *values.shape[2:]).numpy()


def as_array(images: Tensor) -> NDArray:
    """Return the values on the CPU; half precision as float32, exactly."""
    return at_least_float(images.detach()).cpu().numpy()


def at_least_float(images: Tensor) -> Tensor:
    """Return half precision as float32, exactly; NumPy has no bfloat16."""
    return images.float() if images.dtype in (torch.float16, torch.bfloat16) else images
