"""Reports: what a page contains, and the commands that write one.  No browser is needed."""

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from strategies import constructions, frames, images

import pytopo
from pytopo.cli.main import main

pytest.importorskip("bokeh", reason="the extra html is not installed")

from pytopo import html
from pytopo.html import cuts, page, points, regions, report, stops
from pytopo.plot.span import span_of

RING = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0.0]])

TRUTH = np.zeros((5, 5))
TRUTH[:3, :3] = 1
TRUTH[1, 1] = 0
LIKELIHOOD = TRUTH.copy()
LIKELIHOOD[0, 1], LIKELIHOOD[4, 4] = 0.7, 0.3


def explanation(likelihood=LIKELIHOOD, truth=TRUTH):
    prediction, target = (torch.from_numpy(image)[None, None] for image in (likelihood, truth))
    (why,) = pytopo.TopologicalLoss().explain(prediction, target)
    return why


def columns(image, diagram):
    """Return the columns of a diagram whose points all look alike."""
    alike = points.Points(
        diagram,
        [points.Kind("point", "#000000", "circle")],
        kind=np.zeros(len(diagram), int),
        always=np.zeros(len(diagram), bool),
    )
    return alike.columns(image, stops.stops_of(image.ravel()), span_of(image))


# ---- stops -------------------------------------------------------------------------------


def test_few_values_are_stops_themselves():
    few = stops.stops_of(np.float32([0.2, 0.1, 0.2]))
    assert few.labels == ["0.1", "0.2"]
    assert few.exact
    assert few.reached(np.float32([0.1, 0.15, 0.2, 0.3])).tolist() == [0, 1, 1, 2]


def test_a_falling_slider_reaches_high_values_first():
    falling = stops.stops_of(np.array([1.0, 2.0, 4.0]), falling=True)
    assert falling.labels == ["4.0", "2.0", "1.0"]
    assert falling.reached(np.array([4.0, 3.0, 2.0, 0.5])).tolist() == [0, 1, 1, 3]


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-3e-9, 7e-9), (1e6, 1e6 + 1), (-1e300, 1e300)]
)
def test_many_values_get_round_stops_around_them(low, high):
    values = np.random.default_rng(0).uniform(low / 2, high / 2, 5000) * 2
    many = stops.stops_of(values)
    assert 900 <= len(many.labels) <= 1001
    assert not many.exact
    assert many.values[0] <= values.min()
    assert many.values[-1] >= values.max()
    assert np.all(np.diff(many.values) > 0)
    assert [float(label) for label in many.labels] == many.values.tolist()


def test_long_numbers_are_no_stops():
    assert stops.stops_of(np.array([1 / 3, 2 / 3])).labels[:2] == ["0.3333", "0.3336"]


def test_one_value_and_infinite_ones_make_a_slider_too():
    assert stops.stops_of(np.array([3.0])).labels == ["3.0", "4.0"]
    assert stops.stops_of(np.array([np.inf])).labels == ["0.0", "inf"]
    assert stops.stops_of(np.array([-np.inf, 1 / 3])).labels[0] == "-inf"


# ---- points and numbers --------------------------------------------------------------------


@given(image=images(), construction=constructions, frame=frames)
@pytest.mark.parametrize("superlevel", [False, True])
def test_the_numbers_of_every_stop_are_those_of_the_diagram(
    superlevel, image, construction, frame
):
    d = pytopo.persistence(image, superlevel=superlevel, construction=construction, frame=frame)
    thresholds = stops.stops_of(image.ravel().astype(d.birth.dtype), falling=superlevel)
    counted = points.betti_numbers(d, thresholds)
    for threshold, numbers in zip(thresholds.values, counted.tolist()):
        assert tuple(numbers) == d.betti(threshold)


def test_points_come_most_persistent_first_and_know_their_pixels():
    image = np.array([[0, 3, 1], [2, 9, 4], [5, 2, 6.0]])
    d = pytopo.persistence(image)
    found = columns(image, d)
    assert found["birth"].tolist() == [0, 2, 6, 1]
    assert found["death"][1:].tolist() == [5, 9, 3]
    assert (found["birth_x"].tolist(), found["birth_y"].tolist()) == (
        [0, 1, 2, 2],
        [0, 2, 2, 0],
    )
    assert found["death_x"][1:].tolist() == [0, 1, 1]
    assert np.isnan(found["death_x"][0])
    assert found["text"][0] == "point: born 0 at (0, 0), never dies, persistence inf"
    assert found["text"][1] == "point: born 2 at (2, 1), dies 5 at (2, 0), persistence 3"


