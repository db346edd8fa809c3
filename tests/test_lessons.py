"""The exercises of the lessons, solved.

Each test is the solution of one exercise, and its docstring says the answer.  Solutions use
the 5x5 image of all lessons unless they say otherwise.
"""

from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from scipy import ndimage

import pytopo
from pytopo import textbook
from pytopo.large.textbook import edges, kruskal
from pytopo.order import total_order

IMAGE = np.array(
    [
        [1, 2, 3, 12, 15],
        [4, 19, 5, 14, 8],
        [6, 7, 10, 13, 9],
        [16, 17, 18, 20, 11],
        [21, 22, 23, 24, 25],
    ]
)
CORNER = IMAGE[:3, :3]
TRUTH = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
TRUTH[..., :3, :3] = 1
TRUTH[..., 1, 1] = 0


def likelihood():
    """Return 1 - value / 25 of the image, as a leaf that wants a gradient."""
    return torch.tensor(1 - IMAGE / 25)[None, None].requires_grad_()


# --- lesson 1: sublevel sets -------------------------------------------------------------


def test_lesson_1_exercise_1():
    """1, 2, 3, 4 and 6, the pixels of the ring that lie at the border."""
    will_do = []
    for place in np.ndindex(5, 5):
        image = IMAGE.copy()
        image[place] = 25
        if len(pytopo.persistence(image).points(1)) == 0:
            will_do.append(place)
    # At the border nothing leads around the gap; at 5, 7 and 10 a larger loop closes later.
    assert will_do == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0)]


def test_lesson_1_exercise_2():
    """(2, 0): 19 alone in its moat, and all the rest; the moat meets the border: no hole."""
    assert pytopo.persistence(IMAGE, superlevel=True).betti(7.5) == (2, 0)
    there = IMAGE >= 7.5  # 19 alone in its moat, and all the rest
    assert ndimage.label(there)[1] == 2


def test_lesson_1_exercise_3():
    """Squaring squares births and deaths; negating and turning the sweep negates them."""
    plain = pytopo.persistence(IMAGE)
    squared = pytopo.persistence(IMAGE**2)
    negated = pytopo.persistence(-IMAGE, superlevel=True)
    for dim in (0, 1):
        np.testing.assert_array_equal(squared.points(dim), plain.points(dim) ** 2)
        np.testing.assert_array_equal(negated.points(dim), -plain.points(dim))


# --- lesson 2: cells ---------------------------------------------------------------------


def test_lesson_2_exercise_1():
    """81 in V and 121 in T, a place each on a doubled grid of 9x9 and of 11x11."""
    for construction, cells in (("V", 25 + 2 * 20 + 16), ("T", 36 + 2 * 30 + 25)):
        f = textbook.lower_star_filtration(IMAGE, construction=construction)
        assert f.cell.size == cells
        assert f.grid == {"V": (9, 9), "T": (11, 11)}[construction]


def test_lesson_2_exercise_2():
    """1 and 8, which are lower than all their neighbours: each begins a component."""
    f = textbook.lower_star_filtration(IMAGE)
    pixel, count = np.unique(f.pixel, return_counts=True)
    alone = pixel[count == 1]
    assert IMAGE.ravel()[alone].tolist() == [1, 8]
    diagram = pytopo.persistence(IMAGE)
    assert diagram.birth_pixel[diagram.dim == 0].tolist() == alone.tolist()


def test_lesson_2_exercise_3():
    """It is the component (6, 15): upside down, with birth and death exchanged."""
    turned = pytopo.persistence(25 - IMAGE, construction="T", frame=True)
    (hole,) = pytopo.persistence(IMAGE).points(1)
    assert (25 - hole)[::-1].tolist() in turned.points(0).tolist()


# --- lesson 3: the reduction -------------------------------------------------------------


def reduce_by_hand(matrix):
    """Return the column of each low of a dense matrix, and how many columns were added."""
    matrix = matrix.copy()
    owner, additions = {}, 0
    for j in range(matrix.shape[1]):
        while matrix[:, j].any() and (low := np.flatnonzero(matrix[:, j])[-1]) in owner:
            matrix[:, j] = (matrix[:, j] + matrix[:, owner[low]]) % 2
            additions += 1
        if matrix[:, j].any():
            owner[int(low)] = j
    return owner, additions


