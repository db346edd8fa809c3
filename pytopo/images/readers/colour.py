"""Colour becomes one number per pixel: a luminance, or for labels an id of each colour.

    image    (299 red + 587 green + 114 blue) / 1000     brightness; colours may share one
    labels   red * 65536 + green * 256 + blue            one id per colour, black is 0

Where an image seems to have a mask in its colours or in its alpha channel, a note says so:
luminance turns the one into grey and drops the other.
"""

import numpy as np

COLOUR_IDS = "RGB colours read as ids, red * {} + green * {} + blue"
NO_ALPHA = "alpha channel dropped"
REDUCED = "16 bits per channel reduced to 8 by Pillow"
BLOCK = 2**16  # pixels at a time, so that what is computed stays in the cache


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
    flat = channels.reshape(-1, 3)
    grey = np.empty(len(flat), channels.dtype)
    is_byte = channels.dtype == np.uint8
    for start in range(0, len(flat), BLOCK):
        block = flat[start : start + BLOCK].astype(np.uint32 if is_byte else np.float64)
        red, green, blue = block.T
        if is_byte:  # in fixed-point numbers, as Pillow does
            mixed = (19595 * red + 38470 * green + 7471 * blue + 2**15) >> 16
        else:
            mixed = 0.299 * red + 0.587 * green + 0.114 * blue
            mixed = mixed if channels.dtype.kind == "f" else np.rint(mixed)
        grey[start : start + BLOCK] = mixed
    return grey.reshape(channels.shape[:-1])


def luminance_note(kind: str) -> str:
    """Return the note on a kind of colour that was turned to grey."""
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
    """Return one integer per pixel, different for different colours, and notes.

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
    """Return the note on an alpha channel that is dropped.

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
    """Return a note on an alpha channel that labels do not need; none if it is opaque."""
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
    """Return a note if an image has only black and one other colour, which is not grey.

    Parameters
    ----------
    channels : (H, W, 3) ndarray

    Examples
    --------
    >>> mask_in_colour_notes(np.array([[[0, 0, 0], [255, 0, 0]]], np.uint8))
    ('a mask in colour: luminance makes 76 of its (255, 0, 0)',)
    """
    few = channels[:: max(len(channels) // 16, 1)]  # a few rows rule out most images
    if _is_varied(few) or _is_varied(channels):
        return ()
    inside = _is_not_black(channels)
    if not inside.any() or inside.all():
        return ()
    colour = channels[np.unravel_index(inside.argmax(), inside.shape)]
    if (colour == colour[0]).all():
        return ()
    shown = ", ".join(map(str, colour.tolist()))
    return (f"a mask in colour: luminance makes {luminance(colour)} of its ({shown})",)


def _is_varied(channels: np.ndarray) -> bool:
    """Return whether there are two colours beside black."""
    coloured = channels[_is_not_black(channels)]
    return bool((coloured != coloured[:1]).any())


def _is_not_black(channels: np.ndarray) -> np.ndarray:
    red, green, blue = (channels[..., k] != 0 for k in range(3))
    return red | green | blue
