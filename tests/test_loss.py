"""The topological loss: values, gradients, options, and the faults of others."""

import copy
import io
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad

import pytopo
from pytopo.loss import SegmentationLoss, TopologicalLoss, squares, topological_loss

RING = torch.zeros(1, 1, 5, 5)
RING[..., 1:4, 1:4] = 1
RING[..., 2, 2] = 0


def ring_with_a_gap(value, dtype=torch.float64):
    broken = RING.to(dtype).clone()
    broken[0, 0, 1, 2] = value
    return broken.requires_grad_()


def random_images(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(shape, generator=generator, dtype=torch.float64)
    truth = (torch.rand(shape, generator=generator) > 0.5).double()
    return images.requires_grad_(), truth


# --- values by hand --------------------------------------------------------------------


def test_the_truth_itself_costs_nothing():
    assert topological_loss(RING, RING).item() == 0


def test_a_strong_gap_is_matched_and_costs_its_way_to_the_corner():
    # The hole lives from 0.7 to 0, the truth's from 1 to 0.
    assert topological_loss(ring_with_a_gap(0.7), RING).item() == pytest.approx(0.3**2)


def test_a_missing_hole_costs_half_its_squared_persistence():
    assert topological_loss(torch.ones(1, 1, 5, 5), RING, dims=1).item() == 0.5


def test_a_hole_too_many_costs_half_its_squared_persistence():
    full = torch.ones(1, 1, 5, 5)
    assert topological_loss(RING * 0.6, full, dims=1).item() == pytest.approx(0.6**2 / 2)


def test_the_essential_component_is_matched_by_birth():
    assert topological_loss(0.4 * RING, RING, dims=0).item() == pytest.approx(0.6**2)


def test_dimensions_are_matched_apart_and_weighted():
    prediction = ring_with_a_gap(0.7)
    image = (0.9 * prediction).detach()
    parts = [topological_loss(image, RING, dims=k).item() for k in (0, 1)]
    assert parts == pytest.approx([0.1**2, (1 - 0.63) ** 2])
    weighted = topological_loss(image, RING, dims={0: 2.0, 1: 0.5}).item()
    assert weighted == pytest.approx(2 * parts[0] + 0.5 * parts[1])


def test_the_loss_of_a_batch_is_the_mean_over_images_and_channels():
    prediction, truth = random_images(3, 2, 6, 7)
    each = topological_loss(prediction, truth, reduction="none")
    assert each.shape == (3, 2)
    for b in range(3):
        for c in range(2):
            one = (slice(b, b + 1), slice(c, c + 1))
            alone = topological_loss(prediction[one], truth[one])
            assert each[b, c].item() == pytest.approx(alone.item())
    assert topological_loss(prediction, truth).item() == pytest.approx(each.mean().item())
    total = topological_loss(prediction, truth, reduction="sum").item()
    assert total == pytest.approx(each.sum().item())


def test_a_frame_of_foreground_closes_loops_at_the_border():
    line = torch.zeros(1, 1, 3, 5)
    line[..., 1, :] = 1
    nothing = torch.zeros(1, 1, 3, 5)
    # Inside the frame the line makes two holes of one.
    assert topological_loss(nothing, line, dims=1).item() == 0
    assert topological_loss(nothing, line, dims=1, frame=True).item() == 0.5


def test_points_of_little_persistence_can_be_left_alone():
    noisy = RING.clone()
    noisy[0, 0, 0, 0] = 0.02
    noisy[0, 0, 2, 2] = 0.0
    assert topological_loss(noisy, RING, dims=0).item() == pytest.approx(0.02**2 / 2)
    assert topological_loss(noisy, RING, dims=0, min_persistence=0.03).item() == 0


def test_grey_targets_are_matched_point_by_point():
    grey = 0.8 * RING
    assert topological_loss(0.7 * RING, grey).item() == pytest.approx(2 * 0.1**2)


def test_volumes_have_voids():
    shell = torch.ones(1, 1, 3, 3, 3)
    shell[..., 1, 1, 1] = 0
    weak = 0.75 * shell
    assert topological_loss(weak, shell, dims=2).item() == pytest.approx(0.25**2)


# --- every_target: the ring whose gap is weak --------------------------------------------


def test_the_plain_optimum_gives_a_weak_ring_up_and_opens_it():
    # In 1 - f the dot is (0.8, 0.95): s = 0.15 - 2 (0.875 - 0.5)^2 = -0.13 < 0.
    broken = ring_with_a_gap(0.2)
    with torch.no_grad():
        broken[0, 0, 2, 2] = 0.05
    loss = topological_loss(broken, RING, dims=1)
    assert loss.item() == pytest.approx(0.15**2 / 2 + 0.5)
    loss.backward()
    assert broken.grad[0, 0, 1, 2].item() == pytest.approx(0.15)  # descent lowers the gap


def test_every_target_closes_a_weak_ring():
    broken = ring_with_a_gap(0.2)
    with torch.no_grad():
        broken[0, 0, 2, 2] = 0.05
    loss = topological_loss(broken, RING, dims=1, every_target=True)
    assert loss.item() == pytest.approx(0.8**2 + 0.05**2)
    loss.backward()
    assert broken.grad[0, 0, 1, 2].item() == pytest.approx(2 * (0.2 - 1))
    assert broken.grad[0, 0, 2, 2].item() == pytest.approx(2 * 0.05)


# --- gradients -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"every_target": True},
        {"frame": True},
        {"frame": 0.5},
        {"sigmoid": True},
        {"softmax": True},
        {"softmax": True, "include_background": False},
        {"superlevel": False},
        {"construction": "T"},
        {"dims": {0: 0.3, 1: 2.0}},
        {"min_persistence": 0.2},
        {"reduction": "none"},
    ],
    ids=str,
)
def test_the_gradient_is_that_of_finite_differences(options):
    prediction, truth = random_images(2, 2, 4, 4)
    if "sigmoid" in options:
        prediction = prediction.detach().logit().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: topological_loss(p, truth, **options), prediction)


