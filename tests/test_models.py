"""Networks: shapes, their attributes, first logits, published weights."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from pytopo import models
from pytopo.models.initial import initialise
from pytopo.models.vgg19 import URL, VGG19Net, download_weights, published_weights

# Networks that are quick to build and to run; the sizes by default are tested once.
SMALL = {
    "plain": {"width": 4, "layers": 3},
    "base": {"width": 4, "hidden": 8},
    "enhanced": {"width": 4, "hidden": 8},
    "unet": {"width": 4},
}

# name, parameters, receptive field; the docstrings say the same
SAID = [
    ("plain", 14_097, 29),
    ("base", 3_803_633, None),
    ("enhanced", 5_437_729, None),
    ("vgg19", 23_896_513, None),
    ("unet", 117_073, 47),
]

# The published architecture: index in `features`, channels in, channels out.
VGG19 = [
    (0, 3, 64), (2, 64, 64),
    (5, 64, 128), (7, 128, 128),
    (10, 128, 256), (12, 256, 256), (14, 256, 256), (16, 256, 256),
    (19, 256, 512), (21, 512, 512), (23, 512, 512), (25, 512, 512),
    (28, 512, 512), (30, 512, 512), (32, 512, 512), (34, 512, 512),
]  # fmt: skip
VGG19_POOLINGS = [4, 9, 18, 27, 36]


def images(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def vgg19():
    torch.manual_seed(0)
    return VGG19Net(frozen=28)


def default(name, vgg19):
    return vgg19 if name == "vgg19" else models.build(name)


def test_numbers_of_numpy_are_options_and_become_plain_numbers():
    for name, options in (
        ("unet", {"width": np.int64(2), "depth": np.uint8(2)}),
        ("plain", {"width": np.int32(4), "layers": np.array(3), "stride": np.int64(1)}),
        ("enhanced", {"width": np.int64(2), "hidden": np.int64(8), "dropout": np.float32(0.5)}),
    ):
        network = models.build(name, **options)
        assert {type(network.options[key]) for key in options} <= {int, float}
        assert all(network.options[key] == value for key, value in options.items())
    with pytest.raises(ValueError, match="width=True; expected a whole number"):
        models.build("unet", width=True)


# ---- all networks ------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "parameters", "field"), SAID)
def test_a_network_is_as_large_and_sees_as_far_as_its_docstring_says(
    name, parameters, field, vgg19
):
    network = default(name, vgg19)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert network.receptive_field == field
    said = " ".join(type(network).__doc__.split())
    assert f"With the default options {parameters:,} parameters".replace(",", " ") in said
    assert ("depends on all of the patch" if field is None else f"field of {field} ") in said


def test_the_table_of_sizes_has_every_network():
    assert [name for name, _, _ in sorted(SAID)] == sorted(models.NAMES)


@pytest.mark.parametrize("name", models.NAMES)
def test_a_batch_of_patches_becomes_as_many_logits_near_zero(name, vgg19):
    torch.manual_seed(1)
    network = default(name, vgg19).eval()
    with torch.inference_mode():
        logits = network(images(2, 1, 65, 65))
    assert logits.shape == (2, 1, 65, 65)
    assert logits.dtype == torch.float32
    assert 0 < logits.abs().max() < 2
    assert 0.3 < logits.sigmoid().mean() < 0.7
    assert not torch.equal(logits[0], logits[1])


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_decides_the_weights(name):
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in models.build(name, **SMALL[name]).parameters()])

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


@pytest.mark.parametrize("name", SMALL)
def test_name_and_options_build_a_network_for_the_same_weights(name):
    network = models.build(name, **SMALL[name])
    assert network.options.items() >= SMALL[name].items()
    again = models.build(network.name, **network.options)
    again.load_state_dict(network.state_dict())
    patches = images(2, 1, 65, 65)
    assert torch.equal(network.eval()(patches), again.eval()(patches))


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_gets_a_gradient_and_a_step_lowers_the_loss(name):
    torch.manual_seed(0)
    network = models.build(name, **SMALL[name]).eval()  # no dropout: losses can be compared
    network.double()
    patches = images(4, 1, 65, 65).double()
    truth = (patches > 0.5).double()
    loss = nn.functional.binary_cross_entropy_with_logits(network(patches), truth)
    loss.backward()
    with torch.no_grad():
        for parameter in network.parameters():
            assert parameter.grad.abs().max() > 0
            parameter -= 0.01 * parameter.grad
        less = nn.functional.binary_cross_entropy_with_logits(network(patches), truth)
    assert less < loss


@pytest.mark.parametrize("name", ["base", "enhanced"])
def test_a_network_with_fully_connected_layers_is_built_for_a_size_of_patch(name):
    network = models.build(name, **SMALL[name], size=33).eval()
    assert network.patch_size == 33
    assert network(images(1, 1, 33, 33)).shape == (1, 1, 33, 33)
    with pytest.raises(ValueError, match=r"shape \(1, 1, 65, 65\); expected \(B, 1, 33, 33\)"):
        network(images(1, 1, 65, 65))


@pytest.mark.parametrize("name", ["plain", "unet"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (17, 30), (64, 64)])
def test_a_fully_convolutional_network_takes_any_size(name, shape):
    network = models.build(name, **SMALL[name]).eval()
    assert network.patch_size is None
    assert network(images(1, 1, *shape)).shape == (1, 1, *shape)


@pytest.mark.parametrize("shape", [(65, 65), (1, 65, 65), (1, 3, 65, 65), (1, 1, 0, 65)])
@pytest.mark.parametrize("name", SMALL)
def test_what_is_not_a_batch_of_grey_images_is_refused(name, shape):
    with pytest.raises(ValueError, match=r"images of shape .*; expected \(B, 1, "):
        models.build(name, **SMALL[name])(torch.zeros(shape))


# ---- options -----------------------------------------------------------------------------


def test_an_unknown_network_is_refused_with_what_there_is():
    with pytest.raises(ValueError) as caught:
        models.build("resnet")
    assert str(caught.value) == (
        "network 'resnet'; expected one of plain, base, enhanced, vgg19, unet"
    )


def test_an_unknown_option_is_refused_with_what_there_is():
    with pytest.raises(ValueError) as caught:
        models.build("unet", size=3)
    assert str(caught.value) == (
        "network 'unet' has no option 'size'; it has width, depth, norm, channels"
    )


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("plain", "width", 0),
        ("plain", "layers", 10**9),
        ("plain", "stride", 3),
        ("plain", "stride", [2]),
        ("base", "size", 7),
        ("base", "hidden", 10**9),
        ("base", "width", 4.0),
        ("base", "width", True),
        ("enhanced", "dropout", 1),
        ("enhanced", "dropout", math.nan),
        ("enhanced", "dropout", "0.5"),
        ("vgg19", "frozen", 38),
        ("vgg19", "size", 31),
        ("unet", "depth", 0),
        ("unet", "norm", "layer"),
    ],
)
def test_an_option_off_its_range_is_refused(name, option, value):
    with pytest.raises(ValueError, match=rf"^{option}=.*; expected .*$"):
        models.build(name, **{option: value})


# ---- one network at a time ---------------------------------------------------------------


def seen(network, place, length):
    """How far to each side the logit at a place of the diagonal depends on pixels."""
    network = network.double().eval()
    image = images(1, 1, length, length).double().requires_grad_()
    network(image)[0, 0, place, place].backward()
    touched = (image.grad[0, 0] != 0).nonzero() - place
    return touched.abs().max().item()


def make_all_pass(network):
    """Positive weights on positive signals: no ReLU is shut."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_().add_(0.1)


