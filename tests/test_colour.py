"""Pictures in colour: red, green and blue all the way from a file to a network."""

import numpy as np
import pytest
import torch
from PIL import Image

from pytopo import models
from pytopo.data import ArraySections, Patches, open_sections, write_cremi
from pytopo.images.colour import open_colour
from pytopo.training.blocks import Blocks
from pytopo.training.checks import check_run
from pytopo.training.config import config_of
from pytopo.training.distributed import World
from pytopo.training.folder import start_run
from pytopo.training.prediction import predict
from pytopo.training.run import resume_run

ALONE = World(0, 1, torch.device("cpu"))


@pytest.fixture
def walls(tmp_path):
    """Three pictures: mortar is what is red."""
    rng = np.random.default_rng(0)
    for kind in ("image", "label"):
        (tmp_path / kind).mkdir()
    for number in range(3):
        mortar = np.zeros((40, 50), bool)
        mortar[::10], mortar[:, ::12] = True, True
        colour = rng.integers(0, 128, (40, 50, 3), np.uint8)
        colour[..., 0] = np.where(mortar, 200, 20)
        Image.fromarray(colour).save(tmp_path / "image" / f"{number}.png")
        Image.fromarray(np.uint8(255 * mortar)).save(tmp_path / "label" / f"{number}.png")
    return tmp_path


def test_a_picture_is_read_as_it_is_stored(tmp_path):
    rng = np.random.default_rng(1)
    stored = rng.integers(0, 256, (5, 7, 3), np.uint8)
    for ending in ("png", "tif", "bmp"):
        Image.fromarray(stored).save(tmp_path / f"a.{ending}")
        np.testing.assert_array_equal(open_colour(tmp_path / f"a.{ending}").array, stored)
    Image.fromarray(stored[..., 0]).save(tmp_path / "grey.png")
    grey = open_colour(tmp_path / "grey.png")
    np.testing.assert_array_equal(grey.array, stored[..., :1].repeat(3, axis=2))
    assert grey.notes == ()
    Image.fromarray(np.dstack([stored, stored[..., 0]])).save(tmp_path / "alpha.png")
    assert open_colour(tmp_path / "alpha.png").notes == ("alpha channel dropped",)


def test_what_is_no_picture_in_colour_is_one_line(tmp_path):
    Image.fromarray(np.zeros((5, 7), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"deep\.png: not read in colour: I;16 pixels; expect"):
        open_colour(tmp_path / "deep.png")
    np.save(tmp_path / "a.npy", np.zeros((5, 7)))
    with pytest.raises(ValueError, match=r"a\.npy: not read in colour: cannot identify"):
        open_colour(tmp_path / "a.npy")
    with pytest.raises(FileNotFoundError):
        open_colour(tmp_path / "none.png")


def test_a_section_and_its_patches_have_three_channels(walls):
    sections = open_sections(str(walls), colour=True)
    image, truth = sections[1]
    stored = np.asarray(Image.open(walls / "image" / "1.png"))
    np.testing.assert_array_equal(image, np.float32(stored) / 255)
    assert truth.shape == (40, 50)
    assert sections.shape_of(1) == (40, 50)
    for patch, where in (Patches(sections, size=9, seed=3)[k] for k in range(16)):
        assert patch.shape == (3, 9, 9)
        assert patch.flags.c_contiguous
        np.testing.assert_array_equal(patch[0] > 0.5, where[0] > 0)  # turned together


def test_arrays_in_colour_are_sections():
    images = np.random.default_rng(0).random((2, 8, 9, 3), np.float32)
    sections = ArraySections(images, images[..., 0] > 0.5)
    assert sections.shape_of(0) == (8, 9)
    np.testing.assert_array_equal(sections[1].image, images[1])
    with pytest.raises(ValueError, match="expected the same shape"):
        ArraySections(images[..., :2], images[..., 0] > 0.5)


def test_hdf5_is_grey(tmp_path):
    ids = np.ones((2, 8, 8), np.uint64)
    write_cremi(tmp_path / "a.h5", np.zeros((2, 8, 8), np.uint8), ids)
    with pytest.raises(ValueError, match=r"a\.h5: HDF5 holds grey images; expected pictures"):
        open_sections(str(tmp_path / "a.h5"), colour=True)


@pytest.mark.parametrize("name", ["unet", "plain"])
def test_tiles_in_colour_are_those_of_the_whole_image(name):
    torch.manual_seed(0)
    options = {"depth": 2, "norm": "none"} if name == "unet" else {"layers": 3}
    network = models.build(name, width=4, channels=3, **options).eval()
    image = np.random.default_rng(0).random((61, 70, 3), np.float32)
    whole = predict(network, image)
    assert whole.shape == (61, 70)
    with torch.inference_mode():
        logits = network(torch.from_numpy(image).movedim(-1, 0)[None])
    np.testing.assert_allclose(whole, logits[0, 0].sigmoid().numpy(), atol=1e-6)
    np.testing.assert_allclose(predict(network, image, tile=32), whole, atol=1e-5)
    with pytest.raises(
        ValueError, match=r"\(61, 70\); expected \(H, W, 3\) for a network with"
    ):
        predict(network, image[..., 0])


def configured(walls, colour, channels):
    return config_of(
        {
            "data": {
                "paths": [str(walls)], "colour": colour,
                "train": "0:1", "validation": "1:2", "test": "2:3",
            },
            "network": {"name": "unet", "options": {
                "width": 4, "depth": 4, "channels": channels}},
            "training": {"epochs": 2, "patches": 16, "batch": 4, "size": 32},
            "loss": {"topo_weight": 0.05, "warmup": 1, "matching": "betti"},
        }
    )  # fmt: skip


def test_a_run_in_colour_trains_and_draws(walls, tmp_path):
    start_run(tmp_path / "run", configured(walls, True, 3))
    rows = list(resume_run(tmp_path / "run", ALONE))
    assert rows[1]["loss"] == pytest.approx(
        rows[1]["cross_entropy"] + 0.05 * rows[1]["topological"], rel=1e-5
    )
    assert (tmp_path / "run" / "examples.png").exists()


@pytest.mark.parametrize(
    ("colour", "channels", "shape"), [(True, 1, "40, 50, 3"), (False, 3, "40, 50")]
)
@pytest.mark.filterwarnings("ignore:.*luminance")
def test_images_and_network_must_agree(walls, colour, channels, shape):
    config = configured(walls, colour, channels)
    sections = open_sections(str(walls), colour=colour)
    with pytest.raises(ValueError, match=rf"image of shape \({shape}\); expected"):
        check_run(config, Blocks(sections, sections, sections), ALONE)
