"""Damage small files of every kind at random, and read them.

    .venv/bin/python tests/mutations.py 30000            # a new seed, which is printed
    .venv/bin/python tests/mutations.py 1 --seed 7 --first 1234    # that file again

Each file must be read, or be refused in one line by an error that is documented: nothing else
may be thrown, no warning but those of pytopo, nothing written on stderr by a library, no file
may take longer than some seconds, and no process may die of one.  Workers read the files, so
that a crash is one of them; the parent watches.
"""

import argparse
import io
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path

import h5py
import numpy as np
import tifffile
from PIL import Image, features

import pytopo
from pytopo.images.image import image_shape, open_image, open_labels

LIMIT = 10  # seconds that a file may take
PATIENCE = 60  # seconds after which a worker that says nothing is taken to hang
SHARE = 500  # files that a worker reads before another takes over


# ---- sound files ---------------------------------------------------------------------------


def sound_files():
    """Return files of every kind that is read: name and content."""
    random_numbers = np.random.default_rng(0)
    grey = random_numbers.integers(0, 256, (12, 17), np.uint8)
    stack = random_numbers.integers(0, 256, (3, 9, 11), np.uint8)
    files = dict(_pictures(grey, stack))
    files |= _tiffs(grey, stack)
    files |= _arrays(stack)
    files |= _diagrams()
    return files


def _pictures(grey, stack):
    colour = np.dstack([grey, grey.T[:12, :12].repeat(2, 1)[:, :17], 255 - grey])
    page = Image.fromarray(colour)
    modes = ["1", "L", "LA", "P", "RGB", "RGBA"]
    for mode in modes:
        yield f"{mode}.png", _saved(page.convert(mode), "PNG")
    yield "I16.png", _saved(Image.fromarray(grey.astype(np.uint16) * 257), "PNG")
    kinds = ["JPEG", "BMP", "GIF", "WEBP", "PPM", "TGA", "ICO"]
    if features.check("jpg_2000"):
        kinds.append("JPEG2000")
    for kind in kinds:
        yield f"colour.{kind.lower()}", _saved(page, kind)
    for kind in ("GIF", "PNG", "WEBP"):
        frames = [Image.fromarray(plane) for plane in stack]
        content = _saved(frames[0], kind, save_all=True, append_images=frames[1:])
        yield f"frames.{kind.lower()}", content
    yield "few.pgm", b"P5 4 2 9\n" + bytes(range(8))


def _saved(page, kind, **options):
    content = io.BytesIO()
    page.save(content, kind, **options)
    return content.getvalue()


def _tiffs(grey, stack):
    rgb = np.dstack([grey] * 3)
    wide = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.uint16).reshape(2, 3, 4, 5, 6)
    writes = {
        "grey": (grey, {"photometric": "minisblack"}),
        "white": (grey, {"photometric": "miniswhite"}),
        "bits": (grey > 99, {}),
        "stack": (stack, {"photometric": "minisblack"}),
        "plain": (stack, {"photometric": "minisblack", "metadata": None}),
        "deflate": (stack, {"photometric": "minisblack", "compression": "zlib"}),
        "rows": (grey, {"photometric": "minisblack", "rowsperstrip": 3}),
        "tiles": (grey, {"photometric": "minisblack", "tile": (16, 16)}),
        "float": (stack.astype(np.float64), {"photometric": "minisblack", "byteorder": ">"}),
        "big": (stack.astype(np.int64), {"photometric": "minisblack", "bigtiff": True}),
        "rgb": (rgb, {"photometric": "rgb"}),
        "planar": (stack, {"photometric": "rgb", "planarconfig": "separate"}),
        "imagej": (wide, {"imagej": True, "metadata": {"axes": "TZCYX"}}),
        "ome": (wide, {"ome": True, "metadata": {"axes": "TZCYX"}}),
        "series": (stack, {"imagej": True, "metadata": {"axes": "ZYX"}}),
    }
    files = {}
    for name, (values, options) in writes.items():
        content = io.BytesIO()
        tifffile.imwrite(content, values, **options)
        files[f"{name}.tif"] = content.getvalue()
    content = io.BytesIO()
    with tifffile.TiffWriter(content) as writer:
        writer.write(stack, photometric="minisblack", subifds=1)
        writer.write(stack[:, ::2, ::2], photometric="minisblack", subfiletype=1)
    files["pyramid.tif"] = content.getvalue()
    page = Image.fromarray(grey)
    for compression in ("tiff_lzw", "jpeg", "packbits"):
        files[f"{compression}.tif"] = _saved(page, "TIFF", compression=compression)
    files["group4.tif"] = _saved(page.convert("1"), "TIFF", compression="group4")
    files["palette.tif"] = _saved(page.convert("P"), "TIFF", compression="tiff_lzw")
    return files