@pytest.mark.parametrize("options", [{}, {"stride": 1}, {"layers": 1}, {"layers": 4}])
def test_the_receptive_field_of_plain_is_what_it_says(options):
    network = models.PlainCNN(**{"width": 2, **options})
    make_all_pass(network)
    reach = max(seen(network, place, 80) for place in (40, 41))
    assert network.receptive_field == 2 * reach + 1


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_receptive_field_of_a_unet_is_what_it_says(depth, norm):
    network = models.UNet(width=1, depth=depth, norm=norm).eval()
    length, reach = 80, 0
    with torch.inference_mode():
        for place in range(40, 40 + network.stride):
            image = torch.zeros(1, 1, length, length)
            image[0, 0, place, place] = math.nan  # passes through pooling, whatever wins
            reach = max(reach, (network(image)[0, 0].isnan().nonzero() - place).abs().max())
    assert network.receptive_field == 2 * reach + 1


def test_the_logits_of_plain_lie_on_every_second_pixel_and_linear_between():
    logits = models.PlainCNN(width=4, layers=2).eval()(images(1, 1, 9, 8))[0, 0]
    between = (logits[:, 0:5:2] + logits[:, 2:7:2]) / 2
    assert torch.allclose(logits[:, 1:6:2], between, atol=1e-7)
    assert torch.equal(logits[:, 7], logits[:, 6])  # nothing beyond: repeated


