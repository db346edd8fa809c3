"""Whole images: tiles agree with the whole, nothing shows where they meet, nothing is lost."""

import io
import itertools
import sys

import numpy as np
import pytest
import torch
from torch import nn

from pytopo import models
from pytopo.training import tiles
from pytopo.training.prediction import predict, predict_sections
from pytopo.training.tiles import Plan, spans

ROUNDING = 5e-6  # of a likelihood, that up to 256 tiles add to


def random_image(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).random(shape).astype(dtype)


class Stub(nn.Module):
    """A network that is a function, and remembers the shapes that it got."""

    def __init__(self, function, patch_size=None, receptive_field=None, stride=1):
        super().__init__()
        self.function, self.shapes = function, []
        self.patch_size, self.receptive_field = patch_size, receptive_field
        self.stride = stride

    def forward(self, images):
        self.shapes.append(tuple(images.shape))
        return self.function(images)


def echo(**attributes):
    """A network whose likelihood is the image."""
    return Stub(torch.logit, **attributes)


def sharp(name, **options):
    """A random network whose likelihoods are not all near 1/2."""
    torch.manual_seed(0)
    network = models.build(name, **options)
    with torch.no_grad():
        network.last.weight *= 20
    return network


# ---- whole images ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 3), (16, 16), (17, 16), (50, 90)])
@pytest.mark.parametrize("overlap", [None, 0, 5, 15])
def test_patches_cover_an_image_of_any_size_and_each_pixel_gets_its_own(shape, overlap):
    image = random_image(*shape)
    likelihood = predict(echo(patch_size=16), image, overlap=overlap)
    assert likelihood.shape == shape
    assert likelihood.dtype == np.float32
    np.testing.assert_allclose(likelihood, image, atol=ROUNDING)


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("overlap", [None, 0, 7, 16])
@pytest.mark.parametrize("length", [1, 19, 20, 21, 22, 23, 24, 25, 39, 40, 57, 100])
def test_tiles_of_any_overlap_and_stride_leave_no_pixel_out(stride, overlap, length):
    image = random_image(length, 30)
    network = echo(receptive_field=9, stride=stride)
    likelihood = predict(network, image, tile=20, overlap=overlap)
    np.testing.assert_allclose(likelihood, image, atol=ROUNDING)


def test_an_image_smaller_than_a_patch_is_reflected():
    got = []
    image = random_image(3, 8)
    network = Stub(lambda images: got.append(images) or torch.logit(images), patch_size=8)
    np.testing.assert_allclose(predict(network, image), image, atol=ROUNDING)
    ((patch,),) = (got[0][:, 0].numpy(),)
    assert np.array_equal(patch, image[[0, 1, 2, 1, 0, 1, 2, 1]])


def test_a_fully_convolutional_network_gets_a_small_image_as_a_whole():
    network = echo()
    predict(network, random_image(130, 65))
    assert network.shapes == [(1, 1, 130, 65)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (4, 4), (6, 5)])
def test_an_image_of_less_than_two_strides_is_predicted(shape):
    network = echo(stride=4, receptive_field=30)
    image = random_image(*shape)
    np.testing.assert_allclose(predict(network, image), image, atol=ROUNDING)


def test_an_image_of_more_than_two_tiles_is_tiled_and_others_are_not(monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 32)
    monkeypatch.setattr(tiles, "DIRECT", 2 * 32**2)
    network = echo()
    predict(network, random_image(64, 32))
    assert network.shapes == [(1, 1, 64, 32)]
    network = echo()
    predict(network, random_image(64, 33))
    assert {shape[2:] for shape in network.shapes} == {(32, 32)}


def test_tiles_are_predicted_in_batches_of_the_given_size():
    network = echo(patch_size=8)
    predict(network, random_image(24, 24), overlap=0, batch_size=4)
    assert [shape[0] for shape in network.shapes] == [4, 4, 1]
    network = echo(patch_size=8)
    predict(network, random_image(24, 24), overlap=0)
    assert [shape[0] for shape in network.shapes] == [9]


