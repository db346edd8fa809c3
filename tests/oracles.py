"""Brute force that imports nothing from pytopo: slow, obvious, and independent of it."""

from itertools import pairwise, product

import numpy as np
from scipy import ndimage


def pixel_pairs(image, superlevel=False, construction="V", frame=None):
    """Return (dim, birth pixel, death pixel) of every point, by reducing sets of cells.

    Follows the definitions word by word: pad by the frame, sort the pixels, let each cell
    enter with its last (V) or first (T) pixel, reduce columns that are Python sets.
    """
    keys = [(-v if superlevel else v) for v in image.ravel().tolist()]
    places = dict(enumerate(np.ndindex(*image.shape)))
    pixels = {index: (keys[p], 1, p) for p, index in places.items()}
    names = {index: p for p, index in places.items()}
    if frame is not None and frame is not False:
        value = min(keys) if frame is True else (-frame if superlevel else frame)
        padded = product(*(range(-1, n + 1) for n in image.shape))
        for k, index in enumerate(index for index in padded if index not in names):
            pixels[index] = (value, 0, k)
            names[index] = -2

    choose, at = (max, 0) if construction == "V" else (min, 1)
    entered = {}
    for index, key in pixels.items():
        for offset in product((-1, 0, 1), repeat=image.ndim):
            cell = tuple(2 * i + at + o for i, o in zip(index, offset))
            entered[cell] = choose(entered.get(cell, key), key)
    if construction == "V":  # only cells all of whose corners are pixels
        entered = {
            cell: key for cell, key in entered.items() if _corners(cell) <= pixels.keys()
        }
    name_of = {key: names[index] for index, key in pixels.items()}

    cells = sorted(entered, key=lambda c: (entered[c], _dimension(c), c))
    position = {cell: j for j, cell in enumerate(cells)}
    column_with_low, deaths = {}, {}
    for j, cell in enumerate(cells):
        column = {position[face] for face in _faces(cell)}
        while column and max(column) in column_with_low:
            column ^= column_with_low[max(column)]
        if column:
            column_with_low[max(column)] = column
            deaths[max(column)] = j
    destroyers = set(deaths.values())
    pairs = []
    for j, cell in enumerate(cells):
        birth = entered[cell]
        if j in deaths:
            death = entered[cells[deaths[j]]]
            if birth[0] != death[0]:
                pairs.append((_dimension(cell), name_of[birth], name_of[death]))
        elif j not in destroyers:
            pairs.append((_dimension(cell), name_of[birth], -1))
    return sorted(pairs)


def _dimension(cell):
    return sum(c % 2 for c in cell)


def _faces(cell):
    for axis, c in enumerate(cell):
        if c % 2:
            for step in (-1, 1):
                yield cell[:axis] + (c + step,) + cell[axis + 1 :]


