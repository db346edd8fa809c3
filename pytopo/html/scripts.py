"""The few lines of JavaScript of a page, each in a file of its own."""

from importlib.resources import files

from bokeh.models import CustomJS


def script(name: str, **names: object) -> CustomJS:
    """Return the script of a file, with what its free names stand for."""
    code = (files("pytopo.html") / f"{name}.js").read_text(encoding="utf-8")
    return CustomJS(code=code, args=names)