def test_what_happens_in_the_frame_has_no_pixel():
    image = np.array([[1.0, 5, 1]])
    d = pytopo.persistence(image, frame=0)
    found = columns(image, d)
    assert np.isnan(found["birth_x"][d.sorted().birth_pixel == -2]).all()
    assert "born 0 in the frame" in found["text"][0]


def test_points_of_a_volume_know_their_section():
    image = np.pad(np.full((1, 1, 1), 9.0), 1)
    found = columns(image, pytopo.persistence(image, dims=2))
    assert found["death_plane"].tolist() == [1]
    assert found["text"] == ["point: born 0 at (2, 2, 2), dies 9 at (1, 1, 1), persistence 9"]


def test_points_beyond_the_limit_are_counted_but_not_in_the_page(monkeypatch):
    monkeypatch.setattr(points, "MOST", 2)
    image = np.array([[0, 3, 1], [2, 9, 4], [5, 2, 6.0]])
    text = html.diagram_report(image, pytopo.persistence(image)).html
    assert (
        "2 of 4 points shown, none hidden (2 less persistent ones are not in this page)" in text
    )
    assert "Betti numbers at 2.0: 3 components, 0 holes" in text


def test_noise_is_hidden_at_first_and_counted_by_kind(monkeypatch):
    monkeypatch.setattr(cuts, "SHOWN_AT_FIRST", 1)
    image = np.array([[0, 3, 1], [2, 9, 4], [5, 2, 6.0]])
    text = html.diagram_report(image, pytopo.persistence(image)).html
    assert "3 of 4 points shown, 1 hidden: 1 component (dim 0)" in text
    slider = r'"title":"persistence at least"[^}]*?"value":"([^"]+)"'
    assert re.findall(slider, text) == ["3.0"]


# ---- the cut, and regions ------------------------------------------------------------------

# Two cells, of persistence 8 and 3.
CELLS = np.array([[1, 1, 1, 1, 1, 1], [1, 9, 8, 4, 7, 1], [1, 1, 1, 1, 1, 1.0]])
CELL = [[[(0.5, 0.5), (3.5, 0.5), (3.5, 1.5), (0.5, 1.5)]]]
OTHER_CELL = [[[(3.5, 0.5), (4.5, 0.5), (4.5, 1.5), (3.5, 1.5)]]]


def argument(text, name):
    """What a script of a page is given under a name."""
    plain = unescape(text)
    pair, _ = json.JSONDecoder().raw_decode(plain, plain.index(f'["{name}",'))
    return pair[1]


def polygons_of(section):
    """The polygons of the rows of a page, as (x, y)."""
    return {
        row: [[list(zip(*ring)) for ring in zip(*polygon)] for polygon in zip(xs, ys)]
        for row, xs, ys in zip(section["rows"], section["xs"], section["ys"])
    }


def cut_at(image, cut, **options):
    """The regions of an image whose points all look alike, and its cuts."""
    d = pytopo.persistence(image, **options)
    alike = points.Points(d, [], np.zeros(len(d), int), np.zeros(len(d), bool))
    made = cuts.cuts_of(alike, cut)
    return regions.regions_of(image, alike, made), made


def test_a_page_holds_the_outlines_of_the_regions_above_its_cut():
    d = pytopo.persistence(CELLS)
    assert d.sorted().points(1).tolist() == [[1, 9], [4, 7]]
    text = html.diagram_report(CELLS, d, cut=2.5).html
    (section,) = argument(text, "outlines")
    assert polygons_of(dict(section["entries"])) == {1: CELL, 2: OTHER_CELL}
    assert "Regions are those of 2 features of persistence 2.5 or more." in text
    slider = r'"title":"persistence at least"[^}]*?"value":"([^"]+)"'
    assert re.findall(slider, text) == ["2.5"]
    assert argument(text, "intercepts") == [0, 2.5, 3, 8]
    assert argument(text, "at_rest")["entries"][0][0] == "fill_alpha"


