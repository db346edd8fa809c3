"""Reports in a real browser: Chromium without a window or a network, driven by Selenium."""

import io
import json
import shutil
import time

import numpy as np
import pytest
import torch
from PIL import Image

import pytopo

pytest.importorskip("bokeh", reason="the extra html is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")

from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.service import Service

from pytopo.html import diagram_report, loss_report
from pytopo.plot import COLOURS

# Components born at 0, 1 and 1, that meet at 2; a hole that closes at 3 and is filled at 9.
IMAGE = np.array([[0, 3, 3, 3], [2, 9, 9, 3], [1, 2, 1, 2], [5, 5, 7, 7.0]])
CELLS = np.array([[1, 1, 1, 1, 1, 1], [1, 9, 8, 4, 7, 1], [1, 1, 1, 1, 1, 1.0]])
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1300,1200",
)  # fmt: skip
VIEWS = """
    const views = Object.fromEntries([...Bokeh.index.roots].map((v) => [v.model.name, v]))
    const marks = views.diagram.model.renderers.filter((r) => r.glyph.type == "Scatter")
    const points = marks[0].data_source, bright = marks[1].data_source
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A browser with an empty profile of its own."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no chromium or no chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(options=options, service=Service(driver))
    window.set_page_load_timeout(60)
    yield window
    window.quit()


class Page:
    """A report that is open in the browser."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, path):
        self.browser.get(path.as_uri())
        self.until("return window.Bokeh?.documents?.[0]?.is_idle && !!this_page_is_filled()")
        return self

    def run(self, code, *arguments):
        ready = "const this_page_is_filled = () => views.betti.model.text;"
        guard = "if (!window.Bokeh?.documents?.length) return null;"
        return self.browser.execute_script(f"{guard}{VIEWS}{ready}{code}", *arguments)

    def until(self, code, *arguments):
        """Wait until a line of JavaScript returns something true, and return it."""
        end = time.monotonic() + 30
        while not (found := self.run(code, *arguments)):
            assert time.monotonic() < end, f"waited in vain for {code}"
            time.sleep(0.05)
        return found

    def text(self, name):
        """What a text of the page says, as it is shown."""
        return self.run(
            """const all = [...views[arguments[0]].shadow_el.children]
            const shown = all.filter((element) => element.tagName != "STYLE")
            return shown.map((element) => element.textContent).join("")""",
            name,
        )

    def keys(self, name, *keys):
        """Press keys on the handle of a slider."""
        handle = self.run(
            "return views[arguments[0]].slider_el.querySelector('.noUi-handle')", name
        )
        handle.send_keys(*keys)

    def place(self, figure, x, y):
        """Where a place of a figure is in the window."""
        return self.run(
            """const view = views[arguments[0]], frame = view.frame
            const canvas = view.canvas_view.el.getBoundingClientRect()
            return [canvas.x + frame.x_scale.compute(arguments[1]),
                    canvas.y + frame.y_scale.compute(arguments[2])].map(Math.round)""",
            figure, x, y,
        )  # fmt: skip

    def point_at(self, figure, x, y):
        """Move the pointer there, from elsewhere in the figure."""
        action = ActionChains(self.browser, duration=0)
        to = self.place(figure, x, y)
        for dx, dy in ((40, 40), (0, 0)):
            action.w3c_actions.pointer_action.move_to_location(to[0] + dx, to[1] + dy)
        return action

    def colour(self, figure, x, y):
        """The colour of a place of a figure, as it is on the screen."""
        screen = Image.open(io.BytesIO(self.browser.get_screenshot_as_png())).convert("RGB")
        return screen.getpixel(tuple(self.place(figure, x, y)))