def test_the_gradient_of_a_volume_is_that_of_finite_differences():
    prediction, truth = random_images(1, 1, 3, 4, 3)
    assert torch.autograd.gradcheck(
        lambda p: topological_loss(p, truth, dims=(0, 1, 2)), prediction
    )


@pytest.mark.compiled
def test_descent_gives_a_volume_the_tunnel_and_the_void_of_the_truth():
    truth = torch.zeros(1, 1, 5, 10, 5, dtype=torch.float64)
    truth[..., 1:4, 1:4, 1:4] = 1
    truth[..., 2, 2, 2] = 0  # a hollow box
    truth[..., 2, 6:9, 1:4] = 1
    truth[..., 2, 7, 2] = 0  # and a ring
    generator = torch.Generator().manual_seed(1)
    likelihood = torch.rand(truth.shape, generator=generator, dtype=torch.float64)
    likelihood.requires_grad_()
    loss = TopologicalLoss((0, 1, 2), every_target=True)
    optimizer = torch.optim.Adam([likelihood], lr=0.02)
    before = pytopo.persistence(likelihood[0, 0].detach().numpy(), superlevel=True).betti(0.5)
    for _ in range(400):
        optimizer.zero_grad()
        value = loss(likelihood, truth)
        if value < 1e-4:
            break
        value.backward()
        optimizer.step()
        with torch.no_grad():
            likelihood.clamp_(0, 1)
    after = pytopo.persistence(likelihood[0, 0].detach().numpy(), superlevel=True).betti(0.5)
    assert before != (2, 1, 1)
    assert value < 1e-4
    assert after == (2, 1, 1)


def test_the_gradient_touches_at_most_two_pixels_a_dot():
    prediction, truth = random_images(1, 1, 20, 20)
    topological_loss(prediction, truth, dims=1).backward()
    points = len(TopologicalLoss(1).explain(prediction, truth)[0].prediction)
    assert 0 < torch.count_nonzero(prediction.grad) <= 2 * points


