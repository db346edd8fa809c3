"""Diagrams on disk: what is written reads back equal, and what is not ours is refused."""

import csv
import io
import json
import os
import stat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import constructions, frames, images

import pytopo
from pytopo.diagram_file import write_csv
from pytopo.replacing import replacing

ENDINGS = [".npz", ".csv", ".json"]


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=30)
@given(images(), st.booleans(), constructions, frames)
def test_a_diagram_reads_back_equal(
    tmp_path_factory, ending, image, superlevel, construction, frame
):
    d = pytopo.persistence(image, superlevel=superlevel, construction=construction, frame=frame)
    path = tmp_path_factory.mktemp("diagram") / f"d{ending}"
    d.save(path)
    assert pytopo.Diagram.load(path) == d


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_bit_of_a_value_reads_back(tmp_path, ending, dtype):
    image = np.random.default_rng(0).standard_normal((9, 9)).astype(dtype) * dtype(1e-30)
    d = pytopo.persistence(image)
    d.save(tmp_path / f"d{ending}")
    again = pytopo.Diagram.load(tmp_path / f"d{ending}")
    assert again.birth.tobytes() == d.birth.tobytes()
    assert again == d


def test_a_table_has_a_line_a_point_with_rows_and_columns():
    stream = io.StringIO()
    write_csv(pytopo.persistence(np.array([[0, 3, 1], [2, 9, 4], [5, 2, 6]]), dims=1), stream)
    header, *table = stream.getvalue().splitlines()
    assert json.loads(header.removeprefix("# pytopo diagram ")) == {
        "shape": [3, 3], "dims": [1], "superlevel": False, "construction": "V",
        "frame": None, "dtype": "float64", "points": 1,
    }  # fmt: skip
    assert list(csv.DictReader(table)) == [
        {
            "dim": "1", "birth": "6.0", "death": "9.0", "birth_pixel": "8", "death_pixel": "4",
            "birth_row": "2", "birth_column": "2", "death_row": "1", "death_column": "1",
        }
    ]  # fmt: skip


def test_json_is_strict_and_spells_infinity_as_text(tmp_path):
    pytopo.persistence([0, 1]).save(tmp_path / "d.json")
    whole = json.loads((tmp_path / "d.json").read_text(), parse_constant=pytest.fail)
    assert whole["death"] == ["inf"]
    assert whole["birth"] == [0.0]


@pytest.mark.parametrize("ending", [".npy", "", ".CSV2"])
def test_an_unknown_ending_is_refused_before_anything_is_written(tmp_path, ending):
    path = tmp_path / f"d{ending}"
    for attempt in (pytopo.persistence([0, 1]).save, pytopo.Diagram.load):
        with pytest.raises(
            ValueError, match=r"no format has the ending .*; wanted \.npz, \.csv"
        ):
            attempt(path)
    assert not list(tmp_path.iterdir())


def test_the_ending_may_be_in_capitals(tmp_path):
    pytopo.persistence([0, 1]).save(tmp_path / "d.JSON")
    assert pytopo.Diagram.load(tmp_path / "d.JSON") == pytopo.persistence([0, 1])


def changed_json(path, **changes):
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, **changes}))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"shape": [0]}, r"shape \(0,\) and dims \(0,\) are not those of an image"),
        ({"shape": [1] * 4}, "are not those of an image"),
        ({"dims": [1]}, "are not those of an image"),
        ({"construction": "X"}, 'construction is not "V" or "T"'),
        ({"superlevel": 1}, "superlevel not true or false"),
        ({"dtype": "object"}, "dtype is 'object'; wanted float32 or float64"),
        ({"birth_pixel": [0, 4]}, r"a pixel lies outside an image of shape \(4,\)"),
        ({"death_pixel": [-3, 1]}, "a pixel lies outside"),
        ({"dim": [0, 1]}, r"a point has a dimension that is not among \(0,\)"),
        ({"birth": [0, None]}, "a birth or death is NaN"),
        ({"birth": [0]}, "columns have shapes"),
        ({"points": 3}, "2 of 3 points are there"),
        ({"birth": "zero"}, "not a diagram that pytopo wrote"),
        ({"shape": 5}, "not a diagram that pytopo wrote"),
        ({"frame": {}}, "not a diagram that pytopo wrote"),
        ({"birth": [[0, 1], [2]]}, "not a diagram that pytopo wrote"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused_in_one_line(tmp_path, change, text):
    path = tmp_path / "d.json"
    pytopo.persistence([0, 5, 1, 9]).save(path)
    changed_json(path, **change)
    with pytest.raises(ValueError, match=text) as caught:
        pytopo.Diagram.load(path)
    assert str(caught.value).startswith(f"{path}: not a diagram that pytopo wrote: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kept", [0, 10, 60, 0.5, 0.9])
def test_a_truncated_file_is_refused_in_one_line(tmp_path, ending, kept):
    path = tmp_path / f"d{ending}"
    pytopo.persistence(np.random.default_rng(0).random((9, 9))).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: kept if kept >= 1 else int(kept * len(content))])
    if ending == ".csv" and kept < 1:  # cut at the end of a line
        path.write_bytes(path.read_bytes().rsplit(b"\n", 1)[0] + b"\n")
    with pytest.raises(ValueError, match="not a diagram that pytopo wrote") as caught:
        pytopo.Diagram.load(path)
    assert "\n" not in str(caught.value)


def test_no_pickle_is_loaded(tmp_path):
    path = tmp_path / "d.npz"
    pytopo.persistence([0, 1]).save(path)
    with np.load(path) as archive:
        columns = dict(archive)
    columns["birth"] = np.array([print], dtype=object)
    np.savez(path, **columns)
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        pytopo.Diagram.load(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        pytopo.Diagram.load(tmp_path / "d.npz")


# --- replacing -------------------------------------------------------------------------


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail_half_way():
        with replacing(path) as stream:
            stream.write("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_succeeds_replaces_the_old_one_with_usual_permissions(tmp_path):
    path = tmp_path / "file"
    with replacing(path, "wb") as stream:
        stream.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "file")
    with replacing(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").read_text() == "new"


def test_a_pipe_is_written_to():
    reading, writing = os.pipe()
    with replacing(f"/dev/fd/{writing}") as stream:
        stream.write("through")
    os.close(writing)
    with open(reading) as pipe:
        assert pipe.read() == "through"


def test_a_device_is_written_to_and_stays_a_device():
    with replacing("/dev/null") as stream:
        stream.write("gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