@pytest.fixture
def open_page(chromium, tmp_path):
    """Open a report; at the end, nothing went wrong in it and nothing was loaded."""
    chromium.get("about:blank")
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def opened(report):
        report.save(tmp_path / "report.html")
        return Page(chromium).open(tmp_path / "report.html")

    yield opened
    errors = [
        line["message"] for line in chromium.get_log("browser") if line["level"] == "SEVERE"
    ]
    assert errors == []
    events = [
        json.loads(line["message"])["message"] for line in chromium.get_log("performance")
    ]
    asked = [
        e["params"]["request"]["url"] for e in events if e["method"].endswith("WillBeSent")
    ]
    assert asked
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "about"}


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (IMAGE, {}),
        (IMAGE, {"superlevel": True}),
        (IMAGE, {"superlevel": True, "construction": "T", "frame": -1}),
        (np.random.default_rng(0).random((20, 30), np.float32), {"superlevel": True}),
        (np.array([0, 4, 2, 3, 1, 5.0]), {"superlevel": True}),
        (np.pad(np.full((1, 1, 1), 9), 1), {"frame": 4}),
    ],
    ids=["sublevel", "superlevel", "framed", "float32", "curve", "volume"],
)
def test_the_betti_numbers_of_a_threshold_are_those_of_the_diagram(open_page, image, options):
    d = pytopo.persistence(image, **options)
    page = open_page(diagram_report(image, d))
    page.keys("threshold", Keys.HOME)
    for press in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.PAGE_UP, Keys.END):
        page.keys("threshold", press)
        label = page.run("return views.threshold.model.value")
        numbers = [
            int(word) for word in page.text("betti").split(": ")[1].split() if word.isdigit()
        ]
        assert tuple(numbers) == d.betti(float(label))
        alive = page.run("return bright.data.birth.length")
        assert alive == sum(numbers)


def test_the_first_threshold_lies_in_the_middle_and_is_said(open_page):
    page = open_page(diagram_report(IMAGE, pytopo.persistence(IMAGE)))
    assert page.text("betti") == "Betti numbers at 5.0: 1 component, 1 hole"
    assert page.text("threshold").startswith("threshold: 5.0")
    assert page.text("hidden") == "4 of 4 points shown, none hidden"


def test_row_0_is_at_the_top_and_column_0_to_the_left(open_page):
    image = np.zeros((4, 6))
    image[0, 5] = 1
    page = open_page(diagram_report(image, pytopo.persistence(image, superlevel=True)))
    page.keys("threshold", Keys.END)  # everything has entered
    assert max(page.colour("image", 0.3, 3.3)) < 150
    assert min(page.colour("image", 5.3, 0.3)) > 150
    x, y = page.place("image", 5, 0)
    assert x > page.place("image", 0, 0)[0]
    assert y < page.place("image", 0, 3)[1]


def test_only_pixels_that_have_entered_are_purple(open_page):
    page = open_page(diagram_report(IMAGE, pytopo.persistence(IMAGE)))
    page.keys("threshold", Keys.HOME, Keys.ARROW_RIGHT)  # 0 and 1
    red, green, _ = page.colour("image", 2.3, 2.3)  # 1
    assert red - green > 30
    red, green, _ = page.colour("image", 0.3, 1.3)  # 2
    assert red == green


def test_hovering_over_a_point_shows_its_pixels(open_page):
    page = open_page(diagram_report(IMAGE, pytopo.persistence(IMAGE)))
    page.keys("threshold", Keys.HOME)  # the hole is not alive, its pixels are not marked
    hole = page.run("return points.data.kind.indexOf('hole (dim 1)')")
    x, y = page.run(
        "return [points.data.birth_x[arguments[0]], points.data.birth_y[arguments[0]]]", hole
    )
    before = page.colour("image", x, y)
    page.point_at("diagram", 3, 9).perform()
    assert page.until("return points.inspected.indices.length && points.inspected.indices") == [
        hole
    ]
    vermilion = tuple(bytes.fromhex(COLOURS[1][1:]))
    end = time.monotonic() + 10
    while page.colour("image", x, y) != vermilion and time.monotonic() < end:
        time.sleep(0.1)
    assert (page.colour("image", x, y), before != vermilion) == (vermilion, True)


