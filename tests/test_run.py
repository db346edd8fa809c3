"""Training runs in folders: what they leave, and that a kill changes nothing."""

import csv
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import numpy as np
import pytest
import torch
from torch import distributed

from pytopo import models
from pytopo.cli.main import main
from pytopo.data import ArraySections
from pytopo.training import figures as run_figures
from pytopo.training.blocks import Blocks, open_blocks
from pytopo.training.checkpoint import load_checkpoint, save_checkpoint
from pytopo.training.checks import check_run
from pytopo.training.config import as_toml, config_of, merged, tables_of
from pytopo.training.distributed import World, joined_world
from pytopo.training.folder import claimed, is_finished, read_run, start_run, write_config
from pytopo.training.loop import NotFinite
from pytopo.training.resume import check_resume
from pytopo.training.run import remaining_batches, resume_run

TINY = {
    "data": {"sections": 5, "side": 80},
    "network": {"name": "unet", "options": {"width": 4, "depth": 2}},
    "training": {"epochs": 2, "patches": 16, "batch": 4, "size": 33},
    "loss": {"topo_weight": 0.05, "warmup": 1},
}
ALONE = World(0, 1, torch.device("cpu"))

pytestmark = pytest.mark.usefixtures("no_pictures")  # but those of the run in `finished`


def tiny(**tables):
    return config_of(merged(TINY, tables))


def final_weights(folder):
    return load_checkpoint(folder / "last.pt")["weights"]


def assert_equal_weights(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that was never interrupted, and its rows."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    start_run(folder, tiny())
    return folder, list(resume_run(folder, ALONE))


def test_a_run_leaves_its_configuration_log_pictures_and_checkpoints(finished):
    folder, _ = finished
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.pt",
        "config.toml",
        "curves.png",
        "examples.png",
        "last.pt",
        "log.csv",
    ]
    assert tables_of(read_run(folder)) == tables_of(tiny())
    assert is_finished(folder)


def test_the_log_begins_with_the_columns_of_the_tables(finished):
    folder, rows = finished
    with open(folder / "log.csv", newline="") as stream:
        logged = list(csv.DictReader(stream))
    first = ["epoch", "loss", "pixel_accuracy", "betti_error", "voi"]
    assert list(logged[0])[:5] == first
    assert {"cross_entropy", "topological", "patch_betti_0", "seconds"} <= set(logged[0])
    assert [int(row["epoch"]) for row in logged] == [0, 1]
    assert [float(row["loss"]) for row in logged] == [row["loss"] for row in rows]
    assert logged[0]["topological"] == ""  # the warm-up does not compute it
    assert float(logged[1]["topological"]) == rows[1]["topological"] > 0


def test_the_loss_of_an_epoch_adds_up(finished):
    _, (warm, full) = finished
    assert warm["loss"] == warm["cross_entropy"]
    assert full["loss"] == pytest.approx(full["cross_entropy"] + 0.05 * full["topological"])
    assert full["betti_error"] == pytest.approx(full["patch_betti_0"] + full["patch_betti_1"])


def test_the_best_checkpoint_is_that_of_the_least_betti_error(finished):
    folder, rows = finished
    least = min(rows, key=lambda row: row["betti_error"])
    assert load_checkpoint(folder / "best.pt")["step"] == least["step"]


def test_what_a_kill_left_unwritten_is_written_when_the_run_is_resumed(finished, tmp_path):
    folder, _ = finished
    shutil.copytree(folder, tmp_path / "run")
    for name in ("log.csv", "curves.png", "examples.png"):
        (tmp_path / "run" / name).unlink()
    assert list(resume_run(tmp_path / "run", ALONE)) == []
    assert (tmp_path / "run" / "log.csv").read_text() == (folder / "log.csv").read_text()
    assert (tmp_path / "run" / "curves.png").exists()
    assert (tmp_path / "run" / "examples.png").exists()