def test_lesson_3_exercise_1():
    """The reduction in ten lines has the lows of the kernel."""
    f = textbook.lower_star_filtration(CORNER)
    owner, _ = reduce_by_hand(f.boundary().toarray())
    pairs = textbook.reduce_filtration(f).pairs
    assert sorted(owner.items()) == [tuple(pair) for pair in pairs.tolist()]


def test_lesson_3_exercise_2():
    """Zero: the boundary of a boundary is empty."""
    matrix = textbook.lower_star_filtration(IMAGE).boundary().toarray().astype(int)
    assert matrix.any()
    assert not (matrix @ matrix % 2).any()


def test_lesson_3_exercise_3():
    """21 and 3: clearing saves the 18 additions of the columns that end empty."""
    f = textbook.lower_star_filtration(CORNER)
    matrix = f.boundary().toarray()
    owner, additions = reduce_by_hand(matrix)
    cleared = matrix.copy()
    begun_by_edges = [i for i in owner if f.dimension[i] == 1]
    cleared[:, begun_by_edges] = 0
    assert (additions, reduce_by_hand(cleared)[1]) == (21, 3)


# --- lesson 4: pairs ---------------------------------------------------------------------


def test_lesson_4_exercise_1():
    """The hole is born at 8.5. Nothing else changes: the pixel decides about no other point."""
    image = IMAGE.astype(float)
    image[2, 2] = 8.5
    np.testing.assert_array_equal(pytopo.persistence(image).points(1), [[8.5, 19]])
    np.testing.assert_array_equal(pytopo.persistence(image).points(0), [[1, np.inf], [8, 13]])


def test_lesson_4_exercise_2():
    """1: it is 25 - 40 + 16; or, as the two cells of a pair cancel, the essential vertex."""
    f = textbook.lower_star_filtration(IMAGE)
    r = textbook.reduce_filtration(f)
    sign = 1 - 2 * (f.dimension.astype(int) % 2)
    assert sign.sum() == 25 - 40 + 16 == 1
    assert (sign[r.pairs].sum(axis=1) == 0).all()
    assert sign[r.essential].sum() == 1


def test_lesson_4_exercise_3():
    """No, it is born at 9: the ring closes with whatever value the pixel in its corner has."""
    image = IMAGE.copy()
    image[2, 2], image[2, 4] = 9, 10
    np.testing.assert_array_equal(pytopo.persistence(image).points(1), [[9, 19]])


# --- lesson 5: the diagram ---------------------------------------------------------------


def test_lesson_5_exercise_1():
    """9. A bar counts once at each whole number from its birth to before its death."""
    diagram = pytopo.persistence(IMAGE)
    area = sum(diagram.betti(t)[1] for t in range(1, 26))
    assert area == diagram.select(dim=1).persistence.sum() == 9


def test_lesson_5_exercise_2():
    """Less than 4.5, half its persistence: with that much the point can reach the diagonal."""
    random = np.random.default_rng(0)
    for _ in range(50):
        noisy = IMAGE + random.uniform(-4.49, 4.49, IMAGE.shape)
        assert len(pytopo.persistence(noisy).points(1)) > 0
    filled = IMAGE.astype(float)
    filled[1, 1] -= 4.5
    filled[2, 2] += 4.5
    assert 10 not in pytopo.persistence(filled).points(1)[:, 0]
    distance = pytopo.bottleneck(
        pytopo.persistence(IMAGE).points(1), pytopo.persistence(filled).points(1)
    )
    assert distance <= 4.5


def test_lesson_5_exercise_3():
    """A diamond. No: a second hole would need a second pixel that is not at the border."""
    diamond = np.array([[9, 0, 9], [0, 5, 0], [9, 0, 9]])
    np.testing.assert_array_equal(
        pytopo.persistence(diamond, construction="T").points(1), [[0, 5]]
    )
    assert len(pytopo.persistence(diamond).points(1)) == 0
    random = np.random.default_rng(0)
    images = [random.permutation(9).reshape(3, 3) for _ in range(200)]
    holes = [len(pytopo.persistence(image, construction="T").points(1)) for image in images]
    assert max(holes) == 1


# --- lesson 6: the fast algorithm ------------------------------------------------------------