def test_regions_are_shown_until_the_threshold_moves(open_page):
    page = open_page(diagram_report(CELLS, pytopo.persistence(CELLS), cut=2))
    red, green, blue = page.colour("image", 1.3, 1.3)  # in the first cell
    assert red > green > blue  # vermilion, faintly
    assert page.run("return bright.data.birth.length") == 3
    page.keys("threshold", Keys.HOME)
    assert page.run("return views.view.model.active") == 1
    assert page.run("return bright.data.birth.length") == 2
    red, green, blue = page.colour("image", 1.3, 1.3)
    assert red == green == blue
    page.run("views.view.model.active = 0")
    red, green, blue = page.colour("image", 1.3, 1.3)
    assert red > green > blue


def test_hovering_over_a_point_paints_its_region_and_the_other_way_round(open_page):
    page = open_page(diagram_report(CELLS, pytopo.persistence(CELLS), cut=2))
    before = page.colour("image", 4.3, 1.3)
    page.point_at("diagram", 4, 7).perform()
    assert page.until("return points.inspected.indices.length && points.inspected.indices") == [
        2
    ]
    end = time.monotonic() + 10
    while page.colour("image", 4.3, 1.3) == before and time.monotonic() < end:
        time.sleep(0.1)
    red, _, blue = page.colour("image", 4.3, 1.3)
    assert red - blue > 2 * (before[0] - before[2])
    page.point_at("image", 2, 1).perform()  # in the first cell, where nothing is born or dies
    page.until("return points.inspected.indices[0] == 1")
    page.point_at("image", 2, 1).click().perform()
    page.until("return points.selected.indices.length == 1")
    assert page.text("chosen").startswith("hole (dim 1): born 1 at")


def test_the_cut_hides_regions_and_moves_its_line(open_page):
    page = open_page(diagram_report(CELLS, pytopo.persistence(CELLS), cut=2))
    shown = """const line = views.diagram.model.center.find((r) => r.type == "Slope")
        return [points.data.region_xs.map((x) => x.length), line.y_intercept]"""
    assert page.run(shown) == [[0, 1, 1], 2]
    page.keys("persistence", Keys.END)
    assert page.run(shown) == [[0, 1], 8]


def test_hovering_over_a_pixel_highlights_the_points_of_either_end(open_page):
    d = pytopo.persistence(IMAGE)
    page = open_page(diagram_report(IMAGE, d))
    rows = page.run("return points.data.text")
    for end in ("birth", "death"):
        (hole,) = np.flatnonzero(d.dim == 1)
        row, column = getattr(d, f"{end}_index")[hole].tolist()
        page.point_at("image", column, row).perform()
        found = page.until("return points.inspected.indices.length && points.inspected.indices")
        assert all(f"at ({row}, {column})" in rows[k] for k in found)
        page.point_at("image", 3.4, 3.4).perform()
        page.until("return points.inspected.indices.length == 0")


def test_a_tap_on_a_point_chooses_it_and_says_so(open_page):
    page = open_page(diagram_report(IMAGE, pytopo.persistence(IMAGE)))
    page.point_at("diagram", 3, 9).click().perform()
    page.until("return points.selected.indices.length == 1")
    assert page.text("chosen").startswith("hole (dim 1): born 3 at (")
    assert "dies 9 at (1, 2)" in page.text("chosen")
    assert page.run("return views.feature.model.value - 1 == points.selected.indices[0]")
    page.keys("feature", Keys.HOME)
    assert page.run("return points.selected.indices") == []
    assert page.text("chosen").startswith("Hover over a point")


def test_the_keyboard_goes_through_the_points(open_page):
    page = open_page(diagram_report(IMAGE, pytopo.persistence(IMAGE)))
    page.keys("feature", Keys.ARROW_RIGHT)
    assert page.text("chosen").startswith("component (dim 0): born 0 at (0, 0), never dies")
    page.keys("feature", Keys.ARROW_RIGHT)
    assert page.run("return points.selected.indices") == [1]