@pytest.mark.parametrize("stop", [3, 4, 6])
def test_a_run_that_stops_at_a_checkpoint_continues_as_if_not_interrupted(
    finished, tmp_path, stop
):
    class Stopped(Exception):
        pass

    whole, rows = finished
    start_run(tmp_path / "run", tiny())
    saved = []

    def stop_after(step):
        saved.append(step)
        if step == stop:
            raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        from pytopo.training import state as module

        def write(path, state, save=module.save_checkpoint):
            save(path, state)
            if path.name == "last.pt":
                stop_after(state["step"])

        patch.setattr(module, "save_checkpoint", write)
        with pytest.raises(Stopped):
            list(resume_run(tmp_path / "run", ALONE, save_every=3))
    assert not is_finished(tmp_path / "run")
    list(resume_run(tmp_path / "run", ALONE, save_every=3))
    assert_equal_weights(final_weights(whole), final_weights(tmp_path / "run"))
    again = load_checkpoint(tmp_path / "run" / "last.pt")["history"]
    timeless = [
        [{k: str(v) for k, v in row.items() if k != "seconds"} for row in some]
        for some in (rows, again)
    ]
    assert timeless[0] == timeless[1]


def test_dropout_continues_where_it_was(tmp_path):
    changed = {
        "network": {"name": "enhanced", "options": {"size": 33, "width": 4, "hidden": 32}},
        "training": {"epochs": 2, "patches": 8, "batch": 4, "size": 33},
        "loss": {"topo_weight": 0.0},
    }
    config = config_of({**TINY, **changed})
    for name in ("whole", "parts"):
        start_run(tmp_path / name, config)
    list(resume_run(tmp_path / "whole", ALONE))
    rows = resume_run(tmp_path / "parts", ALONE)
    next(rows)
    rows.close()
    torch.manual_seed(12345)
    list(resume_run(tmp_path / "parts", ALONE))
    assert_equal_weights(final_weights(tmp_path / "whole"), final_weights(tmp_path / "parts"))


@contextmanager
def training_process(*args, **environment):
    """``pytopo train`` in a process with as many threads as this one; it ends here."""
    command = [sys.executable, "-m", "pytopo.cli", "train", *map(str, args)]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen(
        command, env={**os.environ, **threads, **environment}, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.compiled
def test_a_process_that_is_killed_resumes_bit_for_bit(tmp_path):
    tables = merged(TINY, {"training": {"epochs": 3, "patches": 64}})
    (tmp_path / "tiny.toml").write_text(as_toml(tables))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    start_run(whole, config_of(tables))
    list(resume_run(whole, ALONE))

    begin = ["--config", tmp_path / "tiny.toml", "--out", killed, "--save-every", 5]
    with training_process(*begin) as process:
        while process.poll() is None and lines(killed / "log.csv") < 2:
            time.sleep(0.01)
    assert process.returncode < 0
    assert not is_finished(killed)
    list(resume_run(killed, ALONE))
    assert_equal_weights(final_weights(whole), final_weights(killed))


def lines(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.compiled
def test_two_processes_train_the_network_that_one_trains(tmp_path, monkeypatch):
    tables = merged(TINY, {"network": {"options": {"width": 4, "depth": 2, "norm": "none"}}})
    (tmp_path / "tiny.toml").write_text(as_toml(tables))
    start_run(tmp_path / "one", config_of(tables))
    rows = list(resume_run(tmp_path / "one", ALONE))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    train = ["--config", str(tmp_path / "tiny.toml"), "--out", str(tmp_path / "two")]
    world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}  # as torchrun
    join = partial(distributed.init_process_group, timeout=timedelta(minutes=4))
    monkeypatch.setattr(distributed, "init_process_group", join)
    with training_process(*train, **world, RANK="1", LOCAL_RANK="1") as second:
        for name, value in {**world, "RANK": "0", "LOCAL_RANK": "0"}.items():
            monkeypatch.setenv(name, value)
        assert main(["train", *train]) == 0
        assert second.wait(timeout=240) == 0, second.stderr.read()
    one, two = final_weights(tmp_path / "one"), final_weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-5)
    shared = load_checkpoint(tmp_path / "two" / "last.pt")["history"]
    assert [row["loss"] for row in shared] == pytest.approx([row["loss"] for row in rows], 1e-4)