def _arrays(stack):
    npy, npz, packed, hdf5 = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, stack.astype(np.float32))
    np.savez(npz, only=stack)
    np.savez_compressed(packed, a=stack, b=stack > 9)
    with h5py.File(hdf5, "w") as file:
        file.create_dataset("em/raw", data=stack, chunks=(1, 9, 11), compression="gzip")
        file["soft"] = h5py.SoftLink("/em/raw")
        file["far"] = h5py.ExternalLink("none.h5", "/raw")
    contents = {"a.npy": npy, "a.npz": npz, "packed.npz": packed, "a.h5": hdf5}
    return {name: content.getvalue() for name, content in contents.items()}


def _diagrams():
    diagram = pytopo.Diagram(
        dim=np.array([0, 1], np.int8),
        birth=np.array([0.0, 1.0]),
        death=np.array([np.inf, 2.0]),
        birth_pixel=np.array([0, 3]),
        death_pixel=np.array([-1, 4]),
        shape=(3, 3),
        superlevel=False,
        construction="V",
        frame=None,
        dims=(0, 1),
    )
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("npz", "csv", "json"):
            path = Path(folder, f"points.{ending}")
            diagram.save(path)
            files[f"diagram.{ending}"] = path.read_bytes()
    return files


# ---- damage --------------------------------------------------------------------------------


def mutation(files, seed, number):
    """Return the name and the content of a damaged file; the same for the same numbers."""
    dice = random.Random(f"{seed} {number}")
    name = dice.choice(sorted(files))
    content = bytearray(files[name])
    for _ in range(dice.choice([1, 1, 1, 2, 3, 8])):
        damage = dice.choice([_flip, _words, _words, _header, _cut, _insert, _remove, _splice])
        content = damage(dice, content, files)
    if name.endswith(".png") and dice.random() < 0.7:  # or the checksums end it there
        content = _checked(content)
    return name, bytes(content)


def _flip(dice, content, files):
    for _ in range(dice.choice([1, 2, 5, 20])):
        if content:
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    return content


NUMBERS = [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**32 - 1, 2**63]


def _words(dice, content, files):
    """Put a number that matters where a number may be."""
    form = dice.choice(["<B", "<H", ">H", "<I", ">I", "<Q"])
    size = struct.calcsize(form)
    if len(content) > size:
        at = dice.randrange(len(content) - size) & dice.choice([~0, ~1, ~3])
        content[at : at + size] = struct.pack(form, dice.choice(NUMBERS) % 2 ** (8 * size))
    return content


def _header(dice, content, files):
    """Damage the first bytes, where most is decided."""
    for _ in range(dice.choice([1, 2, 4])):
        if content:
            content[dice.randrange(min(len(content), 96))] = dice.choice([0, 1, 255, 128])
    return content


def _cut(dice, content, files):
    return content[: dice.randrange(len(content) + 1)]


def _insert(dice, content, files):
    at = dice.randrange(len(content) + 1)
    return content[:at] + dice.randbytes(dice.choice([1, 2, 4, 50])) + content[at:]


def _remove(dice, content, files):
    at = dice.randrange(len(content) + 1)
    return content[:at] + content[at + dice.choice([1, 2, 4, 50]) :]


def _splice(dice, content, files):
    """Go on with a piece of another file, or of the same."""
    other = files[dice.choice(sorted(files))] if dice.random() < 0.5 else bytes(content)
    start, at = dice.randrange(len(other) + 1), dice.randrange(len(content) + 1)
    piece = other[start : start + dice.choice([4, 16, 100, len(other)])]
    return content[:at] + piece + content[at + dice.choice([0, len(piece)]) :]