def test_a_greater_cut_makes_larger_regions_of_fewer_features():
    made, _ = cut_at(CELLS, 5)
    (section,) = made.sections
    assert polygons_of(section) == {1: [[[(0.5, 0.5), (4.5, 0.5), (4.5, 1.5), (0.5, 1.5)]]]}
    assert (made.least, made.number) == (5, 1)


@given(image=images(3).filter(lambda a: a.ndim > 1), construction=constructions, frame=frames)
@settings(max_examples=30)
@pytest.mark.parametrize("superlevel", [False, True])
def test_regions_are_those_of_the_points_of_their_rows(superlevel, image, construction, frame):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    made, _ = cut_at(image, 2, **options)
    expected = {}
    for dim in {0, image.ndim - 1}:
        labels, labelled = pytopo.regions(image, dim, min_persistence=made.least, **options)
        for section, flat in enumerate(labels.reshape(-1, *labels.shape[-2:])):
            for label, polygons in pytopo.features.outlines(flat).items():
                key = (dim, labelled.birth_pixel[label - 1], labelled.death_pixel[label - 1])
                if key[2] != -1:
                    expected[section, *key] = [ring[0].tolist() for ring, *_ in polygons]
    ordered, found = pytopo.persistence(image, **options).sorted(), {}
    for number, section in enumerate(made.sections):
        for row, xs, ys in zip(section["rows"], section["xs"], section["ys"]):
            key = (ordered.dim[row], ordered.birth_pixel[row], ordered.death_pixel[row])
            found[number, *key] = [[x[0][0] + 0.5, y[0][0] + 0.5] for x, y in zip(xs, ys)]
    assert found == expected
    assert made.number == len({key[1:] for key in expected})


def test_the_cut_is_a_stop_of_the_slider_and_the_first_one():
    for cut, first in ((0, 0), (3, 3), (4.5, 4.5), (100, 8)):
        _, made = cut_at(CELLS, cut)
        assert made.least == first
        assert set(made.levels.values) == {0, 3, 8, first}
        assert made.shown.tolist() == [
            1 + sum(p >= level for p in (3, 8)) for level in made.levels.values
        ]


def test_a_cut_with_too_many_points_above_it_is_raised(monkeypatch):
    monkeypatch.setattr(cuts, "SHOWN_AT_FIRST", 2)
    assert cut_at(CELLS, 1)[0].least == 8


def test_outlines_beyond_the_limit_are_counted_but_not_in_the_page(monkeypatch):
    monkeypatch.setattr(regions, "MOST_CORNERS", 7)
    made, _ = cut_at(CELLS, 3)
    assert [polygons_of(section) for section in made.sections] == [{1: CELL}]
    assert (made.number, made.left_out) == (1, 1)
    assert page._about(made).endswith(
        "those of 1 feature of persistence 3 or more; the page has no room for 1 other."
    )


def test_each_section_of_a_volume_has_the_regions_that_it_cuts():
    volume = np.zeros((4, 3, 3))
    volume[1:3, 1, 1] = 9
    first, *inner, last = (polygons_of(section) for section in cut_at(volume, 0)[0].sections)
    assert (first, last) == ({}, {})
    assert inner == [{1: [[[(0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5)]]]}] * 2


def test_an_image_of_one_axis_has_no_regions():
    assert cut_at(np.array([0, 4, 2, 3, 1, 5.0]), 0)[0] is None


def test_a_cut_is_a_number_of_at_least_0():
    d = pytopo.persistence(CELLS)
    with pytest.raises(ValueError, match="cut is -1"):
        html.diagram_report(CELLS, d, cut=-1)
    with pytest.raises(TypeError, match="cut is '3'"):
        html.diagram_report(CELLS, d, cut="3")


def test_a_view_is_the_first_that_the_image_shows():
    def active(view):
        text = html.diagram_report(RING, pytopo.persistence(RING), view=view).html
        return re.search(r'"labels":\["regions","threshold"\],"active":(\d)', text)[1]

    assert (active("regions"), active("threshold")) == ("0", "1")
    with pytest.raises(ValueError, match="view is 'both'; expected 'regions' or 'threshold'"):
        html.diagram_report(RING, pytopo.persistence(RING), view="both")


def test_the_image_of_another_diagram_is_refused():
    with pytest.raises(ValueError, match="the diagram is not of this image: row 0"):
        html.diagram_report(CELLS + 1, pytopo.persistence(CELLS))


# ---- the loss ----------------------------------------------------------------------------