def kind(rank, place):
    """Return what a pixel does in V, and its merge events, from its neighbours alone."""
    ring = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
    i, j = place
    padded = np.pad(rank, 1, constant_values=rank.size)
    earlier = [padded[i + 1 + di, j + 1 + dj] < rank[i, j] for di, dj in ring]
    sides = sum(earlier[::2])
    links = sum(earlier[d - 1] and earlier[d] and earlier[(d + 1) % 8] for d in (1, 3, 5, 7))
    if all(earlier):
        return "maximum", 0
    if sides == 0:
        return "minimum", 0
    return ("saddle", sides - links - 1) if sides - links > 1 else ("regular", 0)


def test_lesson_6_exercise_1():
    """Two minima, two saddles and a maximum: all that the diagram is made of."""
    rank = total_order(IMAGE).rank
    found = {int(IMAGE[place]): kind(rank, place)[0] for place in np.ndindex(5, 5)}
    critical = {value: what for value, what in found.items() if what != "regular"}
    assert critical == {
        1: "minimum",
        8: "minimum",
        10: "saddle",
        13: "saddle",
        19: "maximum",
    }
    diagram = pytopo.persistence(IMAGE)
    values = [*diagram.birth, *diagram.death[~diagram.essential]]
    assert sorted(values) == sorted(critical)


def test_lesson_6_exercise_2():
    """1, the Euler number of the whole image: in it all other cells of each star cancel."""
    random = np.random.default_rng(0)
    for shape in ((5, 5), (1, 9), (6, 4)):
        for _ in range(5):
            rank = total_order(random.integers(0, 9, shape)).rank
            kinds = [kind(rank, place) for place in np.ndindex(*shape)]
            names = [name for name, _ in kinds]
            merges = sum(count for _, count in kinds)
            assert names.count("minimum") - merges + names.count("maximum") == 1


def test_lesson_6_exercise_3():
    """Holes of V are the finite components of T; components of V are holes of T.

    Births and deaths change places.  The component that never dies is, in T, the hole inside
    the frame, which is filled last, by the 1.
    """
    plain = pytopo.persistence(IMAGE)
    turned = pytopo.persistence(-IMAGE, construction="T", frame=-25.5)
    holes = -turned.select(dim=0, finite=True).points(0)[:, ::-1]
    np.testing.assert_array_equal(holes, plain.points(1))
    components = -turned.points(1)[:, ::-1]
    np.testing.assert_array_equal(components, [[1, 25.5], [8, 13]])
    np.testing.assert_array_equal(plain.points(0), [[1, np.inf], [8, 13]])


# --- lesson 7: matching ------------------------------------------------------------------


def matchings(n, m):
    """Yield every matching of n with m points: lists of pairs, all others to the diagonal."""
    for k in range(min(n, m) + 1):
        for chosen in combinations(range(n), k):
            for partners in permutations(range(m), k):
                yield list(zip(chosen, partners))


def test_lesson_7_exercise_1():
    """1 + 3 * 2 + 3 * 2 ways; the cheapest costs what the lesson says."""
    first = np.array([[0.1, 0.9], [0.5, 0.6], [0.0, 0.4]])
    second = np.array([[0.0, 1.0], [0.0, 0.3]])
    diagonal = [(p[:, 1] - p[:, 0]) ** 2 / 2 for p in (first, second)]
    costs = []
    for pairs in matchings(3, 2):
        cost = diagonal[0].sum() + diagonal[1].sum()
        for i, j in pairs:
            cost += ((first[i] - second[j]) ** 2).sum() - diagonal[0][i] - diagonal[1][j]
        costs.append(cost)
    assert len(costs) == 13
    assert min(costs) == pytest.approx(0.035)


def test_lesson_7_exercise_2():
    """b - 2 (b / 2 - 1/2)^2 > 0: the birth must be above 2 - sqrt(3)."""
    edge = 2 - np.sqrt(3)
    for birth, pairs in ((edge - 1e-6, 0), (edge + 1e-6, 1)):
        assert len(pytopo.match([[birth, 0]], [[1, 0]]).pairs) == pairs