def test_a_pixel_that_is_critical_twice_gets_the_sum():
    # Pixel 2 is the pass of the left and of the right peak: both fall to it.
    row = torch.tensor([0.9, 0.5, 0.3, 0.6, 1.0]).double().reshape(1, 1, 1, 5).requires_grad_()
    peaks = torch.tensor([0.9, 0.1, 0.2, 0.1, 1.0]).double().reshape(1, 1, 1, 5)
    topological_loss(row, peaks, dims=0, every_target=True).backward()
    assert row.grad[0, 0, 0, 2].item() == pytest.approx(2 * (0.3 - 0.1))
    twice = torch.tensor([1.0, 0.3, 0.8]).double().reshape(1, 1, 1, 3).requires_grad_()
    hole = torch.zeros(1, 1, 1, 3).double()
    topological_loss(twice, hole, dims=0).backward()
    assert twice.grad.flatten().tolist() == pytest.approx([2.0, 0.3 - 0.8, 0.8 - 0.3])


def test_a_step_closes_the_gap_of_a_ring():
    broken = ring_with_a_gap(0.6)
    for _ in range(60):
        loss = topological_loss(broken, RING, dims=(0, 1))
        (gradient,) = torch.autograd.grad(loss, broken)
        broken = (broken - 0.1 * gradient).detach().requires_grad_()
    assert broken[0, 0, 1, 2].item() > 0.99
    assert loss.item() < 1e-4


def test_images_without_points_keep_a_gradient_path():
    for prediction in (
        torch.zeros(1, 1, 4, 4),
        torch.ones(1, 1, 4, 4),
        torch.full((1, 1, 1, 1), 0.3),
    ):
        prediction.requires_grad_()
        for truth in (torch.zeros_like(prediction), torch.ones_like(prediction)):
            for options in ({}, {"dims": 1}, {"frame": True}, {"every_target": True}):
                prediction.grad = None
                topological_loss(prediction, truth.detach(), **options).backward()
                assert torch.isfinite(prediction.grad).all()


def test_the_same_twice_is_the_same_to_the_bit():
    prediction, truth = random_images(4, 1, 30, 30)
    losses, gradients = [], []
    for _ in range(3):
        prediction.grad = None
        loss = topological_loss(prediction, truth)
        loss.backward()
        losses.append(loss.item())
        gradients.append(prediction.grad.clone())
    assert len(set(losses)) == 1
    assert all(torch.equal(g, gradients[0]) for g in gradients)


@pytest.mark.parametrize("frame", [None, True])
def test_threads_change_nothing(monkeypatch, frame):
    prediction, truth = random_images(3, 1, 20, 21)
    results = []
    for threads in (1, 2, 3, 5, 8):
        monkeypatch.setattr(squares, "number_of_threads", lambda _, n=threads: n)
        for images in (slice(None), slice(0, 1)):
            loss = topological_loss(
                prediction[images], truth[images], frame=frame, reduction="none"
            )
            (gradient,) = torch.autograd.grad(loss.sum(), prediction)
            results.append((loss[0, 0].item(), gradient[0].tolist()))
    assert all(result == results[0] for result in results)
    assert results[0][0] > 0


# --- faults of others, one by one --------------------------------------------------------


def test_the_peak_of_a_component_is_pushed_up_and_its_saddle_down():
    # Two components in the truth; in the prediction the right one has a peak of 0.6 over a
    # saddle of 0.05.
    row = torch.tensor([1.0, 0.05, 0.6]).reshape(1, 1, 1, 3).requires_grad_()
    truth = torch.tensor([1.0, 0.0, 1.0]).reshape(1, 1, 1, 3)
    topological_loss(row, truth, dims=0).backward()
    assert row.grad.flatten().tolist() == pytest.approx([0.0, 2 * 0.05, 2 * (0.6 - 1)])


def test_diagrams_and_squares_are_of_the_same_likelihoods():
    logits = torch.logit(ring_with_a_gap(0.7).detach().clamp(1e-9, 1 - 1e-9)).requires_grad_()
    loss = topological_loss(logits, RING, sigmoid=True)
    assert loss.item() == pytest.approx(0.3**2, abs=1e-6)
    loss.backward()
    assert logits.grad[0, 0, 1, 2].item() == pytest.approx(2 * -0.3 * 0.7 * 0.3, abs=1e-6)


