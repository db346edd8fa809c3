"""Likelihoods of whole images: tiles that overlap are predicted and blended.

    image -> tiles -> network -> sigmoid -> weighted mean -> likelihood

How an image is cut, and how much each pixel of a tile counts, is in `pytopo.training.tiles`;
how little of it has to be in memory, in `pytopo.training.bands`.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from pytopo.images.scaling import clipped_to_unit
from pytopo.notes import number_text
from pytopo.training.bands import likelihood_bands
from pytopo.training.tiles import TILE, planned, reflected

AT_A_TIME = TILE**2  # pixels: on CPUs larger batches take more memory, and more time


def predict(
    network: nn.Module,
    image: NDArray[np.floating],
    *,
    tile: int | None = None,
    overlap: int | None = None,
    batch_size: int | None = None,
    device: str | torch.device | None = None,
) -> NDArray[np.float32]:
    """Return the likelihood of an image, of any size.

    Parameters
    ----------
    network : nn.Module
        Takes (B, 1, h, w) and returns logits of that shape.  Its ``patch_size``,
        ``receptive_field``, ``stride`` and ``channels`` (see `pytopo.models`) are taken into
        account.  It is run in evaluation mode, and then returns to its previous mode.
    image : (H, W) ndarray of floats
        On [0, 1], as `pytopo.read_image` returns it; (H, W, 3) for a network of 3 channels.
    tile : int, optional
        Rows and columns of a tile; by default the ``patch_size``.  A network that takes any
        size is applied to images up to 724 x 724 pixels as a whole, and to larger ones in
        tiles of 512.
    overlap : int, optional
        Rows and columns that neighbouring tiles share, at least: by default half a tile, or
        the receptive field where that is less.  With at least the receptive field the
        likelihood is that of the whole image, up to rounding.
    batch_size : int, optional
        Tiles per application of the network; by default as many as make 512 x 512 pixels.
    device : str or torch.device, optional
        Where to compute: the network is moved there, and stays there.  By default, where it
        is.

    Returns
    -------
    likelihood : (H, W) float32 ndarray
        On [0, 1].

    Raises
    ------
    TypeError
        If the image is not an array of floats.
    ValueError
        If the image has not two axes, is empty, or has values that are NaN or off [0, 1] by
        more than a rounding error; if the network takes no tiles of that size; if the
        overlap leaves no room for the next tile to start; if there is no such device; if
        the network returns NaN, or another shape.

    Examples
    --------
    >>> from pytopo import models
    >>> network = models.build("base", width=4, hidden=8)
    >>> image = np.random.default_rng(0).random((100, 70), np.float32)
    >>> likelihood = predict(network, image)
    >>> likelihood.shape, likelihood.dtype
    ((100, 70), dtype('float32'))
    """
    image = checked_image(image, image_channels(network))
    bands = _bands(
        network, image, tile=tile, overlap=overlap, batch_size=batch_size, device=device
    )
    return np.concatenate(list(bands))


def predict_bands(
    network: nn.Module,
    image: Any,
    *,
    tile: int | None = None,
    overlap: int | None = None,
    batch_size: int | None = None,
    device: str | torch.device | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the likelihood of an image from top to bottom, a band of rows at a time.

    The same as that of `predict`, for images that need not fit into memory: what is kept are
    the rows that tiles overlap, and those of one row of tiles.

    Parameters
    ----------
    network, tile, overlap, batch_size, device
        As of `predict`.
    image : (H, W)
        Anything with a shape, whose slices of rows are arrays as `predict` takes them, such as
        `pytopo.images.windows.Windows`.

    Yields
    ------
    likelihood : (h, W) float32 ndarray
        Of the next rows; all of them together have H.

    Raises
    ------
    TypeError, ValueError
        As `predict`; what is wrong with pixels, when their rows are reached.

    Examples
    --------
    >>> from pytopo import models
    >>> network = models.build("unet", width=4, depth=2)
    >>> image = np.random.default_rng(0).random((100, 30), np.float32)
    >>> tiles = {"tile": 32, "overlap": 8, "batch_size": 1}
    >>> bands = list(predict_bands(network, image, **tiles))
    >>> len(bands) > 1
    True
    >>> bool((np.concatenate(bands) == predict(network, image, **tiles)).all())
    True
    """
    checked = _CheckedRows(image, image_channels(network))
    return _bands(
        network, checked, tile=tile, overlap=overlap, batch_size=batch_size, device=device
    )


