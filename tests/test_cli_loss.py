"""``pytopo loss`` and ``pytopo match``: values worked out by hand, and ways to go wrong."""

import csv
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from PIL import Image

import pytopo
from pytopo.cli.files import read_grey
from pytopo.cli.main import build_parser, main
from pytopo.images.image import open_image

# A ring whose hole is born at a gap of 0.7 instead of 1: (1 - 0.7)^2 = 0.09.  A speck of 0.3
# that is to go to the diagonal: 0.3^2 / 2 = 0.045.
TRUTH = np.zeros((5, 5))
TRUTH[:3, :3] = 1
TRUTH[1, 1] = 0
LIKELIHOOD = TRUTH.copy()
LIKELIHOOD[0, 1], LIKELIHOOD[4, 4] = 0.7, 0.3

LOSS_TABLE = """\
likelihood.npy against truth.png: 5 x 5 pixels
superlevel, construction V

dim   loss  points  to fix  to remove  true points  missing
  0  0.045       1       0          1            0        0  components
  1   0.09       1       1          0            1        0  holes
all  0.135       2       1          1            1        0
"""

MATCH_TABLE = """\
A  likelihood.npy: 5 x 5 pixels, superlevel, construction V
B  truth.png: 5 x 5 pixels, superlevel, construction V
finite points; the distances are of order 2 in the Euclidean norm, and
the bottleneck in the maximum norm

dim  A  B  pairs  A only  B only   cost  Wasserstein  bottleneck
  0  1  0      0       1       0  0.045     0.212132        0.15  components
  1  1  1      1       0       0   0.09          0.3         0.3  holes

beside them, the essential components are matched by birth: 1 and 1, 0 apart
"""

