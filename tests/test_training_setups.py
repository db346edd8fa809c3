"""The loss where people use it: data loaders, compiled models, several processes, trainers."""

import copy
import os
import pickle
import re
import socket
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.utils.data import DataLoader, Dataset, default_collate
from torch.utils.data._utils.pin_memory import pin_memory

import pytopo
from pytopo.loss import SegmentationLoss, TopologicalLoss

SECONDS = 60  # a test that takes longer hangs
RECIPES = (Path(__file__).parents[1] / "docs" / "loss-recipes.md").read_text()


def images_and_truths(count=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = 4 * torch.rand(count, 1, 12, 12, generator=generator) - 2  # logits, too
    return images, (images > 0.4).float()


def network():
    """Return the same small network each time."""
    layer = nn.Conv2d(1, 1, 3, padding=1)
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(-2, 3, 9).reshape(1, 1, 3, 3))
        layer.bias.fill_(-1.0)
    return layer


def criterion():
    return TopologicalLoss(frame=True, sigmoid=True)


def rows(diagram):
    columns = ("dim", "birth", "death", "birth_pixel", "death_pixel")
    return np.column_stack([getattr(diagram, name) for name in columns])


# --- data loaders ----------------------------------------------------------------------


class Patches(Dataset):
    """An image, its ground truth, and their diagrams, computed where the item is loaded."""

    def __init__(self):
        self.images, self.truths = images_and_truths()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, k):
        diagram = pytopo.persistence(self.images[k, 0].numpy())
        return (
            self.images[k],
            self.truths[k],
            diagram,
            criterion().prepare(self.truths[k : k + 1]),
        )


def batch_with_prepared_truth(items):
    images, truths, diagrams, prepared = zip(*items)
    truth = default_collate(truths)
    return default_collate(images), truth, diagrams, prepared, criterion().prepare(truth)


# Python 3.12 and later warn of every fork beside threads, and torch keeps some; whether
# such a fork hangs is what is tested.
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize(("start", "workers"), [("fork", 2), ("spawn", 1)])
def test_workers_of_a_data_loader_prepare_the_truth(start, workers):
    loss, layer = criterion(), network()
    images, truths = images_and_truths()
    loss(layer(images), truths).backward()  # threads have run before the workers start
    loader = DataLoader(
        Patches(),
        batch_size=2,
        num_workers=workers,
        collate_fn=batch_with_prepared_truth,
        multiprocessing_context=start,
        timeout=SECONDS,
    )
    seen = 0
    for image, truth, diagrams, single, prepared in loader:
        assert torch.equal(image, images[seen : seen + 2])
        assert torch.equal(truth, truths[seen : seen + 2])
        for k in range(2):
            alone = slice(k, k + 1)
            here = pytopo.persistence(image[k, 0].numpy())
            np.testing.assert_array_equal(rows(diagrams[k]), rows(here))
            with_workers = loss(layer(image[alone]), single[k])
            assert with_workers.item() == loss(layer(image[alone]), truth[alone]).item() > 0
        assert loss(layer(image), prepared).item() == loss(layer(image), truth).item() > 0
        seen += 2
    assert seen == len(images)


def single_truth(items):
    images, _, _, prepared = zip(*items)
    return default_collate(images), default_collate(prepared)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_prepared_truths_are_collated_like_tensors():
    loss, layer = criterion(), network()
    images, truths = images_and_truths()
    loader = DataLoader(
        Patches(), batch_size=3, num_workers=1, collate_fn=single_truth, timeout=SECONDS
    )
    (image, prepared), (last, single) = loader
    assert torch.equal(prepared.tensor, truths[:3])
    assert len(prepared.diagrams) == 3
    assert loss(layer(image), prepared).item() == loss(layer(images[:3]), truths[:3]).item() > 0
    assert loss(layer(last), single).item() == loss(layer(images[3:]), truths[3:]).item() > 0


def test_prepared_truths_that_do_not_belong_together_are_not_collated():
    truth = torch.zeros(1, 1, 5, 5)
    first = criterion().prepare(truth)
    with pytest.raises(ValueError, match="prepared by losses with different options"):
        default_collate([first, TopologicalLoss().prepare(truth)])
    with pytest.raises(ValueError, match=r"shapes \(1, 5, 4\), \(1, 5, 5\); expected one"):
        default_collate([first, criterion().prepare(truth[..., 1:])])


def test_a_prepared_truth_moves_and_keeps_its_diagrams():
    loss = criterion()
    images, truths = images_and_truths()
    prepared = loss.prepare(truths)
    moved = prepared.to("meta")
    assert (moved.tensor.device.type, prepared.tensor.device.type) == ("meta", "cpu")
    assert moved.diagrams == prepared.diagrams
    back = prepared.to(torch.device("cpu"), non_blocking=True)
    expected = loss(images, truths).item()
    for same in (back, copy.deepcopy(prepared), prepared.to(torch.float64)):
        assert loss(images, same).item() == expected > 0