def test_a_loss_says_what_is_to_fix_and_what_to_remove():
    why = explanation()
    d = why.prediction
    roles = report._roles(why)
    assert d.dim[roles == report.TO_FIX].tolist() == [1]
    assert d.birth[roles == report.TO_REMOVE].tolist() == [0.3]
    goal, width = report._goals(why)
    assert goal[roles == report.TO_FIX].tolist() == [[1, 0]]
    assert np.allclose(goal[roles == report.TO_REMOVE], [[0.15, 0.15]])
    assert width[roles == report.TO_FIX] > width[roles == report.TO_REMOVE]
    (fix,) = [text for text in report._remarks(why) if "1 to 0" in text]
    assert fix == "; expected: 1 to 0, costs 0.09"
    assert "; expected: none, costs 0.045" in report._remarks(why)


def test_a_report_of_a_loss_counts_each_kind():
    text = html.loss_report(LIKELIHOOD, explanation()).html
    for words in ("1 hole to fix", "1 component to remove", "1 component in place"):
        assert words in text
    assert "2 points of the ground truth" in text
    (section,) = argument(text, "outlines")
    found = polygons_of(dict(section["entries"]))  # the hole, and the component to remove
    assert [corners[0] for ((corners,),) in found.values()] == [(3.5, 3.5), (0.5, 0.5)]
    assert "0 components" not in text.split("</ul>")[0].split("<ul>")[1]


def test_a_point_of_the_ground_truth_without_a_match_is_counted():
    text = html.loss_report(np.zeros((5, 5)), explanation(np.zeros((5, 5)))).html
    assert "2 points of the ground truth, 1 without a match" in text


# ---- the page ----------------------------------------------------------------------------


def test_a_page_loads_nothing():
    text = html.diagram_report(RING, pytopo.persistence(RING)).html
    loaded = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attributes):
            loaded.extend(name for name, _ in attributes if name in ("src", "href", "srcset"))

    Tags().feed(text)
    assert loaded == []
    assert "@import" not in text


def test_what_looks_like_html_is_shown_as_it_is():
    hostile = "</title><script>alert(1)</script>$$x$$"
    text = html.diagram_report(RING, pytopo.persistence(RING), title=hostile, note=hostile).html
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3  # title, heading, note
    assert len(text) < 2_000_000  # without the 1.8 MB that would set the formula


def test_a_notebook_gets_the_page_in_a_frame():
    made = html.Report('a "title"', "<p>&amp;</p>")
    assert repr(made) == '<Report: a "title">'
    assert 'title="a &quot;title&quot;"' in made._repr_html_()
    assert 'srcdoc="&lt;p&gt;&amp;amp;&lt;/p&gt;"' in made._repr_html_()


def test_a_page_is_saved_whole(tmp_path):
    made = html.diagram_report(RING, pytopo.persistence(RING))
    made.save(tmp_path / "ring.html")
    assert (tmp_path / "ring.html").read_text(encoding="utf-8") == made.html
    assert [path.name for path in tmp_path.iterdir()] == ["ring.html"]


def test_an_image_of_another_shape_is_refused():
    d = pytopo.persistence(RING)
    with pytest.raises(ValueError, match=r"image has shape \(9,\); expected \(3, 3\), that of"):
        html.diagram_report(RING.ravel(), d)
    with pytest.raises(ValueError, match=r"likelihood has shape \(3, 3\); expected \(5, 5\)"):
        html.loss_report(RING, explanation())


def test_an_image_with_a_nan_is_refused():
    broken = RING.copy()
    broken[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"image\[1, 2\] is NaN"):
        html.diagram_report(broken, pytopo.persistence(RING))


def test_an_image_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(page, "MOST_PIXELS", 8)
    with pytest.raises(page.TooLarge, match="image of 9 pixels; a page holds 8"):
        html.diagram_report(RING, pytopo.persistence(RING))


@pytest.mark.parametrize(
    "image",
    [np.array([5.0]), np.array([[3]]), np.full((2, 2), np.inf), np.zeros((2, 2, 2), bool),
     np.array([[0, np.inf], [-np.inf, 1]]), np.zeros((1, 40), np.uint8)],
    ids=["one", "single", "infinite", "constant volume", "both infinities", "ribbon"],
)  # fmt: skip
def test_odd_images_have_a_page(image):
    assert "Betti numbers at" in html.diagram_report(image, pytopo.persistence(image)).html