NOTICE = "compiling the kernels (first run only) ...\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, but for two images."""
    monkeypatch.chdir(tmp_path)
    np.save("likelihood.npy", LIKELIHOOD)
    Image.fromarray(np.uint8(255 * TRUTH)).save("truth.png")
    return tmp_path


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved, in place of the time it takes to draw them."""
    saved = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *args, **options: saved.append(self))
    return saved


def captured(capsys):
    """stdout and stderr, without the line that comes if this test is the first to compile."""
    out, err = capsys.readouterr()
    return out, err.replace(NOTICE, "")


def loss(*options):
    return main(["loss", "likelihood.npy", "truth.png", *options])


def match(*options):
    return main(["match", "likelihood.npy", "truth.png", "--superlevel", "--no-plot", *options])


def losses(capsys):
    """The losses that the table shows, by dimension."""
    rows = [line.split() for line in captured(capsys)[0].splitlines()]
    return {row[0]: float(row[1]) for row in rows if row and row[0] in ("0", "1", "2", "all")}


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- loss: the table -----------------------------------------------------------------------


def test_the_gap_of_a_ring_costs_009_and_a_speck_half_its_square(capsys):
    assert loss("--no-plot") == 0
    assert captured(capsys) == (LOSS_TABLE, "")


def test_the_table_agrees_with_the_loss(capsys):
    random = np.random.default_rng(0)
    likelihood, truth = random.random((12, 9)), random.random((12, 9)).round()
    np.save("likelihood.npy", likelihood)
    np.save("truth.npy", truth)
    argv = ["--frame", "--construction", "T", "--min-persistence", "0.1", "--every-target"]
    assert main(["loss", "likelihood.npy", "truth.npy", "--no-plot", *argv]) == 0
    shown = losses(capsys)
    images = [torch.tensor(a)[None, None] for a in (likelihood, truth)]
    for dims, name in ((0, "0"), (1, "1"), ((0, 1), "all")):
        options = {"frame": True, "construction": "T", "min_persistence": 0.1}
        found = pytopo.topological_loss(*images, dims, every_target=True, **options)
        assert shown[name] == pytest.approx(found.item(), rel=1e-5)


def test_what_has_no_match_is_missing(capsys):
    np.save("likelihood.npy", np.zeros((5, 5)))
    assert loss("--no-plot") == 0
    assert captured(capsys)[0].splitlines()[3:] == [
        "dim  loss  points  to fix  to remove  true points  missing",
        "  0     1       0       0          0            0        0  components",
        "  1   0.5       0       0          0            1        1  holes",
        "all   1.5       0       0          0            1        1",
        "",
        "dim 0 has 1 for the essential component, which is not among the points",
    ]


def test_only_the_chosen_dimensions_count(capsys):
    assert loss("--no-plot", "--dims", "1") == 0
    out = captured(capsys)[0]
    assert out.splitlines()[4:] == [
        "  1  0.09       1       1          0            1        0  holes",
        "all  0.09       1       1          0            1        0",
    ]


def test_small_features_are_left_out(capsys):
    assert loss("--no-plot", "--min-persistence", "0.31") == 0
    out = captured(capsys)[0]
    assert "superlevel, construction V, persistence at least 0.31\n" in out
    assert "  0     0       0       0          0 " in out


def test_dark_things_are_the_foreground_for_sublevel(capsys):
    np.save("likelihood.npy", 1 - LIKELIHOOD)
    Image.fromarray(np.uint8(255 * (1 - TRUTH))).save("truth.png")
    assert loss("--no-plot", "--sublevel") == 0
    assert captured(capsys)[0] == LOSS_TABLE.replace("superlevel", "sublevel")


def test_a_corner_connects_for_construction_t(capsys):
    likelihood = TRUTH.copy()
    likelihood[0, 2] = 0.7  # a corner of the ring, not needed for it
    np.save("likelihood.npy", likelihood)
    assert loss("--no-plot") == 0
    assert losses(capsys)["1"] == 0.09
    assert loss("--no-plot", "--construction", "T") == 0
    assert losses(capsys)["1"] == 0


@pytest.mark.parametrize(
    ("argv", "value"),
    [(["--frame"], 1), (["--frame", "--sublevel"], 0), (["--frame=0.5"], 0.5)],
)
def test_a_frame_without_value_is_foreground(capsys, argv, value):
    assert loss("--no-plot", *argv) == 0
    assert f"level, construction V, frame {value}\n" in captured(capsys)[0]


def test_every_target_pulls_where_the_optimum_gives_up(capsys):
    likelihood = TRUTH.copy()
    likelihood[0, 1], likelihood[1, 1] = 0.2, 0.05  # a hole from 0.2 to 0.05
    np.save("likelihood.npy", likelihood)
    assert loss("--no-plot") == 0
    # 0.15^2 / 2 to remove it, and 1/2 for the hole of the truth that is given up
    assert losses(capsys)["1"] == pytest.approx(0.15**2 / 2 + 0.5, rel=1e-5)
    assert loss("--no-plot", "--every-target") == 0
    out = captured(capsys)[0]
    assert "superlevel, construction V, every target\n" in out
    assert f"{0.8**2 + 0.05**2:.6g}" in out


def test_of_a_volume_all_dimensions_count(capsys):
    truth = np.zeros((5, 5, 5))
    truth[1:4, 1:4, 1:4] = 1
    truth[2, 2, 2] = 0
    likelihood = truth.copy()
    likelihood[1, 2, 2] = 0.6  # the shell has a thin place
    np.save("likelihood.npy", likelihood)
    np.save("truth.npy", truth)
    argv = ["--no-plot", "--csv", "g.csv"]
    assert main(["loss", "likelihood.npy", "truth.npy", *argv]) == 0
    out = captured(capsys)[0]
    assert [line.split()[-1] for line in out.splitlines()[4:7]] == [
        "components",
        "tunnels",
        "voids",
    ]
    assert "  2  0.16 " in out
    assert Path("g.csv").read_text() == "plane,row,col,value\n1,2,2,-0.8\n"


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_a_mask_of_zeros_and_ones_is_not_scaled(capsys, dtype):
    np.save("mask.npy", TRUTH.astype(dtype))
    assert main(["loss", "likelihood.npy", "mask.npy", "--no-plot"]) == 0
    out, err = captured(capsys)
    assert out == LOSS_TABLE.replace("truth.png", "mask.npy")
    assert err == "mask.npy: holds 0 and 1 only, which are taken as they are, not scaled\n"


def test_each_file_is_read_once(monkeypatch):
    opened = []

    def counting(path, *, raw=False):
        opened.append(path)
        return open_image(path, raw=raw)

    monkeypatch.setattr("pytopo.images.image.open_image", counting)
    Image.fromarray(np.uint8(255 * LIKELIHOOD)).save("likelihood.png")
    assert main(["loss", "likelihood.png", "truth.png", "--no-plot"]) == 0
    assert main(["match", "likelihood.png", "truth.png", "--no-plot"]) == 0
    assert opened == ["likelihood.png", "truth.png"] * 2


def test_a_scaled_likelihood_is_the_one_that_read_image_returns(capsys):
    stored = (40000 * LIKELIHOOD).astype(np.uint16)
    np.save("likelihood.npy", stored)
    assert np.array_equal(read_grey("likelihood.npy"), pytopo.read_image("likelihood.npy"))
    np.save("likelihood.npy", (LIKELIHOOD * 500).astype(np.uint16))
    read_grey("likelihood.npy")
    assert captured(capsys)[1].endswith("% of the range of uint16, by which it is scaled\n")


def test_a_blank_likelihood_and_a_blank_truth_cost_nothing(capsys):
    np.save("likelihood.npy", np.zeros((5, 5), np.float32))
    np.save("truth.npy", np.zeros((5, 5), int))
    assert main(["loss", "likelihood.npy", "truth.npy"]) == 0
    assert losses(capsys) == {"0": 0, "1": 0, "all": 0}


# ---- loss: the gradient --------------------------------------------------------------------


def test_the_gradient_lists_the_gap_and_the_speck(folder, capsys):
    np.save("likelihood.npy", LIKELIHOOD.astype(np.float32))
    assert loss("--csv", "-") == 0
    # The gap goes up by 2 * 0.3; the speck meets the ground at the pixel above it.
    assert captured(capsys) == (
        "row,col,value\n0,1,-0.6\n3,4,-0.3\n4,4,0.3\n",
        "",
    )
    assert files(folder) == ["likelihood.npy", "truth.png"]  # and no figure


def test_the_gradient_is_that_of_the_loss(folder, capsys):
    random = np.random.default_rng(1)
    likelihood, truth = random.random((9, 11)), random.random((9, 11)).round()
    np.save("likelihood.npy", likelihood)
    np.save("truth.npy", truth)
    argv = ["--no-plot", "--frame", "--csv", "gradient.csv"]
    assert main(["loss", "likelihood.npy", "truth.npy", *argv]) == 0
    assert captured(capsys)[1] == "wrote gradient.csv\n"
    table = np.genfromtxt("gradient.csv", delimiter=",", names=True)
    listed = np.zeros((9, 11))
    listed[table["row"].astype(int), table["col"].astype(int)] = table["value"]

    prediction = torch.tensor(likelihood)[None, None].requires_grad_()
    pytopo.topological_loss(prediction, torch.tensor(truth)[None, None], frame=True).backward()
    assert np.allclose(listed, prediction.grad[0, 0].numpy(), rtol=0, atol=1e-15)
    assert (table["value"] != 0).all()
    assert len(table) == np.count_nonzero(listed) > 10


def test_the_gradient_goes_to_stdout_and_the_figure_to_its_file(folder, capsys):
    assert loss("--csv", "-", "-o", "a.svg") == 0
    out, err = captured(capsys)
    assert out.startswith("row,col,value\n")
    assert err == "wrote a.svg\n"
    assert files(folder) == ["a.svg", "likelihood.npy", "truth.png"]


# ---- loss: the figure ----------------------------------------------------------------------


def test_the_figure_is_named_after_the_likelihood(folder, capsys):
    assert loss() == 0
    assert files(folder) == ["likelihood.loss.png", "likelihood.npy", "truth.png"]
    assert captured(capsys) == (LOSS_TABLE, "wrote likelihood.loss.png\n")
    with Image.open("likelihood.loss.png") as picture:
        assert picture.size == (2550, 960)


def test_the_figure_shows_where_the_loss_pulls_and_what_it_matches(figures):
    assert loss("--frame=0") == 0
    (figure,) = figures
    target, critical, matching = figure.axes
    assert figure.get_suptitle() == "likelihood.npy against truth.png"
    assert [ax.get_title() for ax in (target, critical)] == [
        "truth",
        "likelihood, 5 x 5 pixels",
    ]
    assert target.images[0].get_array().tolist() == TRUTH.tolist()
    assert critical.images[0].get_array().tolist() == LIKELIHOOD.tolist()
    assert target.get_legend() is None  # by cost, which of the true features is as good as any
    assert matching.get_title() == "loss 0.135\nsuperlevel, construction V, frame 0"
    assert matching.get_xlabel() == "birth (threshold falls)"
    legend = [text.get_text() for text in matching.get_legend().get_texts()]
    assert legend[2:4] == ["to fix: 1", "to remove: 1"]


def test_the_figure_obeys_flipped_and_top(figures):
    assert loss("--flipped", "--top", "0") == 0
    _, critical, matching = figures[0].axes
    assert matching.get_xlabel() == "1 \N{MINUS SIGN} birth"
    assert sum(len(marks.get_offsets()) for marks in critical.collections) == 0
    assert matching.get_legend().get_title().get_text() == "no lines"


def test_by_place_the_weak_ring_is_to_be_fixed_and_the_truth_shows_it(figures, capsys):
    """The ring of the lesson with a gap of 0.3, and beside it a false one of 0.8."""
    truth = np.zeros((5, 11))
    truth[1:4, 1:4] = 1
    truth[2, 2] = 0
    likelihood = truth.copy()
    likelihood[1:4, 7:10], likelihood[2, 8], likelihood[1, 2] = 0.8, 0, 0.3
    np.save("likelihood.npy", likelihood)
    np.save("truth.npy", truth)
    argv = ["loss", "likelihood.npy", "truth.npy", "--dims", "1"]
    assert main(argv) == main([*argv, "--matching", "betti"]) == 0
    by_cost, by_place = captured(capsys)[0].split("likelihood.npy against")[1:]
    assert "  1  0.085 " in by_cost  # 0.2^2 + 0.3^2 / 2
    assert "superlevel, construction V, matched by place\n" in by_place
    assert "  1  0.81 " in by_place  # 0.7^2 + 0.8^2 / 2
    filled = [[p.get_extents().extents.tolist() for p in painted(f, 1)] for f in figures]
    assert filled == [[[7.5, 1.5, 8.5, 2.5]], [[1.5, 1.5, 2.5, 2.5]]]
    assert [len(painted(figure, 0)) for figure in figures] == [0, 1]


def painted(figure, i):
    """Paths of what is filled in the i-th picture of a figure."""
    patches = (p for p in figure.axes[i].patches if isinstance(p, PathPatch))
    return [patch.get_path() for patch in patches if patch.get_hatch() is None]


def test_of_wide_images_the_truth_is_above_the_likelihood(figures):
    np.save("likelihood.npy", np.eye(3, 9))
    np.save("truth.npy", np.eye(3, 9))
    assert main(["loss", "likelihood.npy", "truth.npy"]) == 0
    target, critical, matching = (ax.get_position() for ax in figures[0].axes)
    assert target.y0 > critical.y1
    assert target.x1 < matching.x0


def test_the_figure_of_a_volume_shows_three_sections_and_the_matching(figures):
    likelihood = np.zeros((5, 6, 7))
    likelihood[3, 2, 1], likelihood[1, 1, 1] = 0.4, 1
    np.save("volume.npy", likelihood)
    np.save("truth.npy", (likelihood == 1).astype(float))
    assert main(["loss", "volume.npy", "truth.npy"]) == 0
    assert main(["loss", "volume.npy", "truth.npy", "--at", "0,5,6"]) == 0
    costly, chosen = [[ax.get_title() for ax in figure.axes] for figure in figures]
    heading = "5 x 6 x 7 pixels\nloss 0.08: superlevel, construction V"
    assert costly == ["plane 3", "row 2", "column 1", heading]
    assert chosen == ["plane 0", "row 5", "column 6", heading]


# ---- match: the table ----------------------------------------------------------------------


def test_the_table_of_a_match_counts_and_measures(capsys):
    assert match() == 0
    assert captured(capsys) == (MATCH_TABLE, "")


def test_the_distances_are_those_of_the_library(capsys):
    random = np.random.default_rng(2)
    a, b = random.random((8, 8)), random.random((10, 6))
    np.save("a.npy", a)
    np.save("b.npy", b)
    assert main(["match", "a.npy", "b.npy", "--frame", "--construction", "T", "--no-plot"]) == 0
    rows = [line.split() for line in captured(capsys)[0].splitlines()]
    for dim in (0, 1):
        one, other = (
            pytopo.persistence(x, frame=True, construction="T").select(dim, finite=True)
            for x in (a, b)
        )
        one, other = one.points(dim), other.points(dim)
        (row,) = [row for row in rows if row and row[0] == str(dim)]
        found = pytopo.match(one, other)
        assert row[1:6] == [
            str(len(x)) for x in (one, other, found.pairs, found.first_only, found.second_only)
        ]
        expected = [found.cost, pytopo.wasserstein(one, other), pytopo.bottleneck(one, other)]
        assert row[6:9] == [f"{x:.6g}" for x in expected]


def test_essential_components_are_matched_by_birth_and_said_so(capsys):
    np.save("a.npy", [[0.25, 0.5]])
    np.save("b.npy", [[0.5, 0.75]])
    assert main(["match", "a.npy", "b.npy", "--no-plot"]) == 0
    out = captured(capsys)[0]
    assert "  0  0  0      0       0       0     0            0           0  components" in out
    assert out.endswith("are matched by birth: 0.25 and 0.5, 0.25 apart\n")
    assert main(["match", "a.npy", "b.npy", "--dims", "1", "--no-plot"]) == 0
    assert "essential" not in captured(capsys)[0]


def test_infinite_points_that_are_not_essential_are_left_out_and_said(capsys):
    np.save("a.npy", [[0, np.inf, 1]])
    np.save("b.npy", [[0, 2.0, 1]])
    assert main(["match", "a.npy", "b.npy", "--dims", "0", "--no-plot"]) == 0
    out, err = captured(capsys)
    assert err == "a.npy: 1 infinite points of dim 0 left out\n"
    assert "  0  0  1      0       0       1   0.5 " in out


@pytest.mark.parametrize("ending", ["npz", "csv", "json"])
def test_a_saved_diagram_is_as_good_as_its_image(capsys, ending):
    pytopo.persistence(LIKELIHOOD, superlevel=True).save(f"a.{ending}")
    assert main(["match", f"a.{ending}", "truth.png", "--superlevel", "--no-plot"]) == 0
    assert captured(capsys)[0] == MATCH_TABLE.replace("likelihood.npy", f"a.{ending}")


def test_an_archive_of_an_image_is_an_image(capsys):
    np.savez("a.npz", LIKELIHOOD)
    assert main(["match", "a.npz", "truth.png", "--superlevel", "--no-plot"]) == 0
    assert captured(capsys)[0] == MATCH_TABLE.replace("likelihood.npy", "a.npz")


def test_dimensions_that_both_have_are_matched(capsys):
    pytopo.persistence(LIKELIHOOD, superlevel=True, dims=1).save("a.npz")
    assert main(["match", "a.npz", "truth.png", "--superlevel", "--no-plot"]) == 0
    out = captured(capsys)[0]
    assert "holes" in out
    assert "components" not in out


def test_small_points_do_not_match(capsys):
    assert match("--min-persistence", "0.31") == 0
    out = captured(capsys)[0]
    assert "finite points, persistence at least 0.31; " in out
    assert "  0  0  0 " in out


def test_raw_integers_are_not_scaled(capsys):
    assert main(["match", "truth.png", "truth.png", "--raw", "--no-plot"]) == 0
    assert captured(capsys)[0].endswith("matched by birth: 0 and 0, 0 apart\n")
    assert main(["match", "truth.png", "truth.png", "--raw", "--superlevel", "--no-plot"]) == 0
    assert captured(capsys)[0].endswith("matched by birth: 255 and 255, 0 apart\n")


# ---- match: the rows -----------------------------------------------------------------------


def test_the_rows_of_a_match_say_which_point_becomes_which(capsys):
    assert match("--csv", "-") == 0
    assert captured(capsys) == (
        "dim,row_a,birth_a,death_a,row_b,birth_b,death_b,cost\n"
        "0,1,0.3,0.0,,,,0.045\n"
        "1,2,0.7,0.0,1,1.0,0.0,0.09\n",
        "",
    )


def test_rows_are_those_of_the_diagram_and_costs_add_up(folder, capsys):
    random = np.random.default_rng(3)
    first = pytopo.persistence(random.random((9, 9)))
    second = pytopo.persistence(random.random((7, 9)))
    first.save("a.npz")
    second.save("b.json")
    assert main(["match", "a.npz", "b.json", "--csv", "m.csv", "--no-plot"]) == 0
    assert captured(capsys)[1] == "wrote m.csv\n"
    rows = list(csv.DictReader(io.StringIO(Path("m.csv").read_text())))
    for dim in (0, 1):
        points = [d.select(dim, finite=True).points(dim) for d in (first, second)]
        cost = sum(float(row["cost"]) for row in rows if row["dim"] == str(dim))
        assert cost == pytest.approx(pytopo.match(*points).cost, rel=1e-4)
    for d, name in ((first, "a"), (second, "b")):
        there = [row for row in rows if row[f"row_{name}"]]
        index = [int(row[f"row_{name}"]) for row in there]
        assert sorted(index) == np.flatnonzero(~d.essential).tolist()
        assert [float(row[f"birth_{name}"]) for row in there] == d.birth[index].tolist()
        assert [float(row[f"death_{name}"]) for row in there] == d.death[index].tolist()


# ---- the input is at fault: status 1 and one line ------------------------------------------


def fault(capsys, *argv):
    """Run, see that it fails as it should, and return the line without its beginning."""
    assert main(argv) == 1
    out, err = captured(capsys)
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"pytopo {argv[0]}: ")
    return err.removeprefix(f"pytopo {argv[0]}: ").rstrip("\n")


@pytest.mark.parametrize("command", ["loss", "match"])
def test_missing_files_are_named(capsys, command):
    assert fault(capsys, command, "no.png", "truth.png").startswith("no.png: no such file")
    assert fault(capsys, command, "truth.png", "no.npz").startswith("no.npz: no such file")


@pytest.mark.parametrize(
    ("likelihood", "truth", "reason"),
    [
        (np.zeros((5, 4)), None, "truth.png: 5 x 5 pixels; expected 5 x 4, as a.npy has"),
        (np.zeros(5), None, "a.npy: an image of 1 axes; expected 2, or 3 for a volume"),
        (TRUTH * 3 - 1, None, "a.npy: values -1 to 2; expected 0 to 1"),
        (
            None,
            TRUTH * 255 + LIKELIHOOD,
            "b.npy: image holds 0 (16 pixels), 0.3 (1), 255.7 (1), 256 (7); expected a mask of "
            "0 and one other value",
        ),
        (np.diag([0, np.nan]), None, "a.npy: image[1, 1] is nan; expected 0 to 1"),
        (None, np.full((5, 5), np.inf), "b.npy: image[0, 0] is inf; expected 0 to 1"),
    ],
)
def test_images_that_no_loss_is_of_are_refused(capsys, likelihood, truth, reason):
    paths = ["likelihood.npy", "truth.png"]
    for k, (name, array) in enumerate((("a.npy", likelihood), ("b.npy", truth))):
        if array is not None:
            np.save(name, array)
            paths[k] = name
    assert fault(capsys, "loss", *paths) == reason


@pytest.mark.parametrize("command", ["loss", "match"])
def test_dimensions_that_images_have_not_are_refused(capsys, command):
    line = fault(capsys, command, "likelihood.npy", "truth.png", "--dims", "0,2")
    assert (
        line == "likelihood.npy: an image of 2 axes has no dimension 2; expected some of 0, 1"
    )


def test_a_voxel_that_the_likelihood_has_not_is_refused(capsys):
    line = fault(capsys, "loss", "likelihood.npy", "truth.png", "--at", "0,0,0")
    assert line == "likelihood.npy: an image of 2 axes has no sections; leave out --at"


def test_an_infinite_frame_has_no_loss(capsys):
    line = fault(capsys, "loss", "likelihood.npy", "truth.png", "--frame=inf")
    assert line == "--frame=inf; expected a finite number"


def test_diagrams_of_two_sweeps_are_not_matched(capsys):
    pytopo.persistence(LIKELIHOOD, superlevel=True).save("a.npz")
    pytopo.persistence(LIKELIHOOD, construction="T").save("b.npz")
    assert fault(capsys, "match", "a.npz", "truth.png") == (
        "truth.png: sweep sublevel, but superlevel of a.npz; expected the same"
    )
    assert fault(capsys, "match", "likelihood.npy", "b.npz") == (
        "b.npz: construction T, but V of likelihood.npy; expected the same"
    )


def test_diagrams_without_the_dimensions_are_not_matched(capsys):
    pytopo.persistence(LIKELIHOOD, dims=0).save("a.npz")
    pytopo.persistence(LIKELIHOOD, dims=1).save("b.npz")
    assert (
        fault(capsys, "match", "a.npz", "b.npz") == "b.npz: no dimension in common with a.npz"
    )
    line = fault(capsys, "match", "b.npz", "truth.png", "--dims", "0")
    assert line == "b.npz: a diagram without dimension 0"


def test_files_that_are_no_diagrams_are_named(capsys):
    Path("a.csv").write_text("dim,birth\n0,1\n")
    assert fault(capsys, "match", "a.csv", "truth.png").startswith(
        "a.csv: not a diagram that pytopo wrote: the first line does not start with"
    )
    assert fault(capsys, "match", "truth.png", "no.json").startswith("no.json: No such file")
    Path("a.npz").write_text("hello")
    assert fault(capsys, "match", "a.npz", "truth.png").startswith("a.npz: ")


def test_nan_is_refused_and_located(capsys):
    np.save("nan.npy", np.array([[0, np.nan]]))
    line = fault(capsys, "match", "nan.npy", "truth.png")
    assert line == "nan.npy: image[0, 1] is NaN; a filtration needs ordered values"


def test_values_too_large_to_be_squared_are_refused(capsys):
    np.save("a.npy", [[0, 1e200, 1]])
    assert "expected finite values below 1e+150" in fault(capsys, "match", "a.npy", "a.npy")


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("loss", "pytopo.loss.topological.TopologicalLoss.forward"),
        ("match", "pytopo.matching.match"),
    ],
)
def test_what_does_not_fit_in_memory_is_refused(capsys, monkeypatch, command, place):
    def exhausted(*args, **options):
        raise MemoryError

    monkeypatch.setattr(place, exhausted)
    line = fault(capsys, command, "likelihood.npy", "truth.png")
    assert line.startswith("likelihood.npy: not enough memory ")
    assert "--min-persistence" in line


@pytest.mark.parametrize(
    ("command", "option"),
    [("loss", ["-o", "no/a.png"]), ("loss", ["--csv", "no/a"]), ("match", ["--csv", "no/a"])],
)
def test_a_missing_folder_is_found_out_before_the_work(
    capsys, monkeypatch, folder, command, option
):
    monkeypatch.setattr("pytopo.images.image.open_image", None)
    line = fault(capsys, command, "likelihood.npy", "truth.png", *option)
    assert line == f"{option[1]}: there is no folder {folder}/no; create it first"


@pytest.mark.parametrize("command", ["loss", "match"])
def test_nothing_is_left_half_written(capsys, monkeypatch, folder, command):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), ".a.csv.1.part")

    Path("a.csv").write_text("as it was")
    monkeypatch.setattr(os, "replace", full)
    line = fault(capsys, command, "likelihood.npy", "truth.png", "--csv", "a.csv", "--no-plot")
    assert line == f"a.csv: {os.strerror(errno.ENOSPC)}"
    assert files(folder) == ["a.csv", "likelihood.npy", "truth.png"]
    assert Path("a.csv").read_text() == "as it was"


# ---- the command line is at fault: status 2 ------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["loss", "a"], "the following arguments are required: TRUTH"),
        (["match"], "the following arguments are required: A, B"),
        (["loss", "--frame", "a", "b"], "'a' is not a number"),
        (["loss", "a", "b", "--superlevel"], "unrecognized arguments: --superlevel"),
        (["loss", "a", "b", "--dims", "3"], "'3'; expected some of 0, 1, 2"),
        (["loss", "a", "b", "--top", "-1"], "'-1'; expected a whole number, at least 0"),
        (["loss", "a", "b", "-o", "a.jpg"], "'a.jpg' names no kind of figure"),
        (["loss", "a", "b", "-o", "a.png", "--no-plot"], "--no-plot and --output exclude"),
        (["loss", "a", "b", "--every-target", "--matching", "betti"], "--every-target is of"),
        (["match", "a", "b", "-o", "a.png", "--no-plot"], "--no-plot and --output exclude"),
        (["match", "a.json", "b.csv", "--raw"], "--raw is for images; A and B are saved"),
        (["match", "a.json", "b.csv", "--frame"], "--frame is for images; A and B are saved"),
        (["loss", "a", "b", "--at", "1,2,3", "--csv", "-"], "--at says what the figure shows"),
        (["loss", "a", "b", "--csv", "b"], "b would overwrite TRUTH"),
        (["loss", "a", "b", "--csv", "./a"], "./a would overwrite LIKELIHOOD"),
        (["loss", "a", "b", "--csv", "c.png", "-o", "c.png"], "c.png would be written twice"),
        (["match", "a", "b[0]", "--csv", "b"], "b would overwrite B"),
        (["match", "a", "b", "--construction", "X"], "invalid choice: 'X'"),
        (["match", "a", "b", "--min-persistence", "-1"], "-1; expected a number of at least 0"),
    ],
)
def test_a_wrong_command_line_has_status_2(capsys, folder, argv, reason):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(argv)
    out, err = captured(capsys)
    assert out == ""
    assert err.startswith("usage: pytopo")
    assert reason in err.splitlines()[-1]
    assert files(folder) == ["likelihood.npy", "truth.png"]


# ---- bugs, processes, help -----------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, TypeError, RuntimeError])
@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["loss"], "pytopo.loss.topological.TopologicalLoss.forward"),
        (["loss"], "pytopo.plot.matching"),
        (["match"], "pytopo.pairing.persistence"),
        (["match"], "pytopo.matching.bottleneck"),
    ],
)
def test_a_bug_keeps_its_traceback(monkeypatch, error, command, place):
    def broken(*args, **options):
        raise error("a bug")

    monkeypatch.setattr(place, broken)
    with pytest.raises(error, match="a bug"):
        main([*command, "likelihood.npy", "truth.png"])


@pytest.mark.parametrize("command", ["loss", "match"])
def test_a_reader_that_goes_away_is_no_fault(command):
    argv = [sys.executable, "-m", "pytopo.cli", command, "likelihood.npy", "truth.png"]
    with subprocess.Popen(
        [*argv, "--csv", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        err = process.stderr.read().replace(NOTICE, "")
    assert (process.returncode, err) == (0, "")


HEAVY = ("numpy", "numba", "scipy", "torch", "matplotlib", "h5py", "PIL")


def heavy_modules_of(*argv):
    """Run the command in a fresh process, and list what heavy came along."""
    program = (
        "import sys; from pytopo.cli.main import main\n"
        f"try: main({list(argv)})\n"
        "except SystemExit: pass\n"
        f"print('\\nmodules', *[name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("command", ["loss", "match"])
def test_help_imports_nothing_heavy(command):
    assert heavy_modules_of(command, "--help") == []


def test_each_command_imports_what_it_needs():
    needed = heavy_modules_of("match", "likelihood.npy", "likelihood.npy", "--no-plot")
    assert "scipy" in needed
    assert not {"torch", "matplotlib"} & set(needed)
    needed = heavy_modules_of("loss", "likelihood.npy", "likelihood.npy", "--no-plot")
    assert "torch" in needed
    assert "matplotlib" not in needed


def test_the_parser_can_be_built_without_running_anything():
    args = build_parser().parse_args(["loss", "a.png", "b.png", "--dims", "1", "--frame"])
    assert (args.likelihood, args.truth, args.dims, args.frame) == (
        "a.png",
        "b.png",
        (1,),
        True,
    )
    assert not args.sublevel
    args = build_parser().parse_args(["match", "a.npz", "b.npz"])
    assert (args.first, args.second, args.construction) == ("a.npz", "b.npz", "V")