def _corners(cell):
    return set(product(*({c // 2, (c + 1) // 2} for c in cell)))


def euler_number(mask, construction="V"):
    """Count vertices - edges + squares - cubes of a mask, by the definition of its cells.

    V: a cell is there if all its corner pixels are.  T: if any pixel that it is a face of
    is, so shift and take the maximum instead of the minimum.
    """
    total = 0
    for extent in product((0, 1), repeat=mask.ndim):
        if construction == "V":
            cells = mask
            for axis, long in enumerate(extent):
                if long:
                    n = cells.shape[axis]
                    cells = cells.take(range(n - 1), axis) & cells.take(range(1, n), axis)
        else:
            cells = np.pad(mask, 1)
            for axis, long in enumerate(extent):
                n = cells.shape[axis]
                if not long:
                    cells = cells.take(range(n - 1), axis) | cells.take(range(1, n), axis)
        total += (-1) ** sum(extent) * int(cells.sum())
    return total


def betti_numbers(mask, construction="V"):
    """Count components and cavities by labelling; the number of tunnels follows from Euler."""
    ndim = mask.ndim
    few = ndimage.generate_binary_structure(ndim, 1)
    many = ndimage.generate_binary_structure(ndim, ndim)
    foreground, background = (few, many) if construction == "V" else (many, few)
    components = ndimage.label(mask, foreground)[1]
    if ndim == 1:
        return (components,)
    cavities = ndimage.label(np.pad(~mask, 1, constant_values=True), background)[1] - 1
    if ndim == 2:
        return components, cavities
    return components, components + cavities - euler_number(mask, construction), cavities


def variation_of_information(prediction, target):
    """Return H(prediction | target) and H(target | prediction) in bits, by the definition."""
    joint, predicted, true = {}, {}, {}
    for p, t in zip(prediction.ravel().tolist(), target.ravel().tolist()):
        for table, key in ((joint, (p, t)), (predicted, p), (true, t)):
            table[key] = table.get(key, 0) + 1
    split = merge = 0.0
    for (p, t), count in joint.items():
        split -= count / target.size * np.log2(count / true[t])
        merge -= count / target.size * np.log2(count / predicted[p])
    return split, merge


def pixel_pairs_together(prediction, target):
    """Count the pairs of pixels that both, that the prediction, that the target unites."""
    both = predicted = true = 0
    labels = list(zip(prediction.ravel().tolist(), target.ravel().tolist()))
    for i, (p, t) in enumerate(labels):
        for q, u in labels[:i]:
            both += p == q and t == u
            predicted += p == q
            true += t == u
    return both, predicted, true


# --- features as pixels ----------------------------------------------------------------


class Sweep:
    """Components of one image at every time of its order, by labelling each anew.

    The image is taken with its frame, and time runs over the pixels by (value, index), those of
    the frame before others of equal value.  ``from_above`` runs from the end and labels the
    complement, with the exterior as one more layer that is always there.
    """

    def __init__(self, image, superlevel, construction, frame, from_above):
        keys = (-1 if superlevel else 1) * image.astype(object)
        pixel = np.arange(image.size).reshape(image.shape)
        if frame is not None and frame is not False:
            value = keys.min() if frame is True else -frame if superlevel else frame
            keys = np.pad(keys, 1, constant_values=value)
            pixel = np.pad(pixel, 1, constant_values=-2)
        order = sorted(range(pixel.size), key=lambda p: (keys.flat[p], pixel.flat[p] >= 0, p))
        if from_above:
            order.reverse()
        self.n = len(order)
        self.value = [keys.flat[p] for p in order]
        self.name = [int(pixel.flat[p]) for p in order] + [-1]  # -1: never
        self.time = np.empty(pixel.shape, int)
        self.time.flat[order] = range(self.n)
        self.pixel, self.from_above = pixel, from_above
        if from_above:
            self.time = np.pad(self.time, 1, constant_values=-1)
            self.pixel = np.pad(pixel, 1, constant_values=-3)
        at_corners = (construction == "T") != from_above
        self.near = ndimage.generate_binary_structure(
            image.ndim, image.ndim if at_corners else 1
        )

    def at_once(self, t):
        """Return the time at which the frame begins, if a time is one of its pixels'."""
        return self.name.index(-2) if self.name[t] == -2 else t

    def components(self, t):
        """Label what is there before time t."""
        return ndimage.label(self.time < t, self.near)[0]

    def features(self):
        """Return (first time, last time) of each component; n if it never dies."""
        alive, found = [-1] if self.from_above else [], []
        for t in range(self.n):
            labels = self.components(t + 1)
            met = {}
            for first in [*alive, t]:
                label = labels[tuple(np.argwhere(self.time == first)[0])]
                met.setdefault(label, []).append(first)
            found += [(first, t) for eldest, *rest in met.values() for first in rest]
            alive = [eldest for eldest, *_ in met.values()]
        found += [(first, self.n) for first in alive if first >= 0]
        return [(first, last) for first, last in found if first != last]

    def mask(self, first, last):
        """Return a component just before it dies; the frame comes at once."""
        labels = self.components(self.at_once(last))
        return labels == labels[tuple(np.argwhere(self.time == first)[0])]

    def of_image(self, array):
        """Return the part of an array that is the image."""
        return array[self.pixel >= 0].reshape(
            [len(np.unique(i)) for i in np.nonzero(self.pixel >= 0)]
        )


def feature_masks(image, superlevel, construction, frame, from_above):
    """Return the mask of each point of one dimension, by (start pixel, end pixel).

    Components start with their birth pixel; holes and voids, from above, with their death
    pixel.  Points of equal value are left out.
    """
    sweep = Sweep(image, superlevel, construction, frame, from_above)
    return {
        (sweep.name[first], sweep.name[last]): sweep.of_image(sweep.mask(first, last))
        for first, last in sweep.features()
        if last == sweep.n or sweep.value[first] != sweep.value[last]
    }


def region_labels(image, superlevel, construction, frame, from_above, kept):
    """Return the labels 1, 2, ... of some features, by the definition.

    ``kept`` lists them as (start pixel, end pixel).  A pixel in the basin of a feature that is
    not kept counts from the time at which that basin overflows.  It joins the basin of the
    neighbour of the overflow that came first, and belongs to its feature until that dies.
    """
    sweep = Sweep(image, superlevel, construction, frame, from_above)
    counts_from, label_at, end = sweep.time.copy(), {}, {len(kept) + 1: sweep.n + 1}
    for first, last in sweep.features():
        key = (sweep.name[first], sweep.name[last])
        if key in kept:
            label_at[first] = kept.index(key) + 1
            end[label_at[first]] = sweep.at_once(last)
        else:
            labels = sweep.components(last)
            basin = labels == labels[tuple(np.argwhere(sweep.time == first)[0])]
            counts_from[basin] = np.maximum(counts_from[basin], last)

    basins = np.where(sweep.time < 0, len(kept) + 1, 0)
    for t in range(sweep.n):
        if not (counts_from == t).any():  # it has been filled, or the frame is
            continue
        if t in label_at:
            basins[counts_from == t] = label_at[t]
            continue
        near = ndimage.binary_dilation(sweep.time == t, sweep.near) & (basins > 0)
        basins[counts_from == t] = basins[near][sweep.time[near].argmin()]
    reached = np.vectorize(lambda b, t: b <= len(kept) and t < end.get(b, 0), otypes=[bool])
    return sweep.of_image(np.where(reached(basins, counts_from), basins, 0))


def matched_features(first, second, superlevel=False, construction="V", frame=None):
    """Return (dim, pixel, other pixel) of the features of two images that match.

    By labelling, in dimension 0, where the pixel is that of the birth, and in the highest,
    where it is that of the death; the essential components are left out.
    """
    times, names, values = _common_times([first, second], superlevel, frame)
    c_times = np.minimum(*times)
    highest = first.ndim - 1
    few = ndimage.generate_binary_structure(first.ndim, 1)
    many = ndimage.generate_binary_structure(first.ndim, first.ndim)
    near, far = (few, many) if construction == "V" else (many, few)

    matches = []
    for t, components in _merges(c_times, near):
        ages = [[t_[part & (t_ < t)].min(initial=t) for t_ in times] for part in components]
        for a, b in _together(ages, t):
            if values[a] < values[t] and values[b] < values[t]:
                matches.append((0, names[a], names[b]))

    # Upside down, inside a layer that comes after everything else.
    after = len(names)
    c_times = np.pad(c_times, 1, constant_values=after)
    deaths = []
    for x_times in times:
        x_times = np.pad(x_times, 1, constant_values=after)
        filled = {}
        for t, components in _merges(-x_times, far):
            ages = [[-x_times[part].max(), min(-c_times[part].max(), t)] for part in components]
            for a, b in _together(ages, t):
                if values[-t] < values[-b]:
                    filled[-b] = -a
        deaths.append(filled)
    for c_death in deaths[0].keys() & deaths[1].keys():
        matches.append((highest, *(names[filled[c_death]] for filled in deaths)))
    return sorted(matches)


def _common_times(images, superlevel, frame):
    """Number the pairs of value and pixel of two images and their frame, in their order."""
    padded = []
    for image in images:
        keys = np.empty(image.shape, object)
        for k, index in enumerate(np.ndindex(*image.shape)):
            value = image[index].item()
            keys[index] = (-value if superlevel else value, 1, k, k)
        if frame is not None:
            inner, keys = keys, np.empty([n + 2 for n in image.shape], object)
            for k, index in enumerate(np.ndindex(*keys.shape)):
                keys[index] = (-frame if superlevel else frame, 0, k, -2)
            keys[(slice(1, -1),) * image.ndim] = inner
        padded.append(keys)
    order = sorted({key for keys in padded for key in keys.flat})
    time = {key: t for t, key in enumerate(order)}
    times = [np.vectorize(time.get, otypes=[int])(keys) for keys in padded]
    return times, [key[3] for key in order], [key[0] for key in order]


def _merges(times, connected):
    """Yield each time, and the parts of what was there before that its pixel connects."""
    for t in np.unique(times):
        whole = ndimage.label(times <= t, connected)[0]
        whole = whole == whole[times == t][0]
        before = ndimage.label((times < t) & whole, connected)[0]
        yield t, [before == k for k in range(1, before.max() + 1)]


def _together(ages, never):
    """Return the pairs of ages of two kinds that end together where components merge.

    Of the sums of components that vanish when all become one, count those to which the first
    kind contributes from age a on, and the second from age b on: one less than there are such
    components.  A pair adds one to this count.
    """

    def count(a, b):
        return max(0, sum(one <= a and other <= b for one, other in ages) - 1)

    return _steps(count, *({age[k] for age in ages} - {never} for k in (0, 1)))


def _steps(count, firsts, seconds):
    """Return where a count over two numbers goes up by one in both."""
    firsts, seconds = ([-np.inf, *sorted(set(some) - {np.inf})] for some in (firsts, seconds))
    return [
        (a, b)
        for before_a, a in pairwise(firsts)
        for before_b, b in pairwise(seconds)
        if count(a, b) + count(before_a, before_b) > count(before_a, b) + count(a, before_b)
    ]


def matched_bars(first, second, dim, superlevel=False, construction="V", frame=None):
    """Return (birth, death, other birth, other death) of the bars of two images that match.

    By linear algebra in any dimension: the elements of the small spaces of what is born or
    dies with a pixel are listed one by one.  The essential components are left out.
    """
    times, names, values = _common_times([first, second], superlevel, frame)
    cells = [_entering_cells(x, construction) for x in (*times, np.minimum(*times))]
    c = cells[2]
    bars = [_bars_by_image_bar(x, c, dim, values) for x in cells[:2]]
    matches = []
    for t in sorted(set(c.values())):
        higher = [cell for cell in c if _dimension(cell) == dim + 1]
        bounding = [_boundary(cell) for cell in higher if c[cell] < t]
        more = [_boundary(cell) for cell in higher if c[cell] == t]
        chains = list(_sums(_independent(more, bounding)))
        ages = [_ages_of(chains, bounding, x) for x in cells[:2]]
        for a, b in _relative_position(list(zip(*ages))):
            if values[a] < values[t] and values[b] < values[t]:
                matches.append((a, bars[0][a, t].pop(0), b, bars[1][b, t].pop(0)))
    return sorted(tuple(names[x] for x in match) for match in matches)


def _bars_by_image_bar(x, c, dim, values):
    """Return the deaths of the bars of x that have each image bar in c, by (birth, death)."""
    bars = {}
    for q in sorted(set(x.values())):
        older, born = _cycles(x, dim, q), _cycles(x, dim, q + 1)
        chains = list(_sums(_independent(born, older)))
        ends = [_ends_of(chains, older, y, dim) for y in (x, c)]
        for d, p in _relative_position(list(zip(*ends))):
            if values[q] < values[p]:
                bars.setdefault((q, p), []).append(d)
    return {bar: sorted(deaths) for bar, deaths in bars.items()}


def _ages_of(chains, bounding, x):
    """Return when each chain, up to boundaries, is there in x."""
    echelon = _echelon(bounding if chains else [], lambda cell: (x[cell], cell))
    return [max(x[cell] for cell in _remainder(chain, echelon)) for chain in chains]


def _ends_of(chains, older, y, dim):
    """Return when each chain, up to older cycles, is a boundary in y."""
    ends = [np.inf] * len(chains)
    echelon = _echelon(older if chains else [], lambda cell: cell)
    for cell in sorted(y, key=y.get) if chains else []:
        if _dimension(cell) == dim + 1 and _insert(_boundary(cell), echelon):
            for k, chain in enumerate(chains):
                if ends[k] == np.inf and not _remainder(chain, echelon):
                    ends[k] = y[cell]
    return ends


def _entering_cells(times, construction):
    """Return when each cell enters."""
    choose, at = (max, 0) if construction == "V" else (min, 1)
    entered = {}
    for index in np.ndindex(*times.shape):
        for offset in product((-1, 0, 1), repeat=times.ndim):
            cell = tuple(2 * i + at + o for i, o in zip(index, offset))
            entered[cell] = choose(entered.get(cell, times[index]), times[index])
    if construction == "V":
        inside = set(np.ndindex(*times.shape))
        entered = {cell: t for cell, t in entered.items() if _corners(cell) <= inside}
    return entered


def _boundary(cell):
    return frozenset(_faces(cell))


def _cycles(x, dim, stop):
    """Return a basis of the cycles of cells that come before a time."""
    echelon, cycles = ({}, lambda face: face), []
    for cell in x:
        if _dimension(cell) == dim and x[cell] < stop:
            # The chain stands beside its boundary, behind all faces.
            chain = {(1, face) for face in _faces(cell)} | {(0, cell)}
            chain = _remainder(chain, echelon)
            if max(chain)[0] == 0:
                cycles.append(frozenset(cell for _, cell in chain))
            echelon[0][max(chain)] = chain
    return cycles


def _echelon(chains, key):
    echelon = {}, key
    for chain in chains:
        _insert(chain, echelon)
    return echelon


def _insert(chain, echelon):
    rows, key = echelon
    chain = _remainder(chain, echelon)
    if chain:
        rows[max(chain, key=key)] = chain
    return len(chain) > 0


def _remainder(chain, echelon):
    rows, key = echelon
    rest = set(chain)
    while rest and max(rest, key=key) in rows:
        rest ^= rows[max(rest, key=key)]
    return rest


def _independent(chains, basis):
    """Return those of some chains that add something to what a basis spans."""
    echelon = _echelon(basis, lambda cell: cell)
    return [chain for chain in chains if _insert(chain, echelon)]


def _sums(chains):
    """Yield every sum of one chain or more."""
    for chosen in product((False, True), repeat=len(chains)):
        if any(chosen):
            total = set()
            for chain, taken in zip(chains, chosen):
                total ^= chain if taken else set()
            yield total


def _relative_position(ages):
    """Return the pairs of ages of a basis, from both ages of every element of the space."""

    def dimension(a, b):
        return np.log2(1 + sum(one <= a and other <= b for one, other in ages))

    return _steps(dimension, *({age[k] for age in ages} for k in (0, 1)))
