"""``pytopo explain``: a walk through the reduction of a small image, step by step.

IMAGE -> array -> Walkthrough -> steps -> a table, or one step in full   stdout
                                       -> pictures                       --gif --sheet --png
"""

import argparse
import io
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pytopo.cli import options
from pytopo.cli.files import aligned, check_places, read, size_text, sweep_text, write
from pytopo.cli.kernels import run_kernels
from pytopo.cli.report import InputError, printable, reporting_errors, results, say

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from PIL.Image import Image

    from pytopo.textbook.walk import Step, Walkthrough

LESSON = (  # the image of all lessons: a ring around 19, and a second minimum at 8
    (1, 2, 3, 12, 15),
    (4, 19, 5, 14, 8),
    (6, 7, 10, 13, 9),
    (16, 17, 18, 20, 11),
    (21, 22, 23, 24, 25),
)
ON_A_SHEET = 100  # more steps make a picture that few programs open

DESCRIPTION = """\
Walk through the reduction of a small image, up to its persistence diagram: which cell enters,
which columns of the boundary matrix are added to its column, which pair that makes, and which
point.

Prints a line for each step. Pictures of the steps are written on request."""

EPILOG = """\
IMAGE is what `pytopo diagram` reads; take a part of a large one, as below. Without IMAGE the
5 x 5 image of the lessons is taken.

examples:
  pytopo explain
  pytopo explain --step 18
  pytopo explain --by pixel --gif ring.gif --seconds 1.5
  pytopo explain 'cells.png[10:16, 20:26]' --construction T --sheet steps.png"""


# ---- the command line --------------------------------------------------------------------


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "explain",
        help="a walk through the reduction of a small image, step by step",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="file to read, see below")

    what = parser.add_argument_group("what to walk through")
    options.add_filtration(what)
    what.add_argument(
        "--raw", action="store_true", help="take integers as stored, do not scale them"
    )
    what.add_argument(
        "--by", choices=("cell", "pixel"), default="cell",
        help="a step for each cell (default), or for each pixel with the cells it adds",
    )  # fmt: skip
    what.add_argument(
        "--step", type=options.count, metavar="N", help="only this step, every addition of it"
    )

    out = parser.add_argument_group("pictures to write")
    out.add_argument(
        "--gif", type=partial(ending, kind=".gif"), metavar="FILE", help="the steps, animated"
    )
    out.add_argument(
        "--seconds", type=seconds, default=1.0, metavar="X",
        help="how long the animation shows a step (default: 1); the last one three times that",
    )  # fmt: skip
    out.add_argument(
        "--sheet", type=partial(ending, kind=".png"), metavar="FILE",
        help=f"the steps side by side in one .png, at most {ON_A_SHEET}",
    )  # fmt: skip
    out.add_argument(
        "--png", metavar="FOLDER", help="a file for each step: FOLDER/step-000.png and so on"
    )


def ending(text: str, kind: str) -> str:
    """Parse a path with this ending."""
    if not text.lower().endswith(kind):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a name that ends in {kind}")
    return text


def seconds(text: str) -> float:
    """Parse a duration that an animation can have."""
    value = options.number(text)
    if not 0.02 <= value <= 60:
        raise argparse.ArgumentTypeError(f"{text}; expected seconds, from 0.02 to 60")
    return value


# ---- the command -------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Read, walk through the reduction, draw on request; stdout comes last."""
    files = [path for path in (args.gif, args.sheet) if path is not None]
    options.check_files(args, files, {"IMAGE": args.image})
    check_places(files)
    if args.png is not None:
        _check_folder(args.png)

    name, image = _read(args)
    walk = _walkthrough(name, image, args)
    steps = _chosen(walk, args)
    if args.sheet is not None and len(steps) > ON_A_SHEET:
        raise InputError(
            f"{args.sheet}: {len(steps)} steps; at most {ON_A_SHEET} fit on a sheet, so take "
            "--by pixel or a smaller part of the image"
        )
    if files or args.png is not None:
        _write_pictures(steps, args)
    with results() as stream:
        stream.write(_table(name, walk, steps, args))
    return 0


def _check_folder(path: str) -> None:
    """Check before the work whether pictures can be written to a folder, new or not."""
    if os.path.exists(path) and not os.path.isdir(path):
        raise InputError(f"{path}: a file; --png requires a folder")
    check_places([os.path.join(path, "step-000.png") if os.path.exists(path) else path])


def _read(args: argparse.Namespace) -> tuple[str, "NDArray"]:
    """Return a name for the image, and the image."""
    if args.image is None:
        import numpy as np

        say("no IMAGE: this is the 5 x 5 image of the lessons")
        return "lesson", np.array(LESSON)
    return args.image, read(args.image, args.raw)


def _walkthrough(name: str, image: "NDArray", args: argparse.Namespace) -> "Walkthrough":
    def compute() -> "Walkthrough":
        from pytopo.order import checked_image, frame_value
        from pytopo.textbook.walk import check_size, walkthrough

        with reporting_errors(name):
            values = checked_image(image)
            frame = frame_value(values, args.frame, args.superlevel)
            check_size(values, args.construction, framed=frame is not None)
        return walkthrough(
            image,
            superlevel=args.superlevel,
            construction=args.construction,
            frame=args.frame,
        )

    return run_kernels(compute)