def test_a_batch_is_shared_equally_or_not_at_all():
    second = World(1, 2, torch.device("cpu"))
    assert list(range(16)[second.share(16)]) == list(range(8, 16))
    with pytest.raises(
        ValueError, match="batch is 3; expected a multiple of the number of proc"
    ):
        second.share(3)


def test_batch_normalisation_on_several_processors_is_reported_as_split():
    blocks, second = open_blocks(tiny().data), World(1, 2, torch.device("cpu"))
    (note,) = check_run(tiny(), blocks, second)
    assert note.startswith("batch normalisation uses the share of its process only")
    options = {"width": 4, "depth": 2, "norm": "none"}
    assert check_run(tiny(network={"options": options}), blocks, second) == ()
    assert check_run(tiny(), blocks, ALONE) == ()


def test_only_vgg19_has_published_weights(tmp_path):
    blocks = open_blocks(tiny().data)
    with pytest.raises(ValueError, match="only vgg19 has published weights"):
        check_run(tiny(network={"published": "download"}), blocks, ALONE)
    missing = {"name": "vgg19", "options": {"size": 33}, "published": str(tmp_path / "no.pth")}
    with pytest.raises(FileNotFoundError, match=r"no\.pth"):
        check_run(tiny(network=missing), blocks, ALONE)


def test_without_torchrun_there_is_one_process():
    with joined_world("cpu") as world:
        assert (world.rank, world.size, world.is_first) == (0, 1, True)


def test_a_batch_that_is_not_finite_is_kept(tmp_path):
    start_run(tmp_path / "run", tiny(training={"learning_rate": 1e30, "clip": 0.0}))
    with pytest.raises(NotFinite):
        list(resume_run(tmp_path / "run", ALONE))
    kept = torch.load(tmp_path / "run" / "not-finite.pt", weights_only=True)
    assert kept["images"].shape == kept["truth"].shape == (4, 1, 33, 33)


def test_a_run_does_not_write_over_another(finished):
    folder, _ = finished
    with pytest.raises(FileExistsError, match="there is a run in this folder; resume it"):
        start_run(folder, tiny())
    with pytest.raises(FileNotFoundError, match="expected the folder of a run"):
        read_run(folder.parent)


def test_a_run_can_start_from_the_weights_of_another(finished, tmp_path):
    folder, _ = finished
    network = {"weights": str(folder / "last.pt")}
    still = {"learning_rate": 1e-12, "schedule": "constant"}
    start_run(tmp_path / "run", tiny(network=network, training=still))
    list(resume_run(tmp_path / "run", ALONE))
    one, other = final_weights(folder), final_weights(tmp_path / "run")
    for name in one:
        if "num_batches" not in name and "running" not in name:
            torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (("0:3", "2:4", "4:5"), "data.train and data.validation share section 2"),
        (("0:3", "3:4", ""), "data.test is ''; expected a block of sections like"),
        (
            ("0:3", "3:4", "4:6"),
            "data.test is '4:6'; expected a block of sections like .*out of 5",
        ),
        (("3:3", "3:4", "4:5"), "data.train is '3:3'"),
        (("a:3", "3:4", "4:5"), "data.train is 'a:3'"),
    ],
)
def test_blocks_of_sections_are_apart(blocks, message):
    names = dict(zip(("train", "validation", "test"), blocks))
    with pytest.raises(ValueError, match=message):
        open_blocks(tiny(data=names).data)


def test_blocks_are_those_of_the_configuration():
    names = {"train": "1:3", "validation": "0:1", "test": "3:5"}
    blocks, whole = open_blocks(tiny(data=names).data), open_blocks(tiny().data)
    assert [len(b) for b in (blocks.train, blocks.validation, blocks.test)] == [2, 1, 2]
    assert [len(b) for b in (whole.train, whole.validation, whole.test)] == [3, 1, 1]
    np.testing.assert_array_equal(blocks.validation[0].image, whole.train[0].image)


