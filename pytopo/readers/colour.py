"""Colour becomes one number a pixel: a luminance, or for labels an id of each colour.

    image    (299 red + 587 green + 114 blue) / 1000     brightness; colours may share one
    labels   red * 65536 + green * 256 + blue            one id a colour, black is 0

Where an image carries a mask in colour or in its alpha channel, a note says so: luminance
makes a grey of the one and loses the other.
"""

import numpy as np

COLOUR_IDS = "RGB colours read as ids, red * {} + green * {} + blue"
NO_ALPHA = "alpha channel dropped"


def luminance(channels: np.ndarray) -> np.ndarray:
    """Return the luminance of red, green and blue (ITU-R 601), of the same dtype.

    Parameters
    ----------
    channels : (..., 3) ndarray

    Examples
    --------
    >>> luminance(np.array([[255, 0, 0], [9, 99, 199]], np.uint8))
    array([76, 83], dtype=uint8)
    """
    if channels.dtype == np.uint8:  # in the fixed-point numbers that Pillow uses
        red, green, blue = np.moveaxis(channels, -1, 0).astype(np.uint32)
        return ((19595 * red + 38470 * green + 7471 * blue + 2**15) >> 16).astype(np.uint8)
    grey = np.zeros(channels.shape[:-1], np.result_type(channels.dtype, np.float64))
    for k, weight in enumerate((0.299, 0.587, 0.114)):
        grey += weight * channels[..., k]
    return (grey if channels.dtype.kind == "f" else np.rint(grey)).astype(channels.dtype)


def luminance_note(kind: str) -> str:
    """Return what is said of a kind of colour that was turned to grey."""
    if kind == "LAB":
        return "LAB colour turned to its lightness"
    return f"{kind} colour turned to luminance (ITU-R 601)"


def cmyk_luminance(channels: np.ndarray) -> np.ndarray:
    """Return the luminance of cyan, magenta, yellow and black, as Pillow mixes them.

    Parameters
    ----------
    channels : (..., 4) ndarray of unsigned integers

    Examples
    --------
    >>> cmyk_luminance(np.array([[0, 0, 0, 55], [255, 0, 0, 0]], np.uint8))
    array([200, 179], dtype=uint8)
    """
    most = np.iinfo(channels.dtype).max
    white = most - channels[..., 3:].astype(np.float64)
    mixed = np.maximum(white - np.rint(channels[..., :3] * white / most), 0)
    return luminance(mixed.astype(channels.dtype))


def colour_ids(channels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return one integer a pixel, different for different colours, and notes.

    Parameters
    ----------
    channels : (..., 3) ndarray of uint8 or uint16

    Returns
    -------
    ids : (...) ndarray
        The grey itself where red, green and blue are equal everywhere; otherwise the ids, in
        uint32 of 8-bit channels and in uint64 of 16-bit channels.
    notes : tuple of str

    Examples
    --------
    >>> ids, notes = colour_ids(np.array([[0, 0, 0], [255, 0, 0], [0, 1, 2]], np.uint8))
    >>> ids
    array([       0, 16711680,      258], dtype=uint32)
    """
    red, green, blue = (channels[..., k] for k in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red, ()
    bits = 8 * channels.dtype.itemsize
    ids = np.zeros(red.shape, np.uint32 if bits == 8 else np.uint64)
    for channel in (red, green, blue):
        ids <<= bits
        ids |= channel
    return ids, (COLOUR_IDS.format(2 ** (2 * bits), 2**bits),)


def alpha_note(colour: np.ndarray, alpha: np.ndarray) -> str:
    """Return what is said of an alpha channel that is dropped.

    Parameters
    ----------
    colour : (H, W) or (H, W, C) ndarray
    alpha : (H, W) ndarray
    """
    if (alpha == alpha.flat[0]).all() or not (colour == colour[0, 0]).all():
        return NO_ALPHA
    return (
        f"{NO_ALPHA}; it differs from pixel to pixel and the colour does not: a mask seems "
        "to lie in the alpha channel, save that as grey"
    )


def label_alpha_notes(colour: np.ndarray, alpha: np.ndarray) -> tuple[str, ...]:
    """Return what is said of an alpha channel that labels do not need; nothing if opaque."""
    opaque = np.iinfo(alpha.dtype).max
    transparent = int((alpha != opaque).sum())
    if not transparent:
        return ()
    note = alpha_note(colour, alpha)
    return (
        note.replace(
            NO_ALPHA, f"{NO_ALPHA}: {transparent} of {alpha.size} pixels are not opaque"
        ),
    )


def mask_in_colour_notes(channels: np.ndarray) -> tuple[str, ...]:
    """Return a note if an image holds black and one colour that is not grey, nothing else.

    Parameters
    ----------
    channels : (H, W, 3) ndarray

    Examples
    --------
    >>> mask_in_colour_notes(np.array([[[0, 0, 0], [255, 0, 0]]], np.uint8))
    ('a mask in colour: luminance makes 76 of its (255, 0, 0)',)
    """
    inside = (channels != 0).any(axis=-1)
    first = np.unravel_index(inside.argmax(), inside.shape)
    colour = channels[first]
    if not inside[first] or inside.all() or (colour == colour[0]).all():
        return ()
    if not (channels[inside] == colour).all():
        return ()
    shown = ", ".join(map(str, colour.tolist()))
    return (f"a mask in colour: luminance makes {luminance(colour)} of its ({shown})",)