def test_group_normalisation_sees_all_of_the_image():
    network = models.UNet(width=8, depth=2, norm="group")
    assert network.receptive_field is None
    groups = {m.num_groups for m in network.modules() if isinstance(m, nn.GroupNorm)}
    assert groups == {8}
    image = images(1, 1, 64, 64)
    change = image.clone()
    change[0, 0, 0, 0] += 1
    assert network(image)[0, 0, 63, 63] != network(change)[0, 0, 63, 63]


def test_a_unet_has_the_normalisation_of_its_option():
    norms = (nn.BatchNorm2d, nn.GroupNorm)
    for norm, expected in (("batch", {norms[0]}), ("group", {norms[1]}), ("none", set())):
        network = models.UNet(width=4, norm=norm)
        assert {type(m) for m in network.modules() if isinstance(m, norms)} == expected


def test_base_has_six_layers_with_weights():
    layers = [m for m in models.BaseCNN().children() if hasattr(m, "weight")]
    assert [type(m) for m in layers] == [nn.Conv2d] * 4 + [nn.Linear] * 2


def test_enhanced_convolves_and_pools_more_than_base_and_drops_only_in_training(monkeypatch):
    def count(name):
        pooled = []
        pool = nn.functional.max_pool2d
        with monkeypatch.context() as patch:
            patch.setattr(
                nn.functional,
                "max_pool2d",
                lambda *a, **k: (pooled.append(1), pool(*a, **k))[1],
            )
            models.build(name, **SMALL[name])(images(2, 1, 65, 65))
        network = models.build(name, **SMALL[name])
        return len(pooled), sum(isinstance(m, nn.Conv2d) for m in network.modules())

    assert (count("base"), count("enhanced")) == ((3, 4), (4, 8))

    network = models.EnhancedCNN(**SMALL["enhanced"])
    patches = images(2, 1, 65, 65)
    assert not torch.equal(network(patches), network(patches))
    network.eval()
    assert torch.equal(network(patches), network(patches))


def test_first_weights_keep_the_size_of_a_signal_and_the_last_make_it_a_tenth():
    torch.manual_seed(0)
    first, last = nn.Linear(1000, 1000), nn.Linear(1000, 1000)
    initialise(nn.Sequential(first, nn.ReLU(), last), last)
    with torch.no_grad():
        hidden = first(torch.randn(100, 1000)).relu()
        logits = last(hidden)
    assert hidden.square().mean().sqrt() == pytest.approx(1, abs=0.02)
    assert logits.square().mean().sqrt() == pytest.approx(0.1, abs=0.01)
    assert first.bias.abs().max() == last.bias.abs().max() == 0


# ---- VGG19 -------------------------------------------------------------------------------