def test_lesson_7_exercise_3():
    """The bottleneck distance is at most the largest difference in a pixel."""
    random = np.random.default_rng(0)
    for _ in range(100):
        first, second = random.random((2, 6, 6))
        for dim in (0, 1):
            distance = pytopo.bottleneck(
                pytopo.persistence(first).points(dim), pytopo.persistence(second).points(dim)
            )
            assert distance <= np.abs(first - second).max() + 1e-12


# --- lesson 8: the loss ------------------------------------------------------------------


def test_lesson_8_exercise_1():
    """The gradient is that of finite differences."""
    f = likelihood()
    pytopo.topological_loss(f, TRUTH).backward()
    for place in np.ndindex(5, 5):
        values = []
        for step in (-1e-6, 1e-6):
            moved = f.detach().clone()
            moved[0, 0, *place] += step
            values.append(pytopo.topological_loss(moved, TRUTH).item())
        slope = (values[1] - values[0]) / 2e-6
        assert f.grad[0, 0, *place].item() == pytest.approx(slope, abs=1e-6)


def test_lesson_8_exercise_2():
    """153.  Two for each point and one for the first component: at most 2 n - 1, here 161.

    All points are to be removed.  A saddle of several arcs is a critical pixel of several
    points, and counts once.
    """
    noise = torch.rand(1, 1, 16, 16, generator=torch.manual_seed(0), dtype=torch.float64)
    noise.requires_grad_()
    pytopo.topological_loss(noise, torch.zeros_like(noise)).backward()
    diagram = pytopo.persistence(noise.detach()[0, 0].numpy(), superlevel=True)
    critical = {*diagram.birth_pixel.tolist(), *diagram.death_pixel.tolist()} - {-1}
    moved = noise.grad.ravel().nonzero().ravel().tolist()
    assert set(moved) == critical
    assert len(moved) == 153
    assert 2 * len(diagram) - 1 == 161


def test_lesson_8_exercise_3():
    """The gain of (b, 0.24) for the target (1, 0) is 0 where b is the root of a square."""

    def is_fixed(value):
        f = likelihood().detach()
        f[0, 0, 2, 2] = value
        (why,) = pytopo.TopologicalLoss(dims=1).explain(f, TRUTH)
        return len(why.fix) == 1

    # b - 0.24 = 2 ((b + 0.24) / 2 - 1/2)^2, that is b^2 - 3.52 b + 1.0576 = 0
    edge = (3.52 - np.sqrt(3.52**2 - 4 * 1.0576)) / 2
    assert 0.24 < edge < 0.6
    assert (is_fixed(edge - 1e-6), is_fixed(edge + 1e-6)) == (False, True)


def test_where_the_loss_is_zero_the_betti_numbers_agree():
    """Where a pixel changes no point the loss stays zero, and so do the counts."""
    random = np.random.default_rng(0)
    seen = 0
    for _ in range(4):
        truth = torch.tensor(random.random((1, 1, 6, 6)) > 0.5, dtype=torch.float64)
        expected = pytopo.persistence(truth[0, 0].numpy(), superlevel=True).betti(0.5)
        for place in range(36):
            changed = truth.clone()
            changed.view(-1)[place] = 0.7
            if pytopo.topological_loss(changed, truth) == 0:
                found = pytopo.persistence(changed[0, 0].numpy(), superlevel=True).betti(0.5)
                assert found == expected
                seen += 1
    assert seen > 20


# --- lesson 9: training ------------------------------------------------------------------


def test_lesson_9_exercise_1():
    """sigmoid(a x + b) is monotone: it moves points and never changes which exist."""
    x = torch.tensor(1 - IMAGE / 25)[None, None]
    a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (4.0, -2.0))
    loss = pytopo.TopologicalLoss()
    optimizer = torch.optim.SGD([a, b], lr=0.5)
    values = []
    for _ in range(30):
        optimizer.zero_grad()
        value = loss(torch.sigmoid(a * x + b), TRUTH)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.8 * values[0]
    learnt = torch.sigmoid(a * x + b).detach()[0, 0].numpy()
    there, here = (pytopo.persistence(f, superlevel=True) for f in (x[0, 0].numpy(), learnt))
    np.testing.assert_array_equal(here.birth_pixel, there.birth_pixel)
    assert len(here.select(dim=0, finite=True)) == 1