def _checked(content):
    """The chunks of a PNG with checksums that fit again."""
    fixed, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        body = content[at + 4 : at + 8 + size]
        fixed += content[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    return fixed


# ---- reading -------------------------------------------------------------------------------


class Hang(BaseException):
    """A file took too long; nothing that catches errors may catch this."""


def _stop(signum, frame):
    raise Hang


def verdict(read, *allowed, limit=LIMIT):
    """Return what is wrong with how a call ends; empty if nothing is."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            signal.setitimer(signal.ITIMER_REAL, limit)
            try:
                read()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Hang:
            return f"hang: longer than {limit} s"
        except allowed as error:
            if not str(error).isprintable():
                return f"more than one line: {error!r}"
        except Exception as error:
            return f"traceback: {error!r}"
    foreign = [w for w in said if not issubclass(w.category, pytopo.InputWarning)]
    return f"warning: {foreign[0].message!r}" if foreign else ""


def verdict_on_file(path):
    """Return what is wrong with how a file is read; empty if nothing is."""
    if Path(path).name.startswith("diagram."):
        return verdict(lambda: pytopo.Diagram.load(path), ValueError)
    shapes = []
    documented = (ValueError, TypeError)
    problems = [
        verdict(lambda: shapes.append(image_shape(path)), *documented),
        verdict(lambda: shapes.append(open_image(path).array.shape), *documented),
        verdict(lambda: open_labels(path), *documented),
    ]
    if len(set(shapes)) > 1:
        problems.append(f"shape: the header says {shapes[0]}, what is read is {shapes[1]}")
    return next(filter(None, problems), "")


def work(seed, first, stop, folder):
    """Read the damaged files of a range, and say of each that it begins and how it ends."""
    signal.signal(signal.SIGALRM, _stop)
    _limit_memory()
    files = sound_files()
    for number in range(first, stop):
        name, content = mutation(files, seed, number)
        path = Path(folder, name)
        path.write_bytes(content)
        print(f"{number} begins", flush=True)
        problem = verdict_on_file(str(path))
        print(f"{number} {name} {problem or 'ends'}", flush=True)
        path.unlink()


def _limit_memory():
    """A file that asks for all of the memory shall not take it from others."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, resource.RLIM_INFINITY))


# ---- watching ------------------------------------------------------------------------------


def watched(seed, first, stop):
    """Let workers read a range of damaged files; yield what is wrong with each that fails."""
    while first < stop:
        end = min(stop, first + SHARE)
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as noise:
            worker = subprocess.Popen(
                [sys.executable, __file__, "0", f"--seed={seed}", f"--first={first}"]
                + [f"--stop={end}", f"--folder={folder}"],
                stdout=subprocess.PIPE, stderr=noise, bufsize=0, cwd=folder,
            )  # fmt: skip
            begun = first - 1
            for line in _lines(worker):
                number, _, rest = line.partition(" ")
                begun = int(number)
                if not rest.endswith((" ends", "begins")):
                    yield begun, rest
            worker.wait()
            noise.seek(0)
            written = noise.read().decode(errors="replace").strip()
        if worker.returncode != 0:
            yield begun, f"crash: exit status {worker.returncode}: {written[-300:]}"
            first = begun + 1
            continue
        if written:
            yield first, f"stderr, in {first} to {end - 1}: {written[:300]}"
        first = end


def _lines(worker):
    """The lines that a worker says; one that says nothing for long is ended."""
    while select.select([worker.stdout], [], [], PATIENCE)[0]:
        line = worker.stdout.readline().decode().rstrip("\n")
        if not line:
            return
        yield line
    worker.kill()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, help="how many damaged files to read")
    parser.add_argument("--seed", type=int, help="repeats the files of an earlier run")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--stop", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    seed = random.randrange(2**31) if args.seed is None else args.seed
    if args.folder:
        work(seed, args.first, args.stop, args.folder)
        return 0
    print(f"seed {seed}", flush=True)
    start, wrong = time.perf_counter(), 0
    for number, problem in watched(seed, args.first, args.first + args.count):
        wrong += 1
        print(f"file {number}: {problem}", flush=True)
    seconds = time.perf_counter() - start
    ending = f"{wrong} with a fault" if wrong else "no traceback, hang or crash"
    print(f"{args.count} mutated files, {ending} ({seconds:.0f} s)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