def test_non_square_patches_are_not_scrambled():
    prediction, truth = random_images(1, 1, 4, 9)
    turned = topological_loss(prediction.mT.contiguous(), truth.mT.contiguous())
    assert turned.item() == pytest.approx(topological_loss(prediction, truth).item())


def test_holes_without_a_finite_component_are_no_error():
    assert topological_loss(0.5 * RING, RING).item() == pytest.approx(2 * 0.5**2)


def test_superlevel_as_a_text_is_refused():
    with pytest.raises(TypeError, match="superlevel is 'superlevel'; expected True or False"):
        TopologicalLoss(superlevel="superlevel")


def test_sublevel_and_superlevel_differ():
    prediction, truth = random_images(1, 1, 6, 6)
    up, down = (topological_loss(prediction, truth, superlevel=s).item() for s in (False, True))
    assert up != down
    assert up == pytest.approx(topological_loss(1 - prediction, 1 - truth).item())


def test_a_removed_dot_costs_half_its_squared_persistence_and_not_twice():
    row = torch.tensor([1.0, 0.2, 0.6]).reshape(1, 1, 1, 3)
    truth = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 1, 1, 3)
    assert topological_loss(row, truth, dims=0).item() == pytest.approx(0.4**2 / 2)


# --- tensors ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_dtype_is_taken(dtype):
    prediction = ring_with_a_gap(0.75, dtype)
    loss = topological_loss(prediction, RING)
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert loss.item() == 0.25**2
    loss.backward()
    assert prediction.grad.dtype == dtype
    assert prediction.grad[0, 0, 1, 2].item() == -0.5


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16])
def test_targets_of_every_dtype_are_taken(dtype):
    assert topological_loss(ring_with_a_gap(0.75), RING.to(dtype)).item() == 0.25**2