def published(part=torch.zeros):
    """Weights with the names and shapes of the published file; little of its classifier."""
    weights = {}
    for index, channels, width in VGG19:
        weights[f"features.{index}.weight"] = part(1).expand(width, channels, 3, 3)
        weights[f"features.{index}.bias"] = part(1).expand(width)
    weights["classifier.6.bias"] = torch.zeros(1000)
    return weights


def test_the_features_have_the_published_names_and_shapes(vgg19):
    expected = {name: tuple(w.shape) for name, w in published().items() if "features" in name}
    found = {f"features.{k}": tuple(v.shape) for k, v in vgg19.features.state_dict().items()}
    assert found == expected
    kinds = [type(m) for m in vgg19.features]
    assert [k for k, kind in enumerate(kinds) if kind is nn.MaxPool2d] == VGG19_POOLINGS
    assert [k for k, kind in enumerate(kinds) if kind is nn.ReLU] == [
        k + 1 for k, _, _ in VGG19
    ]
    assert len(kinds) == 37


def test_published_weights_are_taken_and_the_classifier_is_left_out(tmp_path):
    torch.save(published(torch.ones), tmp_path / "vgg19.pth")
    with torch.device("meta"):  # no memory, until weights come
        network = VGG19Net()
    network.features.to_empty(device="cpu")
    network.load_published(published_weights(tmp_path / "vgg19.pth"))
    for weights in network.features.parameters():
        assert weights.min() == weights.max() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features.0.weight": None}, r"features.0.weight: nothing; expected \(64, 3, 3, 3\)"),
        ({"features.0.bias": torch.zeros(3)}, r"features.0.bias: \(3,\); expected \(64,\)"),
        ({"features.1.bias": torch.zeros(3)}, r"'features.1.bias' is not a weight of VGG19"),
        ({"layer1.weight": torch.zeros(3)}, r"'layer1.weight' is not a weight of VGG19"),
    ],
)
def test_weights_of_another_network_are_refused_and_none_taken(vgg19, change, said):
    before = vgg19.features[34].weight.clone()
    weights = {k: v for k, v in {**published(), **change}.items() if v is not None}
    with pytest.raises(ValueError, match=said):
        vgg19.load_published(weights)
    assert torch.equal(vgg19.features[34].weight, before)


def test_a_file_that_holds_no_weights_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(FileNotFoundError, match=r"weights.pth: no such file; expected the w"):
        published_weights(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"weights.pth: damaged, or not the weights of https"):
        published_weights(path)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match=r"weights.pth: not a state dict"):
        published_weights(path)
    torch.save(nn.Linear(2, 2), path)  # a pickle that names a class to call
    with pytest.raises(ValueError, match=r"weights.pth: damaged, or not the weights of https"):
        published_weights(path)


def test_a_download_has_a_fixed_address_and_its_hash_is_checked(monkeypatch):
    calls = []
    monkeypatch.setattr(
        torch.hub, "load_state_dict_from_url", lambda url, **how: calls.append((url, how)) or {}
    )
    assert download_weights() == {}
    ((url, how),) = calls
    assert url == URL == "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
    assert how["check_hash"] is True
    assert how["weights_only"] is True


def test_frozen_features_have_no_gradient(vgg19):
    vgg19.zero_grad()
    vgg19(images(1, 1, 65, 65)).mean().backward()
    with_gradient = [k for k, _, _ in VGG19 if vgg19.features[k].weight.grad is not None]
    assert with_gradient == [28, 30, 32, 34]
    assert vgg19.full2.weight.grad is not None


def test_grey_becomes_colour_as_imagenet_has_it(vgg19, monkeypatch):
    came = []
    monkeypatch.setattr(
        vgg19.features, "forward", lambda x: came.append(x) or torch.zeros(1, 512, 2, 2)
    )
    vgg19(torch.full((1, 1, 65, 65), 0.5))
    (colour,) = came
    assert colour.shape == (1, 3, 65, 65)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    expected = [(0.5 - m) / s for m, s in zip(mean, std)]
    assert colour[0, :, 7, 9].tolist() == pytest.approx(expected)