def test_a_prepared_truth_is_pinned(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda t: calls.append(t) or t.clone())
    prepared = criterion().prepare(images_and_truths()[1])
    _, pinned = pin_memory([torch.zeros(2), prepared])
    assert calls[1] is prepared.tensor
    assert pinned.tensor is not prepared.tensor
    assert pinned.diagrams == prepared.diagrams


# What other packages warn of while they are imported is theirs.
@pytest.mark.filterwarnings("default")
def test_lightning_moves_a_prepared_truth():
    pytest.importorskip("lightning")
    from lightning.fabric.utilities import move_data_to_device
    from lightning_utilities.core.apply_func import apply_to_collection

    prepared = criterion().prepare(images_and_truths()[1])
    moved = move_data_to_device({"truth": [prepared]}, torch.device("meta"))["truth"][0]
    assert moved.tensor.device.type == "meta"
    assert moved.diagrams == prepared.diagrams
    assert apply_to_collection((prepared,), torch.Tensor, torch.zeros_like) == (prepared,)
    module = import_module("lightning").LightningModule()
    batch = torch.zeros(2), prepared
    image, moved = module.transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert image.device == moved.tensor.device == torch.device("meta")
    assert moved.diagrams == prepared.diagrams


def test_a_prepared_truth_can_be_pickled():
    loss = criterion()
    images, truths = images_and_truths()
    prepared = loss.prepare(truths)
    same = pickle.loads(pickle.dumps(prepared))
    assert torch.equal(same.tensor, truths)
    assert len(same.diagrams) == len(prepared.diagrams) == 4
    for ours, theirs in zip(prepared.diagrams, same.diagrams):
        np.testing.assert_array_equal(rows(theirs), rows(ours))
    assert loss(images, same).item() == loss(images, truths).item() > 0


# --- torch.compile ---------------------------------------------------------------------


def value_and_gradient(model, loss):
    images, truths = images_and_truths()
    model.zero_grad()
    value = loss(model(images), truths)
    value.backward()
    return value.item(), torch.cat([p.grad.reshape(-1) for p in model.parameters()])


@pytest.fixture
def _fresh_compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_model_has_the_gradient_of_the_plain_one(backend):
    value, gradient = value_and_gradient(network(), criterion())
    model = torch.compile(network(), backend=backend)
    compiled_value, compiled_gradient = value_and_gradient(model, criterion())
    assert compiled_value == pytest.approx(value, rel=1e-5)
    assert gradient.abs().max() > 0.01
    torch.testing.assert_close(compiled_gradient, gradient, rtol=1e-4, atol=1e-6)


# torch asks a tensor that is not a leaf for its .grad while it traces, and warns itself of it.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize(
    "loss",
    [
        TopologicalLoss(sigmoid=True),
        TopologicalLoss(sigmoid=True, frame=0.5, every_target=True),
        SegmentationLoss(topo_weight=0.01, frame=True),
    ],
    ids=["plain", "frame", "segmentation"],
)
def test_a_compiled_loss_is_the_plain_one(loss):
    value, gradient = value_and_gradient(network(), loss)
    compiled = torch.compile(loss, backend="eager")
    for _ in range(2):
        compiled_value, compiled_gradient = value_and_gradient(network(), compiled)
        assert compiled_value == pytest.approx(value, rel=1e-6)
        torch.testing.assert_close(compiled_gradient, gradient, rtol=1e-5, atol=1e-7)
    images, truths = images_and_truths()
    prepared = loss.prepare(truths)
    assert compiled(images, prepared).item() == pytest.approx(loss(images, truths).item())


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.usefixtures("_fresh_compiler")
def test_a_step_that_is_compiled_breaks_at_the_loss_and_has_the_same_gradient():
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    loss, layer = criterion(), network()
    value, gradient = value_and_gradient(network(), criterion())
    images, truths = images_and_truths()
    step = torch.compile(lambda image, truth: loss(layer(image), truth), backend=backend)
    found = step(images, truths)
    found.backward()
    assert len(graphs) == 1  # the network; the loss is not traced
    assert found.item() == pytest.approx(value, rel=1e-6)
    compiled = torch.cat([p.grad.reshape(-1) for p in layer.parameters()])
    torch.testing.assert_close(compiled, gradient, rtol=1e-5, atol=1e-7)
    whole = torch.compile(
        lambda image: loss(layer(image), truths), fullgraph=True, backend=backend
    )
    with pytest.raises(torch._dynamo.exc.Unsupported):
        whole(images)