def test_autocast_changes_nothing():
    prediction = ring_with_a_gap(0.7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = topological_loss(prediction, RING)
    assert loss.item() == topological_loss(prediction, RING).item()


def test_strided_tensors_are_taken():
    prediction, truth = random_images(2, 3, 7, 5)
    expected = topological_loss(prediction, truth).item()
    last = prediction.to(memory_format=torch.channels_last)
    assert topological_loss(last, truth).item() == expected


def test_a_prepared_target_is_a_target():
    prediction, truth = random_images(2, 3, 7, 5)
    loss = TopologicalLoss(frame=True, softmax=True, include_background=False)
    assert loss(prediction, loss.prepare(truth)).item() == loss(prediction, truth).item()
    with pytest.raises(ValueError, match="target was prepared by a loss with other options"):
        TopologicalLoss(dims=1)(prediction, loss.prepare(truth))


def test_a_loss_can_be_pickled_copied_and_has_no_state():
    likelihood, truth = random_images(1, 1, 7, 5)
    prediction = 4 * likelihood - 2
    loss = SegmentationLoss(0.3, dims={0: 0.5, 1: 2.0}, frame=True, every_target=True)
    expected = loss(prediction, truth).item()
    for same in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss)):
        assert same(prediction, truth).item() == expected
    assert loss.state_dict() == {}
    stream = io.BytesIO()
    torch.save(loss.state_dict(), stream)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same():
    cuda = torch.device("cuda")
    prediction, truth = random_images(3, 2, 20, 31)
    expected = topological_loss(prediction, truth)
    expected.backward()
    there = prediction.detach().to(cuda).requires_grad_()
    loss = topological_loss(there, truth.to(cuda))
    loss.backward()
    assert loss.device.type == "cuda"
    # There the mean is added up in another order.
    torch.testing.assert_close(loss.cpu(), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(there.grad.cpu(), prediction.grad, rtol=1e-12, atol=0)


# --- the sum of both losses --------------------------------------------------------------


def test_the_segmentation_loss_is_cross_entropy_plus_weight_times_topological():
    likelihood, truth = random_images(2, 1, 6, 6)
    logits = likelihood.logit()
    terms = SegmentationLoss(0.2, frame=True).terms(logits, truth)
    pixel = nn.functional.binary_cross_entropy_with_logits(logits.float(), truth.float())
    topological = topological_loss(logits, truth, frame=True, sigmoid=True)
    assert terms["pixel"].item() == pixel.item()
    assert terms["topological"].item() == topological.item()
    assert terms["total"].item() == pytest.approx(pixel.item() + 0.2 * topological.item())


def test_several_classes_use_cross_entropy_of_the_softmax():
    logits, _ = random_images(2, 3, 6, 6)
    truth = nn.functional.one_hot(logits.detach().argmax(1), 3).movedim(-1, 1)
    terms = SegmentationLoss(0.2, softmax=True, include_background=False).terms(logits, truth)
    pixel = nn.functional.cross_entropy(logits.float(), truth.argmax(1))
    assert terms["pixel"].item() == pytest.approx(pixel.item())
    options = {"softmax": True, "include_background": False}
    assert terms["topological"].item() == topological_loss(logits, truth, **options).item()


# --- explanations ----------------------------------------------------------------------


def test_an_explanation_names_what_to_fix_and_what_to_remove():
    prediction = ring_with_a_gap(0.7).detach()
    prediction[0, 0, 4, 4] = 0.1  # a speck beside the ring, and a hole in it at 0.7
    (why,) = TopologicalLoss().explain(prediction, RING)
    assert why.prediction.birth_index[why.fix[:, 0]].tolist() == [[1, 2]]
    assert why.target.points(1).tolist() == [[1, 0]]
    assert why.missing.size == 0
    (removed,) = why.remove
    assert why.prediction.birth_index[removed].tolist() == [4, 4]


def test_an_explanation_names_what_is_missing():
    (why,) = TopologicalLoss(dims=1).explain(torch.ones(1, 1, 5, 5), RING)
    assert (why.fix.size, why.remove.size, why.missing.tolist()) == (0, 0, [0])


# --- errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "target", "error", "text"),
    [
        (
            RING[0],
            RING[0],
            ValueError,
            r"prediction has shape \(1, 5, 5\); expected \(B, C",
        ),
        (
            RING,
            RING[..., 1:],
            ValueError,
            r"target has shape \(1, 1, 5, 4\); expected that",
        ),
        (RING.bool(), RING, TypeError, "prediction has dtype torch.bool; expected floats"),
        (RING + np.nan, RING, ValueError, r"prediction\[0, 0, 0, 0\] is not a finite number"),
        (RING, RING / 0, ValueError, r"target\[0, 0, 0, 0\] is not a finite number"),
        (RING.numpy(), RING, TypeError, "prediction is ndarray; expected a Tensor"),
        (
            RING,
            RING.numpy(),
            TypeError,
            "target is ndarray; expected a Tensor or PreparedTarget",
        ),
        (RING[:0], RING[:0], ValueError, r"prediction has shape \(0, 1, 5, 5\)"),
    ],
)
def test_what_is_no_batch_is_refused_by_name(prediction, target, error, text):
    with pytest.raises(error, match=text):
        TopologicalLoss()(prediction, target)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"sigmoid": True, "softmax": True}, ValueError, "sigmoid and softmax are both True"),
        (
            {"reduction": "max"},
            ValueError,
            "reduction is 'max'; expected one of mean, sum, none",
        ),
        ({"dims": 3}, ValueError, "dims is 3; expected some of 0, 1, 2"),
        ({"dims": ()}, ValueError, r"dims is \(\)"),
        ({"dims": {0: -1.0}}, ValueError, "expected weights that are finite and at least 0"),
        ({"construction": "v"}, ValueError, "construction is 'v'"),
        ({"frame": "black"}, TypeError, "frame is 'black'"),
        ({"min_persistence": -1}, ValueError, "min_persistence is -1"),
        ({"every_target": 1}, TypeError, "every_target is 1; expected True or False"),
    ],
)
def test_impossible_options_are_refused_when_the_loss_is_made(options, error, text):
    with pytest.raises(error, match=text):
        TopologicalLoss(**options)


def test_dimension_two_of_flat_images_is_refused():
    with pytest.raises(ValueError, match=r"dims is \[2\]; expected dimensions from 0 to 1"):
        topological_loss(RING, RING, dims=2)