def test_curves_say_where_the_topological_loss_begins(finished):
    _, rows = finished
    figure = run_figures.curves(rows)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["loss", "cross-entropy", "topological loss from here"]
    assert list(figure.axes[0].get_lines()[0].get_ydata()) == [row["loss"] for row in rows]


# ---- what may change when a run is resumed, and what may not --------------------------------


@pytest.fixture
def copied(finished, tmp_path):
    """A finished run that may be spoilt."""
    shutil.copytree(finished[0], tmp_path / "run")
    return tmp_path / "run"


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(folder, message, world=ALONE):
    """Check that a run is not resumed, with one line, and that nothing is touched."""
    before = content(folder)
    with pytest.raises(ValueError, match=message) as caught:
        check_resume(folder, world)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=message):
        list(resume_run(folder, world))
    assert content(folder) == before


@pytest.mark.parametrize(
    ("table", "name", "value", "message"),
    [
        (
            "network",
            "options",
            {"width": 8, "depth": 2},
            "network.options is {width = 8, depth",
        ),
        ("network", "name", "plain", 'network.name is "plain" and was "unet" when last.pt was'),
        ("network", "weights", "a.pt", 'network.weights is "a.pt" and was ""'),
        (
            "training",
            "seed",
            1,
            "training.seed is 1 and was 0 when last.pt was begun; only the",
        ),
        ("training", "batch", 8, "training.batch is 8 and was 4"),
        ("training", "size", 17, "training.size is 17 and was 33"),
        ("training", "patches", 8, "training.patches is 8 and was 16"),
        ("data", "seed", 1, "data.seed is 1 and was 0"),
        ("data", "border", 2.0, "data.border is 2.0 and was 1.0"),
        ("data", "paths", ["a.h5"], r'data.paths is \["a.h5"\] and was \[\]'),
        ("loss", "topo_weight", 0.0, "loss.topo_weight is 0.0 and was 0.05"),
        ("training", "epochs", 1, "training.epochs is 1, and 2 are begun or done; expected at"),
    ],
)
def test_what_may_not_change_is_refused_and_nothing_is_touched(
    copied, table, name, value, message
):
    tables = tables_of(read_run(copied))
    tables[table][name] = value
    write_config(copied, config_of(tables))
    refused(copied, message)
    write_config(copied, tiny())
    assert check_resume(copied, ALONE) == ()


def test_changes_are_counted(copied):
    write_config(copied, tiny(training={"seed": 1}, data={"seed": 1}, loss={"ramp": 1}))
    refused(copied, "data.seed is 1 and was 0 when last.pt was begun, and 2 more; only the")


def test_the_number_of_epochs_may_grow(copied):
    longer = tiny(training={"epochs": 3})
    write_config(copied, longer)
    (note,) = check_resume(copied, ALONE)
    assert note.startswith("training.epochs is 3 and was 2: from here on the learning rate is")
    (row,) = resume_run(copied, ALONE)
    assert (row["epoch"], row["step"]) == (2, 12)
    assert check_resume(copied, ALONE) == ()
    assert config_of(load_checkpoint(copied / "last.pt")["config"]) == longer


def test_with_a_constant_rate_a_longer_run_is_the_run_that_was_longer_from_the_start(tmp_path):
    rate = {"schedule": "constant", "patches": 8}
    start_run(tmp_path / "whole", tiny(training=rate | {"epochs": 2}))
    list(resume_run(tmp_path / "whole", ALONE))
    start_run(tmp_path / "parts", tiny(training=rate | {"epochs": 1}))
    list(resume_run(tmp_path / "parts", ALONE))
    write_config(tmp_path / "parts", tiny(training=rate | {"epochs": 2}))
    assert check_resume(tmp_path / "parts", ALONE) == ()
    list(resume_run(tmp_path / "parts", ALONE))
    assert_equal_weights(final_weights(tmp_path / "whole"), final_weights(tmp_path / "parts"))


def test_a_run_in_a_folder_that_was_moved_can_be_resumed(copied):
    copied.rename(copied.parent / "moved")
    assert check_resume(copied.parent / "moved", ALONE) == ()


# ---- checkpoints that are not those of this run ----------------------------------------------