class _CheckedRows:
    """An image whose rows are checked when they are read."""

    def __init__(self, image: Any, channels: int) -> None:
        self._image, self._channels, self.shape = image, channels, tuple(image.shape)

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        start, stop, _ = rows.indices(self.shape[0])
        if stop <= start:
            return np.empty((0, *self.shape[1:]), np.float32)
        return checked_image(np.asarray(self._image[start:stop]), self._channels, start)


def _bands(
    network: nn.Module,
    image: Any,
    *,
    tile: int | None,
    overlap: int | None,
    batch_size: int | None,
    device: str | torch.device | None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the likelihood of an image whose rows have been checked, or will be."""
    height, width = image.shape[:2]
    plan = planned(network, (height, width), tile, overlap)
    if batch_size is None:
        batch_size = max(AT_A_TIME // plan.tile**2, 1)
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}; expected at least 1")
    if device is not None:
        network.to(checked_device(device))
    patch_size = getattr(network, "patch_size", None)
    if patch_size is not None and min(height, width) < patch_size:
        image = reflected(image[0:height], patch_size)
    done = 0
    for band in likelihood_bands(network, image, plan, batch_size):
        if done < height:
            yield band[: height - done, :width]
        done += len(band)


def predict_sections(
    network: nn.Module,
    images: Iterable[NDArray[np.floating]],
    *,
    tile: int | None = None,
    overlap: int | None = None,
    batch_size: int | None = None,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> Iterator[NDArray[np.float32]]:
    """Yield the likelihood of each of several images, such as the sections of a volume.

    Parameters
    ----------
    network, tile, overlap, batch_size, device
        As of `predict`.
    images : iterable of (H, W) ndarray of floats
        A volume (D, H, W) is one.
    progress : bool
        Show on stderr how many are done, if that is a terminal.

    Yields
    ------
    likelihood : (H, W) float32 ndarray

    Raises
    ------
    TypeError, ValueError
        As `predict`, when the iterator reaches the image.

    Examples
    --------
    >>> from pytopo import models
    >>> volume = np.zeros((3, 40, 50), np.float32)
    >>> [section.shape for section in predict_sections(models.build("plain"), volume)]
    [(40, 50), (40, 50), (40, 50)]
    """
    shown = progress and sys.stderr is not None and sys.stderr.isatty()
    for image in tqdm(images, unit="section", disable=not shown):
        yield predict(
            network, image, tile=tile, overlap=overlap, batch_size=batch_size, device=device
        )


# ---- checks ------------------------------------------------------------------------------


def checked_image(
    image: NDArray[np.floating], channels: int = 1, first_row: int = 0
) -> NDArray[np.float32]:
    """Return an image as float32, once it is certain that a network can take it.

    Parameters
    ----------
    image : (H, W) or (H, W, channels) ndarray of floats
    channels : int
        Of the images that the network takes.
    first_row : int
        Of these rows in the whole image, for messages.

    Raises
    ------
    TypeError, ValueError
        As `predict`.
    """
    if not (isinstance(image, np.ndarray) and image.dtype.kind == "f"):
        kind = f"dtype {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise TypeError(f"image: {kind}; expected an array of floats on [0, 1]")
    shape = "(H, W)" if channels == 1 else f"(H, W, {channels})"
    if image.ndim < 2 or image.shape[2:] != ((channels,) if channels > 1 else ()):
        raise ValueError(
            f"image of shape {image.shape}; expected {shape} for a network with channels = "
            f"{channels}"
        )
    if image.size == 0:
        raise ValueError(f"image of shape {image.shape}; expected {shape}, with pixels")
    low, high = image.min(), image.max()
    if np.isnan(low):
        row, column = np.argwhere(np.isnan(image))[0][:2]
        row += first_row
        raise ValueError(f"image[{row}, {column}] is NaN; expected values from 0 to 1")
    clipped = clipped_to_unit(image)
    if clipped is None:
        found = f"{number_text(low)} to {number_text(high)}"
        raise ValueError(f"image: values from {found}; expected them on [0, 1]")
    return clipped.astype(np.float32)


def checked_device(device: str | torch.device) -> torch.device:
    """Return a device, once it is certain that this machine has it.

    Raises
    ------
    ValueError
        If it has not.
    """
    try:
        known = torch.device(device)
        torch.empty(1, device=known).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0][:100]
        raise ValueError(f"device {str(device)!r}: {reason}; expected one like cpu") from None
    return known


# ---- the network -------------------------------------------------------------------------


def image_channels(network: nn.Module) -> int:
    """Return the channels of the images that a network takes: 1 if it does not say."""
    channels: int = getattr(network, "channels", 1)
    return channels
