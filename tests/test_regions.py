"""Features as pixels: the mask of one point, and labels of many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import feature_masks, region_labels
from scipy import ndimage
from strategies import constructions, frames, images, images_without_ties

import pytopo

RINGS = np.array(
    [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 9, 8, 4, 7, 6, 1],
        [1, 9, 8, 4, 7, 6, 1],
        [1, 1, 1, 1, 1, 1, 1],
    ]
)


def keyed(diagram):
    """Return the points of one dimension as (start pixel, end pixel), as the oracles do."""
    birth, death = diagram.birth_pixel.tolist(), diagram.death_pixel.tolist()
    return list(zip(birth, death) if (diagram.dim == 0).all() else zip(death, birth))


def top(image):
    return image.ndim - 1


def draw_image(axes=3):
    return st.one_of(images(axes), images_without_ties(axes))


# --- the mask of one point -------------------------------------------------------------