def test_the_best_checkpoint_in_the_place_of_the_last_is_incomplete(copied):
    shutil.copy(copied / "best.pt", copied / "last.pt")
    refused(copied, "last.pt: has no config, optimizer, random, sums, seconds; expected")


@pytest.mark.parametrize(
    "key", ["config", "step", "history", "optimizer", "random", "sums", "seconds"]
)
def test_a_checkpoint_that_was_tampered_with_is_one_line(copied, key):
    whole = load_checkpoint(copied / "last.pt")
    torch.save({k: v for k, v in whole.items() if k != key}, copied / "last.pt")
    refused(copied, f"last.pt: has no {key}; expected the last.pt of this run")
    for value in (None, 0.5 + 0.5j, "text", [], [[]], {}, {"a": torch.ones(1)}):
        torch.save({**whole, key: value}, copied / "last.pt")
        refused(copied, "last.pt: damaged, |last.pt: its random|processes|was begun")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c.update(step=7), "the log does not end at step 7"),
        (lambda c: c.update(step=8.0), "step is 8.0"),
        (lambda c: c["history"].pop(), "the log does not end at step 8"),
        (lambda c: c["history"][0].pop("voi"), "a row of the log lacks columns"),
        (lambda c: c["history"][0].update(voi="x"), "something other than numbers"),
        (lambda c: c["network"]["options"].update(norm="batch"), "the network is"),
        (lambda c: c["optimizer"]["state"].pop(0), "exp_avg"),
        (
            lambda c: c["optimizer"]["state"][0].update(exp_avg=torch.zeros(3)),
            "the state of the optimizer is that of another network",
        ),
        (
            lambda c: c["optimizer"]["param_groups"][0].update(betas="x"),
            "betas of the optimizer is 'x'",
        ),
        (
            lambda c: c.update(random=[torch.zeros(3, dtype=torch.uint8)]),
            "last.pt: its random numbers cannot continue on cpu: .*; expected the device",
        ),
        (
            lambda c: c.update(random=c["random"] * 2),
            "the run was begun by 2 processes; expected",
        ),
    ],
)
def test_what_does_not_agree_in_a_checkpoint_is_reported(copied, spoil, message):
    loaded = load_checkpoint(copied / "last.pt")
    spoil(loaded)
    torch.save(loaded, copied / "last.pt")
    refused(copied, message)


def test_a_folder_in_the_place_of_the_checkpoint_is_not_a_fresh_start(copied):
    (copied / "last.pt").unlink()
    (copied / "last.pt").mkdir()
    with pytest.raises(FileNotFoundError, match=r"last\.pt: no such file; expected a check"):
        check_resume(copied, ALONE)


def test_a_damaged_configuration_is_named(copied):
    (copied / "config.toml").write_text("[training]\nepoch = 3\n")
    with pytest.raises(ValueError, match=r"config\.toml: training\.epoch is unknown"):
        check_resume(copied, ALONE)


def test_weights_to_start_from_are_not_needed_to_resume(finished, tmp_path):
    shutil.copy(finished[0] / "best.pt", tmp_path / "start.pt")
    config = tiny(network={"weights": str(tmp_path / "start.pt")}, training={"epochs": 1})
    start_run(tmp_path / "run", config)
    list(resume_run(tmp_path / "run", ALONE))
    (tmp_path / "start.pt").unlink()
    blocks = open_blocks(config.data)
    assert check_run(config, blocks, ALONE, begun=True) == ()
    with pytest.raises(FileNotFoundError, match=r"start\.pt: no such file"):
        check_run(config, blocks, ALONE)


def test_what_a_killed_process_left_half_written_is_removed_when_the_run_is_resumed(copied):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    (copied / f".last.pt.{process.pid}.part").write_text("half")
    (copied / f".a.h5.{os.getppid()}.part").write_text("being written")
    before = set(content(copied))
    list(resume_run(copied, ALONE))
    assert before - set(content(copied)) == {f".last.pt.{process.pid}.part"}