def test_lesson_9_exercise_2():
    """Of noise nearly all points are to be removed; one is taken for the hole of the ring."""
    noise = torch.rand(1, 1, 5, 5, generator=torch.manual_seed(0), dtype=torch.float64)
    (why,) = pytopo.TopologicalLoss(every_target=True).explain(noise, TRUTH)
    finite = len(why.prediction.select(finite=True))
    holes = len(why.prediction.points(1))
    assert len(why.fix) == min(holes, 1)
    assert len(why.remove) == finite - len(why.fix) > len(why.fix)


def test_lesson_9_exercise_3():
    """A frame of foreground, 1: what is left and right of the line is then shut in."""
    line = np.zeros((5, 5))
    line[:, 2] = 1
    for frame, holes in ((None, 0), (0.0, 0), (1.0, 2)):
        diagram = pytopo.persistence(line, superlevel=True, frame=frame)
        assert diagram.betti(0.5)[1] == holes


# --- matched by place ------------------------------------------------------------------

OTHER = np.full((5, 5), 22)
OTHER[:3, :3] = 6
OTHER[1, 1] = 15
OTHER[1:3, 4] = 11


def test_matched_by_place_exercise_1():
    """Nothing: each point is matched with itself."""
    m = pytopo.betti_matching(IMAGE, IMAGE)
    assert m.pairs.tolist() == [[0, 0], [1, 1], [2, 2]]
    assert (m.first_only.size, m.second_only.size) == (0, 0)


def test_matched_by_place_exercise_2():
    """Not at all, only the two sides of each are exchanged."""
    m = pytopo.betti_matching(IMAGE, OTHER)
    exchanged = pytopo.betti_matching(OTHER, IMAGE)
    assert sorted(m.pairs[:, ::-1].tolist()) == sorted(exchanged.pairs.tolist())


def test_matched_by_place_exercise_3():
    """The essential components.  The comparison image c is the image itself.

    The ring and the valley of the other are born when everything in c has died, so their image
    bars are empty.
    """
    m = pytopo.betti_matching(IMAGE, OTHER + 100)
    assert m.pairs.tolist() == [[0, 0]]


# --- lesson 10: volumes ------------------------------------------------------------------

VOLUME = np.array(
    [
        [[9, 10, 11], [16, 25, 12], [15, 14, 13]],
        [[1, 2, 3], [8, 27, 4], [7, 6, 5]],
        [[17, 18, 19], [24, 26, 20], [23, 22, 21]],
    ]
)


def test_lesson_10_exercise_1():
    """0, 0, 1, 2, 1: cells with signs are Betti numbers with signs."""
    f = textbook.lower_star_filtration(VOLUME)
    diagram = pytopo.persistence(VOLUME)
    characteristics = []
    for t in (8, 24, 25, 26, 27):
        there = f.dimension[VOLUME.ravel()[f.pixel] <= t]
        vertices, edges, squares, cubes = np.bincount(there, minlength=4)
        components, tunnels, voids = diagram.betti(t)
        characteristics.append(int(vertices - edges + squares - cubes))
        assert characteristics[-1] == components - tunnels + voids
    assert characteristics == [0, 0, 1, 2, 1]


def test_lesson_10_exercise_2():
    """One component: a ball grows, since each voxel touches in one piece what is there."""
    diagram = pytopo.persistence(VOLUME, superlevel=True)
    assert diagram.dim.tolist() == [0]
    assert diagram.points(0).tolist() == [[27, -np.inf]]
    assert {diagram.betti(t) for t in range(1, 28)} == {(1, 0, 0)}


def test_lesson_10_exercise_3():
    """Any voxel of the ring opens the wall; six openings make five tunnels."""
    will_do = []
    for place in np.ndindex(3, 3, 3):
        opened = VOLUME.copy()
        opened[place] = 30
        if pytopo.persistence(opened).betti(24)[1] == 2:
            will_do.append(VOLUME[place])
    assert sorted(will_do) == [1, 2, 3, 4, 5, 6, 7, 8]
    cube = np.zeros((3, 3, 3))
    for side in ((0, 1, 1), (2, 1, 1), (1, 0, 1), (1, 2, 1), (1, 1, 0), (1, 1, 2), (1, 1, 1)):
        cube[side] = 1
    assert pytopo.persistence(cube).betti(0) == (1, 5, 0)


# --- lesson 11: less noise, and regions --------------------------------------------------