def test_leaving_out_the_only_channel_is_refused():
    with pytest.raises(ValueError, match="include_background=False leaves nothing"):
        topological_loss(RING, RING, include_background=False)


def test_foreground_can_weigh_more_in_the_cross_entropy():
    likelihood, truth = random_images(2, 1, 6, 6)
    logits = 4 * likelihood - 2
    loss = SegmentationLoss(0, foreground_weight=3)
    one = nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    weighted = (one * (1 + 2 * truth)).mean().item()
    assert loss.pixel_loss(logits, truth).item() == pytest.approx(weighted)
    assert loss.terms(logits, truth)["pixel"].item() == pytest.approx(weighted)
    with pytest.raises(ValueError, match="foreground_weight is -1; expected a number of at l"):
        SegmentationLoss(0.1, foreground_weight=-1)
    with pytest.raises(ValueError, match="foreground_weight is 2; expected 1 with softmax=Tr"):
        SegmentationLoss(0.1, softmax=True, foreground_weight=2)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="topo_weight is -1; expected a number of at least 0"):
        SegmentationLoss(-1)


# --- values outside [0, 1] ---------------------------------------------------------------

BOTH = [TopologicalLoss(), SegmentationLoss(0.1)]


@pytest.mark.parametrize("loss", BOTH, ids=["topological", "segmentation"])
@pytest.mark.parametrize(
    ("target", "text"),
    [
        (255 * RING.byte(), r"target holds 0 \(17 pixels\), 255 \(8\); .*: target / 255$"),
        (65535 * RING.long(), r"65535 \(8\); expected 0 to 1: target / 65535$"),
        (255 * RING.double(), r"0(.0)? \(17 pixels\), 255(.0)? \(8\); .*: target / 255$"),
        (RING.byte() + 1, r"1 \(17 pixels\), 2 \(8\); .*: target == 2 for a mask"),
        (2 * RING - 1, r"-1(.0)? \(17 pixels\), 1(.0)? \(8\); .*: target == 1 for a mask"),
        (torch.arange(25).reshape(1, 1, 5, 5), r" and 19 more.*; .*\(one-hot\) or"),
        (
            RING.long().index_fill(2, torch.tensor(0), 255),
            r"255 \(5\); .*: ignore_index=255 leaves",
        ),
        (
            RING.long().index_fill(2, torch.tensor(0), -1),
            r"-1 \(5 pixels\).*: ignore_index=-1 leaves",
        ),
        (RING - 0.1, r"-0.1 \(17 pixels\), 0.9 \(8\); expected 0 to 1"),
        (RING * torch.tensor([0, 0.5, 1, 1.5, 1]), r"1.5 \(3\); .*: target / 1.5, or"),
        (RING * 1.001, r"1.001 \(8\); .*: target / 1.001"),
        (RING - 1.5 * torch.eye(5), r"-1.5 \(3 pixels\), -0.5.*: target.clamp\(0, 1\), or \("),
        (RING + np.inf, r"target\[0, 0, 0, 0\] is not a finite number: inf"),
        (RING.half() + np.nan, r"target\[0, 0, 0, 0\] is not a finite number: nan"),
    ],
)
def test_a_target_outside_0_to_1_is_refused_with_its_values(loss, target, text):
    with pytest.raises(ValueError, match=text) as refused:
        loss(0.5 * RING, target)
    assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match=text):
        loss.prepare(target)


def test_every_channel_of_a_target_is_looked_at_in_volumes_too():
    target = torch.zeros(2, 3, 2, 4, 4)
    target[1, 0, 1, 2, 2] = 7
    for background in (True, False):
        loss = TopologicalLoss((0, 1, 2), include_background=background)
        with pytest.raises(ValueError, match=r"7(.0)? \(1\); .* target / 7$"):
            loss(torch.rand(2, 3, 2, 4, 4), target)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_logits_that_are_taken_for_likelihoods_are_refused(dtype):
    text = "values from -3 to 5; expected likelihoods from 0 to 1: .*sigmoid=True, or softmax="
    with pytest.raises(ValueError, match=text):
        topological_loss((8 * RING - 3).to(dtype), RING)
    with pytest.raises(ValueError, match=r"values from 0 to 1.02;"):
        topological_loss(RING.double() * 1.02, RING)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_rounding_error_outside_0_to_1_is_none(dtype):
    eps = max(torch.finfo(dtype).eps, 2e-7)
    shifted = (RING * (1 + eps) - (1 - RING) * 1e-7).to(dtype).requires_grad_()
    assert shifted.max() > 1
    loss = topological_loss(shifted, shifted.detach())
    loss.backward()
    assert loss.item() == 0
    assert SegmentationLoss(0.1)(RING, shifted.detach()) > 0


