"""Targets of the loss as people have them: class indices, pixels to ignore, any scale."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import default_collate

import pytopo
from pytopo import SegmentationLoss, TopologicalLoss
from pytopo.loss import topological_loss

RING = torch.zeros(1, 1, 5, 5)
RING[..., 1:4, 1:4] = 1
RING[..., 2, 2] = 0
STRIP = torch.zeros(1, 5, 5, dtype=torch.bool)
STRIP[:, :, 2] = True  # the column of the hole, and of two sides of the ring
MATCHINGS = ("wasserstein", "betti")


def classes(*shape, channels=3, seed=0):
    """Logits, and indices of classes."""
    generator = torch.Generator().manual_seed(seed)
    batch, *places = shape
    logits = torch.randn(batch, channels, *places, generator=generator, dtype=torch.float64)
    return logits, torch.randint(channels, shape, generator=generator)


def one_hot(indices, channels=3):
    return nn.functional.one_hot(indices, channels).movedim(-1, 1)


# ---- class indices --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 5, 6), (2, 3, 4, 4)])
@pytest.mark.parametrize("kind", [TopologicalLoss, SegmentationLoss])
@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.uint16, torch.float32])
def test_class_indices_become_one_hot(shape, kind, dtype):
    logits, indices = classes(*shape)
    options = {"softmax": True, "include_background": False}
    loss = kind(0.1, **options) if kind is SegmentationLoss else kind(**options)
    expected = loss(logits, one_hot(indices)).item()
    for target in (indices, indices[:, None]):
        assert loss(logits, target.to(dtype)).item() == expected
        prepared = loss.prepare(target.to(dtype), channels=3)
        assert loss(logits, prepared).item() == expected
        assert torch.equal(prepared.tensor, one_hot(indices).float())


def test_class_indices_are_those_of_torch():
    logits, indices = classes(2, 6, 6)
    loss = SegmentationLoss(0, softmax=True)
    expected = nn.functional.cross_entropy(logits.float(), indices).item()
    assert loss.pixel_loss(logits, indices).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (
            torch.full((2, 5, 6), 3),
            "from 3 to 3 in one channel; expected class indices from 0 t",
        ),
        (torch.full((2, 5, 6), -1), "; ignore_index=-1 leaves those pixels out$"),
        (torch.full((2, 1, 5, 6), 255), r"from 0 to 2, whole numbers; ignore_index=255 leaves"),
        (torch.full((2, 5, 6), 0.5), "from 0.5 to 0.5 in one channel; expected class indices"),
        (torch.full((2, 5, 6), np.nan), "from nan to nan in one channel; expected class indi"),
        (
            torch.zeros(2, 5),
            r"expected that of prediction, \(2, 3, 5, 6\), or class indices of ",
        ),
        (
            torch.zeros(2, 2, 5, 6),
            r"target has shape \(2, 2, 5, 6\); expected that of predicti",
        ),
    ],
)
@pytest.mark.parametrize("kind", [TopologicalLoss, SegmentationLoss])
def test_what_are_no_class_indices_is_refused(target, text, kind):
    loss = kind(0.1, softmax=True) if kind is SegmentationLoss else kind(softmax=True)
    with pytest.raises(ValueError, match=text):
        loss(classes(2, 5, 6)[0], target)


def test_a_target_without_its_channel_is_told_so():
    with pytest.raises(ValueError, match=r", \(1, 1, 5, 5\): target.unsqueeze\(1\)$"):
        topological_loss(RING, RING[0])
    with pytest.raises(
        ValueError, match="channels is 1; expected a whole number of at least 2"
    ):
        TopologicalLoss().prepare(RING, channels=1)


# ---- pixels to ignore -----------------------------------------------------------------------


@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize("frame", [None, True])
def test_a_gap_in_an_ignored_strip_is_nobodys_fault(matching, frame):
    broken = RING.clone()
    broken[0, 0, 1, 2] = 0.4
    options = {"matching": matching, "frame": frame}
    for target in (RING, broken.round()):
        assert topological_loss(broken, target, ignore=STRIP, **options).item() == 0
    assert topological_loss(broken, RING, **options).item() > 0.1


@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize(
    ("options", "value"),
    [({}, 0.0), ({"frame": True}, 1.0), ({"frame": 0.3}, 0.3), ({"superlevel": False}, 1.0)],
)
def test_ignored_pixels_have_the_value_of_the_frame_or_of_background(matching, options, value):
    rng = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 2, 2, 9, 8, generator=rng, dtype=torch.float64)
    ignore = torch.rand(2, 9, 8, generator=rng) < 0.3
    both = [image.masked_fill(ignore[:, None], value) for image in (prediction, target)]
    expected = topological_loss(*both, matching=matching, **options)
    prediction.requires_grad_()
    loss = TopologicalLoss(matching=matching, **options)
    for mask in (ignore, ignore[:, None]):
        prediction.grad = None
        found = loss(prediction, target, mask)
        assert found.item() == expected.item()
        found.backward()
        hidden = ignore[:, None].expand_as(prediction)
        assert prediction.grad[hidden].abs().sum() == 0
        assert prediction.grad[~hidden].abs().sum() > 0
        assert loss(prediction, loss.prepare(target, mask)).item() == expected.item()


def test_gradients_beside_ignored_pixels_are_those_of_finite_differences():
    rng = torch.Generator().manual_seed(3)
    prediction, target = torch.rand(2, 1, 1, 5, 5, generator=rng, dtype=torch.float64)
    prediction.requires_grad_()
    loss = TopologicalLoss(frame=True, normalize="pixels")
    assert torch.autograd.gradcheck(lambda x: loss(x, target, STRIP), prediction)
    assert torch.autograd.gradgradcheck(lambda x: loss(x, target, STRIP), prediction)


@pytest.mark.parametrize("softmax", [False, True])
def test_ignored_pixels_take_no_part_in_the_cross_entropy(softmax):
    logits, indices = classes(2, 5, 5)
    marked = indices.masked_fill(STRIP, 255)
    loss = SegmentationLoss(0.1, softmax=softmax, ignore_index=255)
    pixel = loss.pixel_loss(logits, marked)
    if softmax:
        expected = nn.functional.cross_entropy(logits.float(), marked, ignore_index=255)
    else:
        known = (~STRIP)[:, None].expand(2, 3, 5, 5)
        expected = nn.functional.binary_cross_entropy_with_logits(
            logits.float()[known], one_hot(indices).float()[known]
        )
    assert pixel.item() == pytest.approx(expected.item())
    plain = SegmentationLoss(0.1, softmax=softmax)
    terms = plain.terms(logits, one_hot(indices), STRIP.expand(2, 5, 5))
    found = loss.terms(logits, marked)
    assert all(terms[name].item() == pytest.approx(found[name].item()) for name in terms)
    everything = loss.pixel_loss(logits, torch.full_like(indices, 255))
    assert everything.item() == 0


def test_a_mark_in_any_channel_ignores_the_pixel():
    target = torch.stack([RING[0, 0], 1 - RING[0, 0]])[None].repeat(2, 1, 1, 1)
    prediction = 0.9 * target + 0.05
    marked = target.clone()
    marked[:, 1, :, 2] = -100
    expected = topological_loss(prediction, target, ignore=STRIP.repeat(2, 1, 1))
    assert topological_loss(prediction, marked, ignore_index=-100).item() == expected.item()
    unsigned = marked.masked_fill(marked == -100, 255).byte()
    assert topological_loss(prediction, unsigned, ignore_index=255).item() == expected.item()
    nothing = topological_loss(prediction, target.byte(), ignore_index=-100)
    assert nothing.item() == topological_loss(prediction, target).item()


def test_an_explanation_leaves_ignored_pixels_out():
    broken = RING.clone()
    broken[0, 0, 1, 2] = 0.4
    (why,) = TopologicalLoss().explain(broken, RING, STRIP)
    assert (len(why.fix), len(why.remove), len(why.missing)) == (0, 0, 0)
    (why,) = TopologicalLoss().explain(broken, RING)
    assert len(why.fix) + len(why.missing) > 0


def test_prepared_targets_carry_their_ignored_pixels():
    loss = TopologicalLoss(sigmoid=True, ignore_index=255)
    marked = RING.masked_fill(STRIP[:, None], 255)
    one, other = loss.prepare(marked), loss.prepare(RING)
    assert other.ignored is None
    assert torch.equal(one.tensor, RING.masked_fill(STRIP[:, None], 0))
    both = pickle.loads(pickle.dumps(default_collate([one, other])))
    assert both.ignored.flatten(1).sum(1).tolist() == [5, 0]
    logits = torch.randn(2, 1, 5, 5, generator=torch.Generator().manual_seed(1))
    expected = loss(logits, torch.cat([marked, RING])).item()
    for moved in (both, both.to("cpu"), both.to(torch.float64)):
        assert loss(logits, moved).item() == expected
    with pytest.raises(
        ValueError, match=r"target is prepared; expected prepare\(target, ignore\)"
    ):
        loss(logits[:1], other, STRIP)


@pytest.mark.parametrize(
    ("ignore", "error", "text"),
    [
        (STRIP.float(), TypeError, "ignore has dtype torch.float32; expected torch.bool"),
        (
            STRIP[:, 1:],
            ValueError,
            r"ignore has shape \(1, 4, 5\); expected \(1, 5, 5\) or \(1, 1",
        ),
        (STRIP.numpy(), TypeError, "ignore is ndarray; expected a Tensor"),
    ],
)
def test_what_is_no_mask_of_pixels_to_ignore_is_refused(ignore, error, text):
    with pytest.raises(error, match=text):
        topological_loss(RING, RING, ignore=ignore)
    with pytest.raises(TypeError, match=r"ignore_index is 0.5; expected a whole number"):
        TopologicalLoss(ignore_index=0.5)


# ---- the scale ------------------------------------------------------------------------------


def test_the_sum_over_points_can_be_divided_by_pixels_or_targets():
    rng = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 2, 2, 9, 8, generator=rng, dtype=torch.float64)
    target[1, 1] = 0.5  # one point, the essential one
    options = {"reduction": "none", "min_persistence": 0.1}
    plain = topological_loss(prediction, target, **options)
    pixels = topological_loss(prediction, target, normalize="pixels", **options)
    assert torch.allclose(pixels, plain / 72)
    diagrams = [
        pytopo.persistence(image.numpy(), superlevel=True, min_persistence=0.1)
        for image in target.flatten(0, 1)
    ]
    numbers = torch.tensor([len(diagram) for diagram in diagrams]).reshape(2, 2)
    assert numbers[1, 1] == 1
    for matching in MATCHINGS:
        plain = topological_loss(prediction, target, matching=matching, **options)
        found = topological_loss(
            prediction, target, matching=matching, normalize="targets", **options
        )
        assert torch.allclose(found, plain / numbers)
    holes = topological_loss(prediction, target, 1, normalize="targets", **options)
    assert torch.equal(holes[1, 1], topological_loss(prediction, target, 1, **options)[1, 1])


def test_ignored_pixels_do_not_count_as_pixels():
    prediction = torch.rand(2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    target = RING.expand(2, 3, 5, 5)
    ignore = STRIP.repeat(2, 1, 1)
    ignore[1] = False
    options = {"ignore": ignore, "reduction": "none"}
    plain = topological_loss(prediction, target, **options)
    found = topological_loss(prediction, target, normalize="pixels", **options)
    assert torch.allclose(found, plain / torch.tensor([[20.0], [25.0]]))
    with pytest.raises(
        ValueError, match="normalize is 'points'; expected one of None, pixels, t"
    ):
        TopologicalLoss(normalize="points")


# ---- dimensions -----------------------------------------------------------------------------


def test_all_dimensions_of_the_images_count_by_default():
    rng = torch.Generator().manual_seed(0)
    flat = torch.rand(2, 1, 1, 6, 6, generator=rng)
    deep = torch.rand(2, 1, 1, 4, 5, 6, generator=rng)
    loss = TopologicalLoss()
    assert loss(*flat).item() == topological_loss(*flat, (0, 1)).item()
    assert loss(*deep).item() == topological_loss(*deep, (0, 1, 2)).item()
    assert loss(*deep).item() > topological_loss(*deep, (0, 1)).item()
    prepared = loss.prepare(deep[1])
    assert loss(deep[0], prepared).item() == loss(*deep).item()
    assert "dims=None" in repr(loss)
    by_place = TopologicalLoss(matching="betti")
    expected = topological_loss(*deep, (0, 1, 2), matching="betti").item()
    assert by_place(*deep).item() == by_place(deep[0], by_place.prepare(deep[1])).item()
    assert by_place(*deep).item() == expected
