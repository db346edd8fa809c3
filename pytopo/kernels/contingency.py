"""The contingency table of two label images: which labels share pixels, and how many.

Variation of Information and Rand index are computed from it.  Labels are names, arbitrary
64-bit patterns, so the pairs are kept in a hash table with open addressing.  A run of pixels
with the same pair is looked up once.  The reference implementation is the dictionary of
`tests/oracles.py`.
"""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def overlaps(first, second):
    """Count the pixels that each pair of labels shares.

    Parameters
    ----------
    first, second : (n,) uint64
        Labels of the same pixels.

    Returns
    -------
    pairs : (k, 2) uint64
        Label of the first and of the second, in order of their first pixel.
    counts : (k,) int64
        Pixels of each pair; they add up to n.
    """
    pairs = np.empty((64, 2), np.uint64)
    counts = np.zeros(64, np.int64)
    # Row of the pair in each slot of the hash table, or -1.  There are twice as many slots as
    # rows, so at most half of them are taken, and every search ends at a free one.
    slots = np.full(128, -1, np.int64)
    n_pairs = 0
    start = 0
    while start < first.size:
        a, b = first[start], second[start]
        end = run_end(first, second, start)
        slot = slot_of(slots, pairs, a, b)
        if slots[slot] < 0:  # the pair is new
            if n_pairs == counts.size:  # the table is full: double it, and find the slot anew
                pairs = np.concatenate((pairs, np.empty_like(pairs)))
                counts = np.concatenate((counts, np.zeros_like(counts)))
                slots = filled_slots(2 * slots.size, pairs, n_pairs)
                slot = slot_of(slots, pairs, a, b)
            pairs[n_pairs, 0], pairs[n_pairs, 1] = a, b
            slots[slot] = n_pairs
            n_pairs += 1
        counts[slots[slot]] += end - start  # the whole run at once
        start = end
    return pairs[:n_pairs].copy(), counts[:n_pairs].copy()


@njit(cache=True, nogil=True)
def run_end(first, second, start):
    """Return where the run of pixels with one pair of labels ends.

    Parameters
    ----------
    first, second : (n,) uint64
    start : int
        Where it begins; less than n.
    """
    end = start + 1
    while end < first.size and first[end] == first[start] and second[end] == second[start]:
        end += 1
    return end


@njit(cache=True, nogil=True)
def filled_slots(n_slots, pairs, n_pairs):
    """Return a hash table of a new size that holds the first rows of ``pairs``.

    Parameters
    ----------
    n_slots : int
        A power of two, more than ``n_pairs``.
    pairs : (m, 2) uint64
        The first ``n_pairs`` are different.
    n_pairs : int

    Returns
    -------
    slots : (n_slots,) int64
        Row of ``pairs`` in each slot, or -1.
    """
    slots = np.full(n_slots, -1, np.int64)
    for entry in range(n_pairs):
        slots[slot_of(slots, pairs, pairs[entry, 0], pairs[entry, 1])] = entry
    return slots


@njit(cache=True, nogil=True)
def slot_of(slots, pairs, a, b):
    """Return the slot that holds a pair, or the free one where it belongs.

    Parameters
    ----------
    slots : (s,) int64
        Row of ``pairs`` in each slot, or -1; s is a power of two and a slot is free.
    pairs : (m, 2) uint64
    a, b : uint64
    """
    mixed = mixed_halves(mixed_halves(a) ^ b)  # its lowest bits are the slot
    slot = np.int64(mixed & np.uint64(slots.size - 1))
    while slots[slot] >= 0:
        entry = slots[slot]
        if pairs[entry, 0] == a and pairs[entry, 1] == b:
            break
        # Open addressing: another pair has this slot, so try the next one.
        slot = (slot + 1) & (slots.size - 1)
    return slot


@njit(cache=True, nogil=True)
def mixed_halves(bits):
    """Return a hash of 64 bits whose lower bits depend on all bits of the argument.

    Parameters
    ----------
    bits : uint64
    """
    # Halves and factors have 32 bits, so that no product overflows; interpreted code would
    # warn of it.  The upper half of a product depends on all bits of its factors.
    half = np.uint64(32)
    low = (bits & np.uint64(2**32 - 1)) * np.uint64(0x9E3779B1)
    high = (bits >> half) * np.uint64(0x85EBCA77)
    return low ^ high ^ ((low ^ high) >> half)