def _chosen(walk: "Walkthrough", args: argparse.Namespace) -> "list[Step]":
    """Return all steps, or the one of ``--step``."""
    steps = walk.steps(args.by)
    if args.step is None:
        return steps
    if args.step >= len(steps):
        raise InputError(f"--step {args.step}: there are the steps 0 to {len(steps) - 1}")
    return [steps[args.step]]


# ---- pictures ----------------------------------------------------------------------------


def _write_pictures(steps: "Sequence[Step]", args: argparse.Namespace) -> None:
    """Draw every step once, and write the files when all are drawn."""
    from tqdm import tqdm

    from pytopo.files import replacing
    from pytopo.plot.walk import step_figure

    pictures = [
        _picture(step_figure(step))
        for step in tqdm(steps, unit="step", disable=None, leave=False)
    ]
    if args.gif is not None:
        write(args.gif, _animation(pictures, args.seconds))
    if args.sheet is not None:
        write(args.sheet, _content(_sheet(pictures)))
    if args.png is not None:
        with reporting_errors(args.png):
            os.makedirs(args.png, exist_ok=True)
            for step, picture in zip(steps, pictures):
                path = os.path.join(args.png, f"step-{step.number:03}.png")
                with replacing(path, "wb") as stream:
                    stream.write(_content(picture))
        several = "1 picture" if len(pictures) == 1 else f"{len(pictures)} pictures"
        say(f"wrote {several} to {args.png}")


def _picture(figure: "Figure") -> "Image":
    """Return a figure as a picture of few colours."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    rgb = np.asarray(canvas.buffer_rgba())[..., :3]
    return Image.fromarray(np.ascontiguousarray(rgb)).quantize(96, dither=Image.Dither.NONE)


def _animation(pictures: "Sequence[Image]", seconds: float) -> bytes:
    """Return the content of a GIF that begins again after its last picture."""
    milliseconds = round(1000 * seconds)
    content = io.BytesIO()
    pictures[0].save(
        content, format="GIF", save_all=True, append_images=pictures[1:], loop=0,
        duration=[milliseconds] * (len(pictures) - 1) + [3 * milliseconds],
    )  # fmt: skip
    return content.getvalue()


def _sheet(pictures: "Sequence[Image]") -> "Image":
    """Lay pictures of one size out in rows, in about a square."""
    from PIL import Image

    width, height = pictures[0].size
    columns = max(1, round((len(pictures) * height / width) ** 0.5))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for k, picture in enumerate(pictures):
        sheet.paste(picture, (k % columns * width, k // columns * height))
    return sheet


def _content(picture: "Image") -> bytes:
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return content.getvalue()


# ---- words -------------------------------------------------------------------------------


def _table(
    name: str, walk: "Walkthrough", steps: "Sequence[Step]", args: argparse.Namespace
) -> str:
    """Return a line for each step as text, or one step in full."""
    frame = None if walk.frame is None else float(walk.frame)
    image = walk.image
    span = f"{float(image.min()):.6g} to {float(image.max()):.6g}"
    head = [
        f"{printable(name)}: {size_text(image)} pixels, values {span}",
        f"{sweep_text(walk.superlevel, walk.construction, frame)}, {len(walk.columns)} cells",
        "",
    ]
    if args.step is not None:
        (step,) = steps
        lines = step.additions() or [step.story]
        return "\n".join(
            [*head, f"step {step.number} of {step.last}: {step.title}", *lines, ""]
        )

    axes = ", ".join(("plane", "row", "column")[-image.ndim :])
    columns: tuple[str, ...] = ("step", "kind", "cell", "pixel", "value")
    where = f"cells as ({axes}) on the grid of cells, pixels on that of the image"
    if args.by == "pixel":
        columns, where = ("step", "pixel", "value"), f"pixels as ({axes})"
    stories = [step.story if step.columns else step.text for step in steps]
    cells = aligned([columns, *(_cells(step)[: len(columns)] for step in steps)])
    lines = [f"{line}  {text}" for line, text in zip(cells, ["what happens", *stories])]
    return "\n".join([*head, where, *lines, ""])


def _cells(step: "Step") -> tuple[str, ...]:
    """Return the cells of the table that come before the story."""
    from pytopo.diagram import pixel_text
    from pytopo.textbook.sentences import KINDS

    walk, first = step.walk, step.first
    if not step.columns:
        return (str(step.number), "", "", "", "")
    pixel, value = pixel_text(walk.index(first)), f"{walk.value(first):.6g}"
    if step.by == "pixel":
        return (str(step.number), pixel, value)
    kind = KINDS[walk.filtration.dimension[first]]
    place = pixel_text(walk.filtration.coordinates(first)[0].tolist())
    return (str(step.number), kind, place, pixel, value)
