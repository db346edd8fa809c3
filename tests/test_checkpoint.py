"""Checkpoints: what was saved comes back, and files of unknown origin do no harm."""

import os
import pickle
import zipfile

import pytest
import torch

from pytopo import models
from pytopo.training.checkpoint import FORMAT, load_checkpoint, load_network, save_checkpoint


@pytest.fixture
def network():
    torch.manual_seed(0)
    return models.build("unet", width=4, depth=2)


@pytest.fixture
def state(network):
    return {
        "network": {"name": network.name, "options": network.options},
        "weights": network.state_dict(),
    }


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.pt"


def refused(path, load=load_network, error=ValueError):
    """Return the one line that says why a file is not loaded, without its name."""
    with pytest.raises(error) as caught:
        load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


def test_a_network_comes_back_and_predicts_the_same(network, state, path):
    save_checkpoint(path, state)
    again = load_network(path)
    assert type(again) is type(network)
    assert again.options == {"width": 4, "depth": 2, "norm": "batch", "channels": 1}
    assert not again.training
    image = torch.rand(1, 1, 20, 20)
    assert torch.equal(again(image), network.eval()(image))


@pytest.mark.parametrize("name", ["plain", "base", "enhanced"])
def test_every_network_can_be_saved(name, path):
    network = models.build(name, width=2)
    save_checkpoint(
        path,
        {
            "network": {"name": name, "options": network.options},
            "weights": network.state_dict(),
        },
    )
    for key, weights in load_network(path).state_dict().items():
        assert torch.equal(weights, network.state_dict()[key])


def test_what_else_training_needs_comes_back(state, path):
    more = {"step": 12, "log": [{"loss": 0.5}], "random": torch.get_rng_state()}
    save_checkpoint(path, {**state, **more})
    loaded = load_checkpoint(path)
    assert loaded.keys() == {"format", "network", "weights", "step", "log", "random"}
    assert (loaded["format"], loaded["step"], loaded["log"]) == (FORMAT, 12, [{"loss": 0.5}])
    assert torch.equal(loaded["random"], more["random"])


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(state, path):
    save_checkpoint(path, state)
    before = path.read_bytes()
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save_checkpoint(path, {**state, "more": lambda: None})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_missing_file_is_named(path):
    assert refused(path, error=FileNotFoundError).startswith("no such file; expected a ")
    path.mkdir()
    assert refused(path, error=FileNotFoundError).startswith("no such file; expected a ")


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "zip"])
def test_a_damaged_file_is_refused(state, path, damage):
    save_checkpoint(path, state)
    if damage == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "hello")
    else:
        content = path.read_bytes()
        path.write_bytes({"cut": content[:1000], "empty": b"", "text": b"hello"}[damage])
    text = refused(path)
    assert text.startswith("damaged, or not a checkpoint of pytopo train: ")
    if damage in ("empty", "text"):
        assert text.endswith(
            {"empty": ": an empty file", "text": ": not a file of torch.save"}[damage]
        )


def test_a_whole_network_in_a_file_is_refused_in_plain_words(path):
    torch.save(torch.nn.Linear(2, 2), path)
    assert refused(path).endswith(
        ": it holds something other than tensors, numbers and text, which is never loaded"
    )


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("way", ["torch", "pickle"])
def test_code_in_a_file_is_not_run(state, path, tmp_path, way):
    bomb = {**state, "format": FORMAT, "more": Bomb(tmp_path / "bang")}
    path.write_bytes(pickle.dumps(bomb))
    if way == "torch":
        torch.save(bomb, path)
    assert refused(path).startswith("damaged, or not a checkpoint of pytopo train: ")
    assert os.listdir(tmp_path) == ["last.pt"]


@pytest.mark.parametrize(
    "content", [[1, 2], {"format": FORMAT}, {"weights": {}, "network": {}}]
)
def test_another_file_of_torch_is_not_a_checkpoint(path, content):
    torch.save(content, path)
    assert refused(path) == "not a checkpoint of pytopo train"


def test_a_checkpoint_of_another_format_is_refused(state, path):
    torch.save({**state, "format": 99}, path)
    assert refused(path) == f"a checkpoint of format 99; expected {FORMAT}, train again"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"network": {"name": "resnet", "options": {}}}, "network 'resnet'; expected one of "),
        ({"network": {"name": "unet", "options": {"size": 3}}}, "has no option 'size'"),
        (
            {"network": {"name": "unet", "options": {"width": 8, "depth": 2}}},
            "has shape (4, 1, 3, 3); expected (8",
        ),
        (  # 146 GB, refused before memory is taken
            {
                "network": {
                    "name": "base",
                    "options": {"width": 1024, "hidden": 8192, "size": 512},
                }
            },
            "not a weight of it",
        ),
        (
            {"network": {"name": "unet", "options": {"width": 10**9}}},
            "width=1000000000; expected",
        ),
        ({"network": {"name": "plain", "options": {}}}, "is not a weight of it"),
        ({"network": {"name": "unet"}}, "options"),
        ({"network": "unet"}, ""),
        ({"weights": {}}, "is missing"),
        ({"weights": [1]}, "list"),
        ({"weights": {3: torch.zeros(1)}}, "3 is not a weight of it"),
    ],
)
def test_weights_that_fit_no_network_are_refused(state, path, change, said):
    save_checkpoint(path, {**state, **change})
    line = refused(path)
    assert line.startswith("its weights fit no network: ")
    assert said in line
