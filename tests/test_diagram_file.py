"""Diagrams on disk: what is written reads back equal, and what is not ours is refused."""

import csv
import io
import json
import os
import stat
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import constructions, frames, images

import pytopo
from pytopo.diagram_file import COLUMNS, write_csv
from pytopo.files import replacing

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
            ValueError, match=r"no format has the ending .*; expected \.npz, \.csv"
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
        ({"dtype": "object"}, "dtype is 'object'; expected float32 or float64"),
        ({"birth_pixel": [0, 4]}, r"a pixel lies outside an image of shape \(4,\)"),
        ({"death_pixel": [-3, 1]}, "a pixel lies outside"),
        ({"dim": [0, 1]}, r"a point has a dimension that is not among \(0,\)"),
        ({"birth": [0, None]}, "a birth or death is NaN"),
        ({"birth": [0]}, "columns have shapes"),
        ({"points": 3}, "2 points are there; expected 3"),
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


SMALL = pytopo.Diagram(
    dim=np.zeros(2, np.int8),
    birth=np.array([0.0, 1.0]),
    death=np.array([np.inf, 5.0]),
    birth_pixel=np.array([0, 2]),
    death_pixel=np.array([-1, 1]),
    shape=(4,),
    superlevel=False,
    construction="V",
    frame=None,
    dims=(0,),
)


def test_the_small_diagram_is_that_of_an_image():
    assert pytopo.persistence([0, 5, 1, 9]) == SMALL


def refused(path, text):
    with pytest.raises(ValueError, match=text) as caught:
        pytopo.Diagram.load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: not a diagram that pytopo wrote: ")
    assert "\n" not in said
    assert len(said) < len(str(path)) + 400


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_is_cut_anywhere_is_refused(tmp_path, ending):
    whole, part = tmp_path / f"whole{ending}", tmp_path / f"part{ending}"
    SMALL.save(whole)
    content = whole.read_bytes()
    step = 7 if ending == ".npz" else 1
    for size in range(0, len(content) - (ending == ".json"), step):  # its last byte is \n
        part.write_bytes(content[:size])
        refused(part, ".")


def test_a_flipped_bit_of_an_archive_is_refused_or_changes_nothing(tmp_path):
    path = tmp_path / "d.npz"
    SMALL.save(path)
    content = path.read_bytes()
    refused_at = []
    tried = range(0, len(content), 3)
    for at in tried:
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        try:
            found = pytopo.Diagram.load(path)
        except ValueError:
            refused_at.append(at)
        else:
            assert found == SMALL  # the date of a member, say, is not looked at
    assert len(refused_at) > len(tried) / 2


@pytest.mark.parametrize(
    ("offset", "value"),
    [(6, 255), (8, 1), (8, 32), (10, 99), (10, 12)],
    ids=["version", "encrypted", "patched", "method 99", "method 12"],
)
def test_an_archive_that_python_cannot_read_is_refused(tmp_path, offset, value):
    path = tmp_path / "d.npz"
    SMALL.save(path)
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\1\2") + offset] = value
    path.write_bytes(content)
    refused(path, "damaged archive")


def test_what_is_said_of_a_damaged_archive_stays_short(tmp_path):
    path = tmp_path / "d.npz"
    SMALL.save(path)
    content = bytearray(path.read_bytes())
    content[26:28] = b"\x00\x02"  # the length of the first name: half of the file
    path.write_bytes(content)
    refused(path, "damaged archive .File name in directory")


HEADER = json.dumps(
    {"shape": [4], "dims": [0], "superlevel": False, "construction": "V", "frame": None,
     "dtype": "float64", "points": 2}
)  # fmt: skip