def test_digits_of_what_is_refused_tell_it_from_1():
    with pytest.raises(ValueError, match=r"values from 0 to 1.000002;"):
        topological_loss(RING.double() * 1.000002, RING)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("options", [{"sigmoid": True}, {"softmax": True}], ids=str)
def test_logits_that_are_not_finite_are_refused(value, dtype, options):
    logits = torch.zeros(1, 2, 5, 5, dtype=dtype)
    logits[0, 0, 1, 2] = value
    target = torch.cat([RING, 1 - RING], 1)
    text = rf"prediction\[0, 0, 1, 2\] is not a finite number: {value}" + (
        r"; .*prediction.clamp\(-30, 30\)" if np.isinf(value) else "$"
    )
    for background in (True, False):
        with pytest.raises(ValueError, match=text):
            topological_loss(logits, target, include_background=background, **options)
    with pytest.raises(ValueError, match=text):
        SegmentationLoss(0.1, softmax="softmax" in options)(logits, target)


@pytest.mark.parametrize("kind", [TopologicalLoss, partial(SegmentationLoss, 0.1)])
def test_the_softmax_of_one_channel_is_refused(kind):
    loss = kind(softmax=True)
    with pytest.raises(ValueError, match="prediction has 1 channel, whose softmax is 1 every"):
        loss(RING, RING)


# --- options -----------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [np.inf, -np.inf, np.nan, np.float32("inf")])
def test_a_frame_that_is_not_finite_is_refused_when_the_loss_is_made(frame):
    with pytest.raises(ValueError, match="expected a finite number"):
        TopologicalLoss(frame=frame)
    with pytest.raises(ValueError, match="expected a finite number"):
        SegmentationLoss(0.1, frame=frame)


@pytest.mark.parametrize("true", [True, np.True_])
def test_a_frame_of_foreground_is_dark_in_sublevel(true):
    prediction, truth = random_images(2, 1, 6, 6)
    up = topological_loss(prediction, truth, frame=true)
    down = topological_loss(1 - prediction, 1 - truth, frame=true, superlevel=False)
    assert TopologicalLoss(frame=true, superlevel=False).frame == 0
    assert TopologicalLoss(frame=true).frame == 1
    assert down.item() == pytest.approx(up.item(), rel=1e-12)
    assert TopologicalLoss(frame=np.False_).frame is None


def test_scalars_of_numpy_are_numbers_and_flags():
    prediction, truth = random_images(2, 2, 6, 6)
    expected = topological_loss(
        prediction, truth, {0: 0.5, 1: 2.0}, frame=0.25, min_persistence=0.1, every_target=True
    ).item()
    loss = TopologicalLoss(
        {np.int64(0): np.float32(0.5), np.uint8(1): np.int32(2)},
        frame=np.float64(0.25),
        min_persistence=np.float64(0.1),
        every_target=np.True_,
        superlevel=np.True_,
        sigmoid=np.False_,
    )
    assert loss(prediction, truth).item() == expected
    assert TopologicalLoss(np.int64(1)).weights == {1: 1.0}
    assert TopologicalLoss(np.array([1, 0])).weights == {0: 1.0, 1: 1.0}
    assert TopologicalLoss({1, 0}).weights == TopologicalLoss(range(2)).weights
    assert SegmentationLoss(np.float32(0.5)).topo_weight == 0.5


@pytest.mark.parametrize("weight", [np.inf, np.nan, "1"])
def test_a_weight_is_a_finite_number(weight):
    with pytest.raises(ValueError, match="expected a number of at least 0"):
        SegmentationLoss(weight)
    with pytest.raises(ValueError, match="expected weights that are finite"):
        TopologicalLoss({0: weight})