def test_the_persistence_slider_hides_noise_and_counts_it(open_page):
    page = open_page(diagram_report(IMAGE, pytopo.persistence(IMAGE)))
    page.keys("feature", Keys.END)
    assert page.run("return points.selected.indices") == [3]
    page.keys("persistence", Keys.END)
    assert page.text("hidden") == "2 of 4 points shown, 2 hidden: 2 components (dim 0)"
    assert page.run("return [points.data.birth.length, points.selected.indices.length]") == [
        2,
        0,
    ]
    page.keys("persistence", Keys.HOME)
    assert page.run("return points.data.birth.length") == 4


def test_a_section_of_a_volume_shows_its_own_pixels(open_page):
    volume = np.pad(np.full((1, 1, 1), 9), 1)
    page = open_page(diagram_report(volume, pytopo.persistence(volume, dims=2)))
    shown = "return [points.data.birth_x[0], points.data.death_x[0]].map(Number.isFinite)"
    region = "return points.data.region_xs[0].length"
    assert page.run(shown) == [False, True]
    assert page.run(region) == 1
    page.keys("section", Keys.ARROW_RIGHT)
    assert page.run(shown) == [True, False]
    assert page.run(region) == 0
    page.keys("section", Keys.HOME)
    assert page.run(shown) == [False, False]
    page.keys("feature", Keys.ARROW_RIGHT)  # the section of the chosen feature comes up
    assert page.run("return views.section.model.value") == 2


def test_a_loss_draws_targets_lines_and_pixels_to_fix(open_page):
    truth = np.zeros((5, 5))
    truth[:3, :3] = 1
    truth[1, 1] = 0
    likelihood = truth.copy()
    likelihood[0, 1], likelihood[4, 4] = 0.7, 0.3
    prediction, target = (torch.from_numpy(image)[None, None] for image in (likelihood, truth))
    (why,) = pytopo.TopologicalLoss().explain(prediction, target)
    page = open_page(loss_report(likelihood, why, title="<b>likelihood</b>"))
    assert page.run("return document.querySelector('h1').textContent") == "<b>likelihood</b>"
    page.keys("threshold", Keys.HOME)  # 1.0: the hole to fix is not alive, but marked
    assert page.run("return Array.from(bright.data.kind)") == [
        "component in place",
        "hole to fix",
    ]
    fix = "points.data.kind.indexOf('hole to fix')"
    assert page.run(f"return [points.data.goal_x[{fix}], points.data.goal_y[{fix}]]") == [1, 0]
    squares = page.run("return marks.filter((r) => r.glyph.marker.value == 'square')[0]"
                       ".data_source.data.birth.length")  # fmt: skip
    assert squares == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_light_or_dark_as_the_reader_likes(open_page, chromium, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    page = open_page(diagram_report(IMAGE, pytopo.persistence(IMAGE)))
    ground = page.colour("diagram", 8.5, 1.5)  # below the diagonal, between lines
    assert min(ground) > 225 if scheme == "light" else max(ground) < 50


def test_a_page_is_as_narrow_as_a_telephone(open_page, chromium):
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page = open_page(diagram_report(IMAGE, pytopo.persistence(IMAGE)))
        page.until("return views.diagram.el.getBoundingClientRect().right <= 400")
        assert page.run("return document.documentElement.scrollWidth") <= 400
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_notebook_shows_the_page_in_its_frame(open_page, chromium, tmp_path):
    made = diagram_report(IMAGE, pytopo.persistence(IMAGE))
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><p>A notebook</p>{made._repr_html_()}", "utf-8")
    chromium.get(notebook.as_uri())
    chromium.switch_to.frame(0)
    page = Page(chromium)
    page.until("return Bokeh.documents[0].is_idle && this_page_is_filled()")
    assert page.text("betti") == "Betti numbers at 5.0: 1 component, 1 hole"
    chromium.switch_to.default_content()