def test_a_diagram_without_points_has_a_page():
    text = html.diagram_report(RING, pytopo.persistence(RING, dims=1, min_persistence=99)).html
    assert "0 of 0 points shown" in text


def test_an_integer_image_may_have_a_frame_beyond_its_dtype():
    image = np.array([[0, 255], [255, 0]], np.uint8)
    d = pytopo.persistence(image, superlevel=True, frame=300)
    text = html.diagram_report(image, d).html
    assert d.betti(300) == (1, 1)
    assert "Betti numbers at 300.0: 1 component, 1 hole" in text


# ---- the commands ------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current folder with an image, a likelihood and its truth."""
    monkeypatch.chdir(tmp_path)
    np.save("ring.npy", RING)
    np.save("likelihood.npy", LIKELIHOOD)
    np.save("truth.npy", TRUTH)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_diagram_writes_a_page(folder, capsys):
    assert main(["diagram", "ring.npy", "--no-plot", "--html", "ring.html"]) == 0
    text = (folder / "ring.html").read_text(encoding="utf-8")
    assert "<h1>ring.npy</h1>" in text
    assert "3 x 3 pixels, sublevel, construction V" in text
    assert "Betti numbers at 0.0: 1 component, 1 hole" in text
    assert "wrote ring.html" in capsys.readouterr().err


def test_loss_writes_a_page(folder):
    argv = ["loss", "likelihood.npy", "truth.npy", "--no-plot", "--html", "why.htm"]
    assert main(argv) == 0
    text = (folder / "why.htm").read_text(encoding="utf-8")
    assert "<h1>likelihood.npy against truth.npy</h1>" in text
    assert "5 x 5 pixels, loss 0.135: superlevel, construction V" in text


def test_a_hostile_file_name_does_nothing(folder):
    name = "<script>alert(1)<script>.npy"
    np.save(name, RING)
    assert main(["diagram", name, "--no-plot", "--html", "ring.html"]) == 0
    text = (folder / "ring.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<h1>&lt;script&gt;alert(1)&lt;script&gt;.npy</h1>" in text


@pytest.mark.parametrize(
    "argv",
    [["diagram", "ring.npy"], ["loss", "likelihood.npy", "truth.npy"]],
    ids=lambda a: a[0],
)
def test_without_bokeh_the_command_says_what_to_install(folder, capsys, monkeypatch, argv):
    monkeypatch.setattr("pytopo.cli.html.find_spec", lambda name: None)
    before = names(folder)
    assert main([*argv, "--html", "out.html"]) == 1
    line = "--html requires the extra html: pip install 'pytopo-toolkit[html]'"
    assert capsys.readouterr().err == f"pytopo {argv[0]}: {line}\n"
    assert names(folder) == before


def test_a_page_has_an_ending_of_its_own(folder, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["diagram", "ring.npy", "--html", "ring.npy"])
    assert stopped.value.code == 2
    assert "'ring.npy' names no page; expected an ending .html" in capsys.readouterr().err


def test_a_page_goes_over_no_other_file(folder, capsys):
    np.save("image.html", RING)
    (folder / "image.html.npy").rename("image.html")
    with pytest.raises(SystemExit) as stopped:
        main(["diagram", "image.html", "--html", "image.html"])
    assert stopped.value.code == 2
    assert "image.html would overwrite IMAGE" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_found_before_the_work(folder, capsys):
    assert main(["diagram", "ring.npy", "--no-plot", "--html", "nowhere/a.html"]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_a_command_refuses_an_image_that_no_page_holds(folder, capsys, monkeypatch):
    monkeypatch.setattr(page, "MOST_PIXELS", 8)
    before = names(folder)
    assert main(["diagram", "ring.npy", "--no-plot", "--html", "ring.html"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "pytopo diagram: ring.npy: image of 9 pixels; a page holds 8, so take a part, like "
        "IMAGE[0] or IMAGE[:512, :512]"
    )
    assert names(folder) == before


def test_a_report_does_not_change_what_it_is_of():
    image, d = RING.copy(), pytopo.persistence(RING)
    kept = replace(d, birth=d.birth.copy(), death=d.death.copy())
    html.diagram_report(image, d)
    assert np.array_equal(image, RING)
    assert d == kept
