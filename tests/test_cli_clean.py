"""``pytopo clean``: a mask without small components and holes."""

import h5py
import numpy as np
import pytest
from PIL import Image

import pytopo
from pytopo.cli.main import main

# A ring with a shallow gap, a speck that hardly stands out, and a bright one.
LIKELIHOOD = np.full((7, 12), 0.4, np.float32)
LIKELIHOOD[1:6, 1:6] = 0.9
LIKELIHOOD[2:5, 2:5] = 0.1
LIKELIHOOD[3, 5] = 0.45
LIKELIHOOD[1, 8] = 0.55
LIKELIHOOD[4, 9] = 0.95


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("likelihood.npy", LIKELIHOOD)
    return tmp_path


def test_specks_go_and_shallow_gaps_stay_open_or_close(capsys):
    line = ["clean", "likelihood.npy", "-o", "mask.png", "--min-persistence", "0.3"]
    assert main(line) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "likelihood.npy: 7 x 12, at least 0.5, construction V",
        "persistence at least 0.3: 1 of 84 pixels change",
        "        components  holes  pixels",
        "before           3      0      17",
        " after           2      0      16",
    ]
    assert "wrote mask.png" in err
    mask = np.array(Image.open("mask.png"))
    assert set(np.unique(mask)) == {0, 255}
    expected = pytopo.simplify(LIKELIHOOD, 0.3, superlevel=True) >= 0.5
    assert np.array_equal(mask == 255, expected)


def test_what_stands_on_the_border_is_closed_by_the_frame(capsys):
    assert main([
        "clean", "likelihood.npy", "-o", "mask.png", "--min-persistence", "0.1", "--frame",
        "--construction", "T", "--threshold", "0.3",
    ]) == 0  # fmt: skip
    out = capsys.readouterr().out
    assert "7 x 12, at least 0.3, construction T, framed" in out
    assert out.splitlines()[-1].split() == ["after", "1", "1", "75"]


def test_a_volume_becomes_pages_or_a_data_set(capsys):
    np.save("volume.npy", np.stack([LIKELIHOOD] * 2))
    for name in ("mask.tif", "mask.h5"):
        assert main(["clean", "volume.npy", "-o", name, "--min-persistence", "0.3"]) == 0
        assert "components  tunnels  voids" in capsys.readouterr().out
    expected = pytopo.simplify(np.load("volume.npy"), 0.3, superlevel=True) >= 0.5
    with h5py.File("mask.h5") as file:
        assert np.array_equal(file["mask"][:] == 255, expected)
    assert np.array_equal(pytopo.read_image("mask.tif") == 1, expected)


@pytest.mark.parametrize(
    ("image", "output", "message"),
    [
        (np.zeros(5), "mask.png", "an image of 1 axis"),
        (np.zeros((2, 3, 3)), "mask.png", "a PNG holds one section, and bad.npy is 2 x 3 x 3"),
        (np.eye(3) * 2 + np.eye(3)[::-1], "mask.png", "expected a likelihood, 0 to 1"),
        (np.zeros((3, 3)), "nowhere/mask.png", "there is no folder"),
    ],
)
def test_what_is_at_fault_is_one_line(image, output, message, capsys):
    np.save("bad.npy", image)
    assert main(["clean", "bad.npy", "-o", output, "--min-persistence", "0.3"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pytopo clean: ")
    assert message in err
    assert err.count("\n") == 1


def test_the_line_is_checked(capsys):
    for rest in (["-o", "mask.png"], ["-o", "mask.jpg", "--min-persistence", "0.3"],
                 ["-o", "likelihood.npy.png", "--min-persistence", "-1"]):  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            main(["clean", "likelihood.npy", *rest])
        assert ended.value.code == 2
    capsys.readouterr()
