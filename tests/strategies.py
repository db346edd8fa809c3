"""Hypothesis strategies: small images of every dtype and shape, with and without ties."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

INTEGERS = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float16", "float32", "float64", "longdouble")


# For tests that compute much for each example.
fewer_examples = settings(max_examples=settings().max_examples // 3)


def shapes(max_axes=3):
    """Shapes that are rarely square and often thin."""
    by_axes = [(12,), (6, 6), (3, 4, 4)][:max_axes]
    return st.sampled_from(by_axes).flatmap(
        lambda most: st.tuples(*(st.integers(1, n) for n in most))
    )


def images(max_axes=3, dtypes=INTEGERS + FLOATS):
    """Images with many ties: values are small whole numbers, a few of them infinite."""

    def of_dtype(name):
        dtype = np.dtype(name)
        values = st.integers(0, 1) if name == "bool" else st.integers(0, 9)
        if dtype.kind == "f":
            values = st.one_of(values.map(float), st.sampled_from([-np.inf, np.inf]))
        return hnp.arrays(dtype, shapes(max_axes), elements=values)

    return st.sampled_from(dtypes).flatmap(of_dtype)


@st.composite
def images_without_ties(draw, max_axes=3):
    """Permutations: every pixel has a value of its own."""
    shape = draw(shapes(max_axes))
    values = draw(st.permutations(range(int(np.prod(shape)))))
    return np.array(values, np.float64).reshape(shape)


@st.composite
def lattices(draw, max_axes=3):
    """Images that repeat every second pixel, but for a few: more saddles than in any noise."""
    shape = draw(shapes(max_axes))
    values = draw(hnp.arrays(np.uint8, (2,) * len(shape), elements=st.integers(0, 3)))
    image = values[tuple(np.indices(shape) % 2)]
    places = st.integers(0, image.size - 1)
    for place, value in draw(st.lists(st.tuples(places, st.integers(0, 4)), max_size=4)):
        image.flat[place] = value
    return image


constructions = st.sampled_from(["V", "T"])
frames = st.sampled_from([None, False, True, 0, 1, 2.5, 9, -1, 300, np.inf, -np.inf])