# --- tensors without plain values --------------------------------------------------------


def fake(images):
    with FakeTensorMode() as mode:
        return mode.from_tensor(images)


def nested(images, layout=torch.strided):
    return torch.nested.nested_tensor(list(images), layout=layout)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda x: x.to("meta"), "is a tensor on the meta device, which holds no values"),
        (fake, "is FakeTensor, which holds no values"),
        (lambda x: x.to_sparse(), r"has layout torch.sparse_coo; expected a dense tensor"),
        (lambda x: x + 0j, "has dtype torch.complex64; expected real numbers"),
        (lambda x: x.to(torch.float8_e4m3fn), "has dtype torch.float8_e4m3fn; expected floats"),
        (partial(nested, layout=torch.jagged), "is a nested tensor"),
        (nested, "is a nested tensor"),
    ],
    ids=["meta", "fake", "sparse", "complex", "float8", "jagged", "nested"],
)
# torch says that nested tensors are not finished.
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_a_tensor_without_plain_values_is_refused_in_one_line(make, text):
    loss = TopologicalLoss()
    for arguments, name in (((make(RING), RING), "prediction"), ((RING, make(RING)), "target")):
        with pytest.raises(TypeError, match=f"^{name} {text}") as refused:
            loss(*arguments)
        assert "\n" not in str(refused.value)
    with pytest.raises(TypeError, match=f"^target {text}"):
        loss.prepare(make(RING))


class Marked(torch.Tensor):
    """A subclass that computes as tensors do, like those of MONAI and torchvision."""


def test_subclasses_of_tensors_are_tensors():
    prediction, truth = random_images(2, 1, 6, 6)
    expected = topological_loss(prediction, truth)
    (gradient,) = torch.autograd.grad(expected, prediction)
    marked = prediction.detach().clone().as_subclass(Marked).requires_grad_()
    loss = topological_loss(marked, truth.as_subclass(Marked))
    loss.backward()
    assert loss.item() == expected.item()
    assert torch.equal(marked.grad.as_subclass(torch.Tensor), gradient)


TRANSFORMS = {
    "grad": lambda loss, images: torch.func.grad(loss)(images),
    "vmap": lambda loss, images: torch.func.vmap(loss)(images[None]),
    "jacrev": lambda loss, images: torch.func.jacrev(loss)(images),
    "jvp": lambda loss, images: torch.func.jvp(loss, (images,), (images,)),
    "hessian": lambda loss, images: torch.func.hessian(loss)(images),
}


# torch compiles parts of itself with what it calls deprecated.
@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
@pytest.mark.parametrize("name", TRANSFORMS)
def test_inside_a_transform_of_torch_func_the_loss_is_refused(name):
    with pytest.raises(TypeError, match=r"inside a transform of torch.func, which hides"):
        TRANSFORMS[name](lambda x: topological_loss(x, RING), 0.5 * RING)


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
def test_a_tangent_of_forward_mode_is_refused():
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(0.5 * RING, RING)
        with pytest.raises(TypeError, match="prediction carries a tangent of forward-mode"):
            topological_loss(dual, RING)
        with pytest.raises(TypeError, match="target carries a tangent of forward-mode"):
            topological_loss(0.5 * RING, dual)
        assert topological_loss(RING, RING).item() == 0


def test_the_loss_is_called_as_a_function_of_no_parameters():
    prediction, truth = random_images(2, 1, 6, 6)
    loss = TopologicalLoss()
    called = torch.func.functional_call(loss, {}, (prediction, truth))
    assert called.item() == loss(prediction, truth).item()


def test_the_loss_is_not_exported_or_traced():
    loss = TopologicalLoss()
    with pytest.raises(TypeError, match="the loss cannot be exported"):
        torch.export.export(loss, (0.5 * RING, RING), strict=False)
    with pytest.raises(TypeError, match="the loss is traced"), pytest.warns():
        torch.jit.trace(lambda x: loss(x, RING), (0.5 * RING,))