def test_a_run_belongs_to_one_process_at_a_time_and_to_none_that_was_killed(tmp_path):
    hold = (
        "import sys, time; from pytopo.training.folder import claimed\n"
        "with claimed(sys.argv[1]) as mine: print(mine, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "True\n"
    with claimed(tmp_path / "run") as mine:
        assert not mine
    process.kill()
    process.communicate()
    with claimed(tmp_path / "run") as mine:
        assert mine


# ---- what would fail after minutes -----------------------------------------------------------


def sections_of(*truths):
    images = [np.linspace(0, 1, truth.size, dtype=np.float32).reshape(truth.shape)
              for truth in truths]  # fmt: skip
    return ArraySections(images, list(truths))


CELLS = np.arange(80 * 80).reshape(80, 80) % 9 == 0


@pytest.mark.parametrize("name", ["validation", "test"])
@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (CELLS[:20], "20 x 80 pixels; expected at least 33 x 33, the size of a patch"),
        (np.ones((80, 80), bool), "membrane everywhere, so there is no cell to evaluate"),
    ],
)
def test_sections_that_cannot_be_evaluated_are_refused_at_once(name, truth, message):
    good, bad = sections_of(CELLS), sections_of(CELLS, truth)
    parts = {"train": good, "validation": good, "test": good, name: bad}
    with pytest.raises(ValueError, match=f", of data.{name}: {message}"):
        check_run(tiny(), Blocks(**parts), ALONE)


def test_a_border_that_covers_every_cell_is_refused_at_once():
    config = tiny(data={"border": 200.0})
    with pytest.raises(ValueError, match=r"membrane everywhere.*a smaller data\.border"):
        check_run(config, open_blocks(config.data), ALONE)


@pytest.mark.parametrize(
    ("options", "training", "message"),
    [
        (
            {"depth": 6},
            {"size": 16, "batch": 1},
            "1 patches of 16 x 16 at a time: Expected more",
        ),
        ({"depth": 1}, {"size": 1, "batch": 1}, "1 patches of 1 x 1 at a time: Expected more"),
    ],
)
def test_a_network_that_is_too_deep_for_the_patches_is_refused(options, training, message):
    config = tiny(network={"options": {"width": 2, **options}}, training=training)
    with pytest.raises(ValueError, match=f"network 'unet' cannot learn from {message}"):
        check_run(config, open_blocks(config.data), ALONE)


def test_weights_of_another_width_are_refused(tmp_path):
    other = models.build("unet", width=8, depth=2)
    described = {"name": "unet", "options": other.options}
    save_checkpoint(tmp_path / "8.pt", {"network": described, "weights": other.state_dict()})
    config = tiny(network={"weights": str(tmp_path / "8.pt")})
    message = r"8\.pt: weights of 'unet' with .*'width': 8.*; expected those with .*'width': 4"
    with pytest.raises(ValueError, match=message):
        check_run(config, open_blocks(config.data), ALONE)


def test_a_run_without_any_point_is_reported_and_uses_cross_entropy_alone(tmp_path):
    tables = {"training": {"epochs": 1}}
    none = tiny(**tables, loss={"min_persistence": 1.0, "warmup": 0})
    (note,) = check_run(none, open_blocks(none.data), ALONE)
    assert note.startswith("loss.min_persistence is 1, and points of a likelihood are less")
    for name, config in (("none", none), ("off", tiny(**tables, loss={"topo_weight": 0.0}))):
        start_run(tmp_path / name, config)
        list(resume_run(tmp_path / name, ALONE))
        assert (tmp_path / name / "examples.png").exists()
    assert_equal_weights(final_weights(tmp_path / "none"), final_weights(tmp_path / "off"))


def test_the_numbers_of_batches_take_no_memory(finished):
    endless = tiny(training={"epochs": 10**9})
    first = next(iter(remaining_batches(open_blocks(endless.data).train, endless, ALONE, 0, 0)))
    assert first[0].shape == (4, 1, 33, 33)


def test_a_run_without_a_checkpoint_begins_with_a_note(tmp_path):
    write_config(tmp_path, tiny())
    assert check_resume(tmp_path, ALONE) == ("there is no last.pt yet: the run begins",)