def columns_of(diagram):
    return {name: getattr(diagram, name) for name in COLUMNS}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"dim": SMALL.dim.astype(int) + 256}, "dim is int64; expected int8"),
        ({"birth_pixel": SMALL.birth_pixel + 0.5}, "birth_pixel is float64; expected int64"),
        ({"birth": SMALL.birth + 1j}, "birth is complex128; expected float64"),
        ({"birth": SMALL.birth.astype(np.float32)}, "birth is float32; expected float64"),
        ({"birth": SMALL.birth.astype(str)}, "birth is <U32; expected float64"),
        ({"birth": np.array([print, 1])}, "Object arrays cannot be loaded"),
        ({"birth": SMALL.birth[:1]}, r"birth has shape \(1,\); expected \(2,\)"),
        ({"birth": SMALL.birth[:, None]}, r"birth has shape \(2, 1\)"),
        ({"birth": np.float64(0)}, r"birth has shape \(\)"),
        ({"birth": np.array([0, np.nan])}, "a birth or death is NaN"),
        ({"birth": np.array([0.0, 6.0])}, "a point of a sublevel diagram dies before"),
        ({"death": np.array([-np.inf, 5.0])}, "dies before it is born"),
        ({"death": np.array([7.0, 5.0])}, "dies before it is born"),
        ({"death_pixel": np.array([-1, -1])}, "expected at most one, in dimension 0"),
        ({"birth_pixel": np.array([-1, 2])}, "a birth pixel is -1"),
        ({"birth_pixel": np.array([-2, 2])}, "a pixel lies in the frame, but"),
        ({"birth_pixel": np.array([0, 4])}, "a pixel lies outside"),
        ({"header": np.array(HEADER.encode())}, r"header is \|S\d+ of shape \(\)"),
        ({"header": np.array(["[" * 100000])}, "header is"),
        ({"header": np.array("[" * 100000)}, "nested too deeply"),
        ({"header": np.array(HEADER.replace("[4]", "[4, 4.0]"))}, "shape is .* whole numbers"),
        ({"header": np.array(HEADER.replace("[4]", f"[{2**62}, {2**62}]"))}, "of an image"),
        ({"header": np.array(HEADER.replace("[4]", "[-4]"))}, "not those of an image"),
        ({"header": np.array(HEADER.replace("[4]", "[]"))}, "not those of an image"),
        ({"header": np.array(HEADER.replace("[0]", "[0, 0]"))}, "not those of an image"),
        ({"header": np.array(HEADER.replace("[0]", "[]"))}, "not those of an image"),
        ({"header": np.array(HEADER.replace("[0]", "[false]"))}, "dims is .False."),
        ({"header": np.array(HEADER.replace(": 2", ": 99999"))}, "points is 99999, more than"),
        ({"header": np.array(HEADER.replace(": 2", ": -1"))}, "points is -1"),
        ({"header": np.array(HEADER.replace("null", '"nan"'))}, "frame is 'nan'; expected"),
        ({"header": np.array(HEADER.replace("null", "1e999"))}, "frame is inf; expected"),
        ({"header": np.array(HEADER.replace("null", "true"))}, "frame is True; expected"),
        ({"header": np.array(HEADER.replace("null", "NaN"))}, "NaN is not a number in JSON"),
        ({"header": np.array(HEADER.replace('"dims"', '"shape"'))}, "a name occurs twice"),
        ({"header": np.array(HEADER.replace('"dims"', '"dim"'))}, "the header has"),
        ({"header": np.array("7")}, "JSON is 7; expected an object"),
        ({"shape": np.array([2**62, 2**62])}, "members are"),
    ],
)  # fmt: skip
def test_an_archive_that_was_tampered_with_is_refused_in_one_line(tmp_path, change, text):
    path = tmp_path / "d.npz"
    np.savez(path, **{"header": np.array(HEADER), **columns_of(SMALL)})
    assert pytopo.Diagram.load(path) == SMALL
    np.savez(path, **{"header": np.array(HEADER), **columns_of(SMALL), **change})
    refused(path, text)


def test_an_archive_that_claims_a_terabyte_is_refused(tmp_path):
    SMALL.save(tmp_path / "d.npz")
    text = f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({2**40},), }}"
    claim = b"\x93NUMPY\1\0v\0" + text.encode().ljust(117) + b"\n"
    path = tmp_path / "claims.npz"
    with zipfile.ZipFile(tmp_path / "d.npz") as sound, zipfile.ZipFile(path, "w") as archive:
        for name in sound.namelist():
            archive.writestr(name, claim if name == "dim.npy" else sound.read(name))
    refused(path, r"dim has shape \(1099511627776,\); expected \(2,\)")