# --- several processes -----------------------------------------------------------------


def norms(text):
    """Return the numbers at the ends of the lines of processes, sorted."""
    return sorted(re.findall(r"^process \d of \d: weights of norm (\S+)$", text, re.MULTILINE))


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_the_script_ends_with_the_same_weights_in_one_process_and_in_two(
    tmp_path, monkeypatch, capsys
):
    (script,) = re.findall(r"^```py\n(.*?)^```", RECIPES, re.DOTALL | re.MULTILINE)
    (tmp_path / "train.py").write_text(script)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    monkeypatch.syspath_prepend(tmp_path)
    script = import_module("train")
    script.main()
    (alone,) = norms(capsys.readouterr().out)
    world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    join = partial(distributed.init_process_group, timeout=timedelta(seconds=5 * SECONDS))
    monkeypatch.setattr(distributed, "init_process_group", join)
    with ExitStack() as stack:
        process = subprocess.Popen(
            [sys.executable, "train.py"],
            cwd=tmp_path,
            env={**os.environ, **world, "RANK": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(process)
        stack.callback(process.kill)
        for name, value in {**world, "RANK": "0"}.items():
            monkeypatch.setenv(name, value)
        script.main()
        (second,) = norms(process.communicate(timeout=5 * SECONDS)[0])
    (first,) = norms(capsys.readouterr().out)
    assert first == second
    assert float(first) == pytest.approx(float(alone), abs=2e-4)
    said = norms(RECIPES)
    assert len(said) == 3
    assert [float(x) for x in said] == pytest.approx([float(alone)] * 3, abs=1e-3)


# --- other packages: the blocks of the document ----------------------------------------


def block_of_the_document(package, number=0):
    """Return a ``py`` block of docs/loss.md that imports a package, compiled."""
    text = (Path(__file__).parents[1] / "docs" / "loss.md").read_text()
    blocks = re.findall(r"^```py\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    some = [b for b in blocks if re.search(rf"^(import|from) {package}\b", b, re.MULTILINE)]
    return compile(some[number], f"docs/loss.md, {package}", "exec")


@pytest.mark.parametrize(("package", "number"), [("lightning", 0), ("monai", 0), ("monai", 1)])
def test_the_document_shows_the_loss_beside_a_package(package, number):
    assert {"pytopo", "TopologicalLoss"} <= all_names(block_of_the_document(package, number))


def all_names(code):
    names = set(code.co_names)
    return names.union(*(all_names(c) for c in code.co_consts if hasattr(c, "co_names")))


# What other packages warn of while they are imported and run is theirs.
@pytest.mark.filterwarnings("default")
def test_a_lightning_module_trains_as_a_plain_loop_does(tmp_path):
    lightning = pytest.importorskip("lightning")
    names = {"__name__": "document"}
    exec(block_of_the_document("lightning"), names)
    images, truths = images_and_truths()
    module = names["Membranes"](network())
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, DataLoader(list(zip(images, truths)), batch_size=4))

    layer = network()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)
    logits = layer(images)
    topological = criterion()(logits, truths)
    (nn.BCEWithLogitsLoss()(logits, truths) + 0.001 * topological).backward()
    optimizer.step()
    assert trainer.callback_metrics["topological"].item() == pytest.approx(topological.item())
    torch.testing.assert_close(module.network.weight, layer.weight)


@pytest.mark.filterwarnings("default")
def test_a_monai_loss_and_ours_add_up():
    losses = pytest.importorskip("monai.losses")
    names = {"__name__": "document"}
    exec(block_of_the_document("monai"), names)
    images, truths = images_and_truths()
    logits = network()(images)
    dice = losses.DiceLoss(sigmoid=True)(logits, truths)
    ours = criterion()(logits, truths)
    both = names["criterion"](logits, truths)
    assert both.item() == pytest.approx(dice.item() + 0.001 * ours.item())
    assert ours.item() > 0


@pytest.mark.filterwarnings("default")
def test_labels_of_several_classes_become_one_hot_for_both_losses():
    losses = pytest.importorskip("monai.losses")
    names = {"__name__": "document"}
    exec(block_of_the_document("monai", 1), names)
    labels = torch.arange(3).repeat(2, 1, 12, 4)
    logits = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    truths = torch.cat([labels == k for k in range(3)], dim=1).float()
    dice = losses.DiceLoss(softmax=True)(logits, truths)
    ours = pytopo.TopologicalLoss(softmax=True, include_background=False)(logits, truths)
    both = names["criterion"](logits, labels)
    assert both.item() == pytest.approx(dice.item() + 0.001 * ours.item())
    assert ours.item() > 0
