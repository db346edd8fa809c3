"""Integers that sort like the pixels: what the fast algorithm compares instead of values.

A float read as a sign-magnitude integer sorts right if it is positive and the wrong way
round if it is negative, so the bits behind the sign of a negative float are inverted.
-0.0 becomes -1 that way, and nothing else does; it is made equal to 0.0.  Inverting all
bits of the key (-k - 1, no overflow) turns ascending into descending for superlevel.
"""

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def float_keys(bits, sign, magnitude, invert, out_keys):
    """Turn the bits of floats into integers that sort like the floats.

    Parameters
    ----------
    bits : (B, H, W) int32 or int64
        Floats of the same width, read as integers.  No NaN.
    sign : int
        Position of the sign bit: 31 or 63.
    magnitude : int
        All bits but the sign.
    invert : int
        0 for ascending keys, -1 (all bits) for descending ones.
    out_keys : (B, H, W) int32 or int64, rows contiguous
        Receives the keys.
    """
    for b in range(bits.shape[0]):
        for i in range(bits.shape[1]):
            for j in range(bits.shape[2]):
                # The shift copies the sign into all bits: 0 where it is positive, and all
                # ones where it is negative, which inverts the magnitude.
                key = bits[b, i, j] ^ ((bits[b, i, j] >> sign) & magnitude)
                key += key == -1  # -0.0 equals 0.0
                out_keys[b, i, j] = key ^ invert