def test_an_archive_that_has_a_member_twice_is_refused(tmp_path):
    path = tmp_path / "d.npz"
    SMALL.save(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("dim.npy", archive.read("dim.npy"))
    refused(path, "members are")


def test_columns_of_the_other_byte_order_are_the_same(tmp_path):
    path = tmp_path / "d.npz"
    swapped = {n: a.astype(a.dtype.newbyteorder(">")) for n, a in columns_of(SMALL).items()}
    np.savez(path, header=np.array(HEADER).astype(f">U{len(HEADER)}"), **swapped)
    assert pytopo.Diagram.load(path) == SMALL


def test_lines_may_end_as_on_windows(tmp_path):
    path = tmp_path / "d.csv"
    SMALL.save(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert pytopo.Diagram.load(path) == SMALL


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (b"0,1.0,5.0", b"0,1.0," + b"1" * 200000, "not a table .field larger than field limit"),
        (b"0,1.0,5.0", b'0,"1.0,5.0', "not a table"),
        (b"0,1.0,5.0", b"0,1.0,5.0,5.0", "a line has 8 fields; expected 7"),
        (b"0,1.0,5.0", b"0,1.0", "a line has 6 fields; expected 7"),
        (b"0,1.0,5.0", b"0,1.0,five", "death is 'five'; expected a number"),
        (b"0,1.0,5.0", b"0,1.0,nan", "death is 'nan'; expected a number"),
        (b"0,1.0,5.0", b"0,1.0,1e999", "death is inf; expected"),
        (b"0,1.0,5.0", b"0,1.0,5_0", "death is '5_0'"),
        (b"0,1.0,5.0", b"0,1.0,\0", "death is"),
        (b"0,1.0,5.0", b"256,1.0,5.0", "dim is 256, beyond int8"),
        (b"0,1.0,5.0", b"0.5,1.0,5.0", "dim is '0.5'; expected a number"),
        (b"0,1.0,5.0", b"0,1.0,\xff", r"byte \d+ is not utf-8 text"),
        (b"0,1.0,5.0", "0,1.0,\N{ARABIC-INDIC DIGIT FIVE}".encode(), "death is"),
        (b"birth_pixel", b"death", "columns are .* expected at least"),
        (b"birth_pixel", b"birth pixel", "columns are .* expected at least"),
        (b"birth_column", b"birth", "columns are .* expected at least"),
        (b'"points": 2', b'"points": 3', "2 points are there; expected 3"),
        (b"# pytopo", b"pytopo", "the first line does not start with"),
    ],
)  # fmt: skip
def test_a_table_that_was_tampered_with_is_refused_in_one_line(tmp_path, old, new, text):
    path = tmp_path / "d.csv"
    SMALL.save(path)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    refused(path, text)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('{"shape"', "[" * 100000 + '{"shape"', "nested too deeply"),
        ('"dim": [0, 0]', '"dim": [0, 256]', "dim is 256, beyond int8"),
        ('"dim": [0, 0]', '"dim": [0, false]', "dim is .* expected whole numbers"),
        ('"dim": [0, 0]', '"dim": [0, 0.0]', "dim is .* expected whole numbers"),
        ('"dim": [0, 0]', '"dim": {"0": 0}', "dim is .* expected a list of numbers"),
        ('"birth": [0.0, 1.0]', '"birth": [0.0, NaN]', "NaN is not a number in JSON"),
        ('"birth": [0.0, 1.0]', '"birth": [0.0, Infinity]', "Infinity is not a number in JSON"),
        ('"birth": [0.0, 1.0]', '"birth": [0.0, 1e999]', "birth is inf; expected a number"),
        ('"birth": [0.0, 1.0]', '"birth": [0.0, "1.0"]', "birth is '1.0'; expected a number"),
        ('"birth": [0.0, 1.0]', '"birth": [0.0, true]', "birth is True; expected a number"),
        ('"birth": [0.0, 1.0]', f'"birth": [0.0, {10**400}]', "birth is 1000+"),
        ('"birth": [0.0, 1.0]', f'"birth": [0.0, {"9" * 5000}]', "not a diagram"),
        ('"birth": [0.0, 1.0]', '"birth": [0.0, [1.0]]', "birth is .1.0.; expected"),
        ('"birth": [0.0, 1.0]', '"birth": [0.0, 1.0, 2.0]', "columns have shapes"),
        ('"birth_pixel": [0, 2]', f'"birth_pixel": [0, {2**64}]', "beyond int64"),
        ('"frame": null', f'"frame": {10**400}', "frame is 1000+"),
        ('"dim": [0, 0]', '"dim": [0, 0], "dim": [0, 0]', "a name occurs twice"),
        ('"dim": [0, 0]', '"dim": [0, 0], "extra": 1', "the header has .*extra"),
        ('"dim": [0, 0]', '"dims": [0]', "a name occurs twice"),
        ("{", "\ufeff{", "BOM"),
    ],
)  # fmt: skip
def test_json_that_was_tampered_with_is_refused_in_one_line(tmp_path, old, new, text):
    path = tmp_path / "d.json"
    SMALL.save(path)
    content = path.read_text("utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), "utf-8")
    refused(path, text)


def test_a_value_beyond_its_dtype_is_refused(tmp_path):
    path = tmp_path / "d.json"
    pytopo.persistence(np.array([0, 5, 1, 9], np.float32)).save(path)
    path.write_text(path.read_text("utf-8").replace("5.0", "5e40"), "utf-8")
    refused(path, "death is 5e[+]40, beyond float32")


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