@pytest.mark.parametrize(
    ("name", "options", "tile"),
    [
        ("plain", {"width": 4}, 40),
        ("plain", {"width": 4, "stride": 1}, 33),
        ("unet", {"width": 4, "depth": 2, "norm": "none"}, 48),
        ("unet", {"width": 4, "depth": 3, "norm": "none"}, 100),
        ("unet", {"width": 4, "depth": 3, "norm": "batch"}, 97),
    ],
)
@pytest.mark.parametrize("shape", [(131, 118), (129, 40)])
def test_tiles_with_the_receptive_field_for_overlap_agree_with_the_whole(
    name, options, tile, shape
):
    network = sharp(name, **options)
    image = random_image(*shape)
    whole = predict(network, image)
    assert whole.std() > 0.01
    field = network.receptive_field
    for overlap in (field, min(field + 6, tile - network.stride)):
        tiled = predict(network, image, tile=tile, overlap=overlap)
        np.testing.assert_allclose(tiled, whole, atol=ROUNDING)
    less = predict(network, image, tile=tile, overlap=0)
    assert np.abs(less - whole).max() > 100 * ROUNDING


def test_there_is_no_seam_where_patches_disagree():
    ramp = torch.linspace(-2, 2, 16)  # says less on the left of a patch, more on the right
    network = Stub(lambda images: torch.zeros_like(images) + ramp, patch_size=16)
    image = np.zeros((16, 80), np.float32)
    step = np.abs(np.diff(predict(network, image), axis=1)).max()
    cut = np.abs(np.diff(predict(network, image, overlap=0), axis=1)).max()
    assert cut > 0.7
    assert step < 0.1


def test_a_tile_counts_less_towards_a_cut_edge_and_fully_at_the_edge_of_the_image():
    first, last = spans(8, Plan(tile=6, overlap=4, margin=1, stride=1))
    assert (first.start, first.stop, last.start, last.stop) == (0, 6, 2, 8)
    assert first.weight.tolist() == [1, 1, 1, 0.75, 0.25, 0]
    assert last.weight.tolist() == [0, 0.25, 0.75, 1, 1, 1]


def test_tiles_start_at_multiples_of_the_stride_and_end_with_the_image():
    found = spans(103, Plan(tile=32, overlap=10, margin=5, stride=4))
    assert [span.start % 4 for span in found] == [0] * len(found)
    assert found[-1].stop == 103
    assert all(a.stop - b.start >= 10 for a, b in itertools.pairwise(found))


# ---- the network is left as it was -------------------------------------------------------


def test_a_network_is_run_in_evaluation_mode_and_each_part_gets_its_mode_back():
    network = models.build("unet", width=4).train()
    frozen = network.down[0].eval()
    before = [buffer.clone() for buffer in network.buffers()]
    image = random_image(20, 20)
    one, other = predict(network, image), predict(network, image)
    assert np.array_equal(one, other)
    assert all(torch.equal(a, b) for a, b in zip(network.buffers(), before))
    assert network.training
    assert network.merge[0][1].training
    assert not any(module.training for module in frozen.modules())


def test_a_network_gets_its_mode_back_after_an_error_too():
    network = Stub(lambda images: images * torch.nan).train()
    with pytest.raises(ValueError, match="NaN"):
        predict(network, random_image(4, 4))
    assert network.training


def test_the_image_is_not_changed_and_no_gradient_is_kept():
    network, image = sharp("plain", width=4), random_image(20, 30)
    before = image.copy()
    predict(network, image)
    assert np.array_equal(image, before)
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4"])
def test_floats_of_any_width_and_layout_are_taken(dtype):
    image = random_image(20, 30, dtype=np.float16)
    likelihood = predict(echo(), image.astype(dtype).T)
    np.testing.assert_allclose(likelihood, image.T, atol=ROUNDING)