def test_lesson_11_exercise_1():
    """8, 9 and 11 rise to 13: by 5 at most, the persistence of the valley, which is below 6."""
    filled = pytopo.simplify(IMAGE, 6, dims=0)
    moved = filled - IMAGE
    assert IMAGE[moved > 0].tolist() == [8, 9, 11]
    assert set(filled[moved > 0]) == {13}
    assert moved.max() == 5


def test_lesson_11_exercise_2():
    """Two up to 5, the persistence of the second valley, and one above."""
    counts = {
        cut: len(pytopo.regions(IMAGE, 0, min_persistence=cut)[1]) for cut in (0, 4, 5, 5.5, 9)
    }
    assert counts == {0: 2, 4: 2, 5: 2, 5.5: 1, 9: 1}


def test_lesson_11_exercise_3():
    """Nothing: no feature below the cut is left."""
    noisy = np.random.default_rng(0).normal(size=(30, 30))
    for dim in (0, 1):
        once = pytopo.simplify(noisy, 1, dims=dim)
        np.testing.assert_array_equal(pytopo.simplify(once, 1, dims=dim), once)


# --- lesson 12: an image in two tiles ----------------------------------------------------


def parts_of(cut, axis):
    """Return the pixels of the two tiles and of the seam of a cut of the image."""
    pixels = list(np.ndindex(5, 5))
    return (
        [p for p in pixels if p[axis] < cut],
        [p for p in pixels if p[axis] >= cut],
        [p for p in pixels if p[axis] in (cut - 1, cut)],
    )


def test_lesson_12_exercise_1():
    """In front of column 1 or 2.

    In front of column 3 nothing older is in its tile; in front of column 4, and between any two
    rows, one of its pixels 8, 9 and 11 is met.
    """
    inside = []
    for axis in (0, 1):
        for cut in (1, 2, 3, 4):
            *tiles, seam = parts_of(cut, axis)
            met = [(IMAGE[p].item(), p) for p in seam]
            found = [kruskal(edges(IMAGE, tile), met)[0] for tile in tiles]
            if [((1, 4), (2, 3))] in found:
                inside.append((axis, cut))
    assert inside == [(1, 1), (1, 2)]


def forgetful_kruskal(triplets, met):
    """The rule without its last sentence."""
    root, unknown, finished, still_open = {}, set(met), [], []

    def find(node):
        while root.setdefault(node, node) != node:
            node = root[node]
        return node

    for one, death, other in sorted(triplets, key=lambda triplet: triplet[1]):
        elder, younger = sorted([find(one), find(other)])
        if elder != younger:
            root[younger] = elder
            if younger in unknown:
                still_open.append((younger, death, elder))
            elif younger != death:
                finished.append((younger[1], death[1]))
    return finished, still_open


def test_lesson_12_exercise_2():
    """0 9 1 5 2 3 | 0: the tile says that 1 dies at 9, but through 2 it reaches the seam.

    With the 0 beyond the seam, 2 dies at 3 and 1 at 5.
    """
    row = np.array([[0, 9, 1, 5, 2, 3, 0]])
    left, seam = [(0, k) for k in range(6)], [(0, 5), (0, 6)]
    met = [(row[p].item(), p) for p in seam]
    right = kruskal(edges(row, left), met)
    wrong = forgetful_kruskal(edges(row, left), met)
    assert ((0, 2), (0, 1)) in wrong[0]  # 1 is said to die at 9
    assert ((0, 2), (0, 1)) not in right[0]  # it dies at 5, by the 0 beyond the seam
    points = pytopo.persistence(row).points(0).tolist()
    assert [1, 5] in points
    assert [2, 3] in points


def test_lesson_12_exercise_3():
    """29, 68 and 147, a little more than the 28, 60 and 124 pixels along the four sides.

    The pixels are 64, 256 and 1024: they grow by 4, the open triplets by little more than 2.
    """
    random, counts = np.random.default_rng(0), []
    for side in (8, 16, 32):
        noise = random.random((side, side))
        pixels = list(np.ndindex(side, side))
        met = [
            (noise[p].item(), p) for p in pixels if {0, side - 1} & set(p)
        ]  # all four sides are shared
        counts.append(len(kruskal(edges(noise, pixels), met)[1]))
    assert counts == [29, 68, 147]