# ---- sections ----------------------------------------------------------------------------


def test_sections_are_predicted_one_by_one_when_they_are_needed():
    network, volume = sharp("plain", width=4), random_image(3, 20, 30)
    sections = predict_sections(network, iter(volume))
    for image, section in zip(volume, sections, strict=True):
        assert network.training
        assert np.array_equal(section, predict(network, image))

    def images():
        yield volume[0]
        raise AssertionError("the second is not needed")

    next(predict_sections(network, images()))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("progress", [True, False])
def test_progress_is_shown_on_a_terminal_with_the_option(monkeypatch, progress):
    monkeypatch.setattr(sys, "stderr", Terminal())
    list(predict_sections(echo(), random_image(2, 5, 5), progress=progress))
    assert ("2/2" in sys.stderr.getvalue()) is progress


@pytest.mark.parametrize("stderr", [io.StringIO(), None])
def test_progress_is_shown_nowhere_else(monkeypatch, stderr):
    monkeypatch.setattr(sys, "stderr", stderr)
    assert len(list(predict_sections(echo(), random_image(2, 5, 5), progress=True))) == 2
    assert stderr is None or stderr.getvalue() == ""


# ---- what is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "error", "said"),
    [
        (
            np.zeros((4, 4), np.uint8),
            TypeError,
            "image: dtype uint8; expected an array of floats",
        ),
        ([[0.5]], TypeError, "image: list; expected an array of floats"),
        (np.zeros((2, 4, 4)), ValueError, r"image of shape \(2, 4, 4\); expected \(H, W\)"),
        (
            np.zeros((0, 4)),
            ValueError,
            r"image of shape \(0, 4\); expected \(H, W\), with pixels",
        ),
        (np.array([[0, np.nan]]), ValueError, r"image\[0, 1\] is NaN; expected values from 0"),
        (np.array([[0, 255.0]]), ValueError, "values from 0 to 255; expected them on"),
        (np.array([[-0.5, np.inf]]), ValueError, "values from -0.5 to inf; expected them on"),
    ],
)
def test_what_is_not_an_image_is_refused(image, error, said):
    with pytest.raises(error, match=said):
        predict(echo(), image)


@pytest.mark.parametrize(
    ("attributes", "options", "said"),
    [
        ({"patch_size": 8}, {"tile": 9}, "tile=9; expected 8, the only size that the"),
        ({"patch_size": 8}, {"overlap": 8}, "tile=8, overlap=8; expected an overlap from 0"),
        ({}, {"tile": 8, "overlap": -1}, "tile=8, overlap=-1; expected an overlap from 0"),
        ({"stride": 4}, {"tile": 8, "overlap": 5}, "tile=8, overlap=5; .* 4 less than the"),
        ({"stride": 4}, {"tile": 2, "overlap": 0}, "tile=2, overlap=0; .* 4 less than the"),
        ({"stride": 4}, {"tile": 2}, "tile=2, overlap=0; .*, and a tile of at least 4"),
        ({}, {"tile": 0}, "tile=0, overlap=0; expected"),
        ({}, {"batch_size": 0}, "batch_size=0; expected at least 1"),
        ({}, {"device": "gpu"}, "device 'gpu': .*; expected one like cpu"),
        ({}, {"device": "meta"}, "device 'meta': .*; expected one like cpu"),
    ],
)
def test_what_the_network_cannot_do_is_refused(attributes, options, said):
    with pytest.raises(ValueError, match=said) as caught:
        predict(echo(**attributes), random_image(30, 30), **options)
    assert "\n" not in str(caught.value)


def test_logits_of_another_shape_are_refused():
    network = Stub(lambda images: images[:, :, :-1])
    with pytest.raises(ValueError, match=r"returned \(1, 1, 3, 4\) for \(1, 1, 4, 4\); exp"):
        predict(network, random_image(4, 4))
