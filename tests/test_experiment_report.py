"""The report of an experiment: tables, figures, and differences with their tests."""

import json

import numpy as np
import pytest
from scipy.stats import permutation_test

from pytopo.training.charts import weight_curves
from pytopo.training.comparison import DRAWN, compared, effects
from pytopo.training.decision import DECISIONS
from pytopo.training.families import families
from pytopo.training.methods import experiment_of
from pytopo.training.report import report_text, write_report

MEASURES = (
    "pixel_accuracy", "dice", "cldice", "betti_0", "betti_1", "patch_betti_0", "patch_betti_1",
    "patch_betti", "voi_split", "voi_merge", "adapted_rand", "matching_0", "matching_1",
    "matching",
)  # fmt: skip


def experiment(seeds, methods):
    return experiment_of({"seeds": list(range(seeds)), "methods": methods})


def fabricated(values, cldice=True):
    """Results of methods in which each measure is 0 but "matching": a list of images a seed."""
    epoch = {"epoch": 0, "loss": 1.0, "pixel_accuracy": 0.5, "betti_error": 1.0, "voi": 1.0}

    def run(seed, matching):
        images = {
            name: [0.0] * len(matching) for name in MEASURES if cldice or name != "cldice"
        }
        images["matching"] = matching
        test = {name: float(np.mean(some)) for name, some in images.items()}
        judged = {"decision": {}, "test": test, "images": images}
        rows = [{**epoch, "loss": 1.0 + seed}]
        return {"epochs": rows, "evaluation": dict.fromkeys(DECISIONS, judged)}

    return {
        method: {str(seed): run(seed, images) for seed, images in enumerate(of_seeds)}
        for method, of_seeds in values.items()
    }


# ---- tests of signs --------------------------------------------------------------------------


def test_all_patterns_of_few_signs_are_counted():
    one, other, both = effects([[-1, 3, 0], [-2, -1, 0], [-3, 2, 0], [-1, 4, 0], [-9, 2, 0]])
    assert (one.number, one.fell, one.rose, one.p) == (5, 5, 0, 2 / 2**5)
    assert (other.fell, other.rose) == (1, 4)
    assert other.p == 4 / 2**5  # +-12, the largest sum, and +-10, twice each
    assert (both.mean, both.deviation, both.p) == (0, 0, 1)


def test_one_difference_says_nothing():
    (effect,) = effects([[0.3]])
    assert effect == (1, 0.3, 0.0, 0, 1, 1.0)


@pytest.mark.parametrize("number", [4, 7])
def test_p_values_are_those_of_scipy(number):
    columns = np.random.default_rng(number).normal(0.4, size=(number, 3))
    expected = permutation_test(
        (columns,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True,
        axis=0,
    )  # fmt: skip
    np.testing.assert_allclose([effect.p for effect in effects(columns)], expected.pvalue)


def test_patterns_of_many_signs_are_drawn():
    differences = np.full((50, 2), -1.0)
    differences[:25, 1] = 1
    strong, none = effects(differences)
    assert strong.p == 1 / (DRAWN + 1)
    assert none.p == 1


def test_effects_are_by_seed_and_by_image():
    two = experiment(2, {"a": {}, "b": {"against": "a"}})
    runs = fabricated({"a": [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]],
                       "b": [[0.0, 2.0, 1.0], [1.0, 2.0, 6.0]]})  # fmt: skip
    (pair,) = {
        p for p in compared(two, runs) if (p.decision, p.measure) == ("plain", "matching")
    }
    assert (pair.method, pair.against) == ("b", "a")
    # by seed -1 and +1, by image -0.5, 0 and +0.5
    assert pair.seeds == (2, 0.0, np.sqrt(2), 1, 1, 1.0)
    assert pair.images == (3, 0.0, 0.5, 1, 1, 1.0)


# ---- tables ----------------------------------------------------------------------------------


def report(described, values, times=None, **options):
    runs = fabricated(values, **options)
    return report_text(described, runs, compared(described, runs), times or {})


def test_spread_is_that_of_seeds_and_differences_are_paired():
    two = experiment(2, {"without": {}, "with": {"against": "without"}})
    text = report(two, {"without": [[1.0], [3.0]], "with": [[0.5], [1.5]]})
    rows = text.splitlines()
    assert rows.count("| without" + " | 2.000 ± 1.414" * 7 + " |") == 1
    # differences -0.5 and -1.5: mean -1, deviation sqrt(1/2); by image one of -1
    assert (
        "| size by betti | -1.000 ± 0.707 | 2 / 0 | 0.5000 | -1.000 | 1 / 0 | 1.0000 "
        "| +0.0000 ± 0.0000 |"
    ) in rows
    assert "With 2 seeds the least p-value by seed is 0.5" in text.replace("\n", " ")


def test_a_method_is_compared_with_several():
    methods = {"bce": {}, "cldice": {"against": "bce"}, "place": {"against": ["bce", "cldice"]}}
    values = {"bce": [[4.0]], "cldice": [[3.0]], "place": [[1.0]]}
    text = report(experiment(1, methods), values)
    titles = [line for line in text.splitlines() if line.endswith(": Betti matching error")]
    assert titles == [
        "### cldice - bce: Betti matching error",
        "### place - bce: Betti matching error",
        "### place - cldice: Betti matching error",
    ]
    assert "| plain | -2.000 | 1 / 0 | 1.0000 |" in text[text.index(titles[2]) :]
    assert "| place - cldice | +0.0000 (0 / 0) |" in text


def test_each_method_has_a_table_of_epochs():
    text = report(experiment(2, {"a": {"title": "A title"}}), {"a": [[1.0], [1.0]]})
    head = "| Epoch | Loss | Pixel Accuracy | Betti Error | VOI |"
    assert f"### 1. A title\n\n{head}\n|---|---|---|---|---|\n| 0 | 1.500000 | 0.5000 |" in text


def test_what_not_all_runs_have_is_left_out_and_said():
    one = experiment(1, {"a": {}})
    assert "| accuracy | Dice | clDice | VOI split |" in report(one, {"a": [[1.0]]})
    text = report(one, {"a": [[1.0]]}, cldice=False)
    assert "| accuracy | Dice | VOI split |" in text
    assert "Without clDice: it takes scikit-image" in text


def test_the_time_of_a_step_is_a_multiple_of_that_of_others():
    methods = {"bce": {}, "place": {"against": ["bce", "new"]}, "new": {"against": "bce"}}
    seconds = {"bce": 0.02, "place": 0.025}  # "new" was added since
    on_cpus = {"bce": 0.03, "place": 0.033}
    times = {
        "seconds": seconds,
        "cpu_seconds": on_cpus,
        "batches": 7,
        "rounds": 5,
        "device": "cpu",
    }
    values = {name: [[1.0]] for name in methods}
    text = report(experiment(1, methods), values, times)
    assert "| bce | 20.0 |  | 30.0 |  |\n" in text
    assert "| place | 25.0 | 1.250 x bce | 33.0 | 1.100 x bce |\n\n" in text
    assert "on 7 batches on cpu" in text
    assert "Not measured; `pytopo experiment --time-steps 10`" in report(
        experiment(1, methods), values
    )


# ---- curves over the weight ------------------------------------------------------------------


def weighted(**losses):
    return {name: {"loss": {"warmup": 0, **loss}} for name, loss in losses.items()}


WEIGHTED = weighted(
    bce={"topo_weight": 0.0, "warmup": 5},
    dice={"topo_weight": 0.0, "others": [{"loss": "dice"}]},
    cost_strong={"topo_weight": 0.3},
    cost={"topo_weight": 0.1},
    place={"topo_weight": 0.1, "matching": "betti"},
    place_strong={"topo_weight": 1.0, "matching": "betti"},
    holes={"topo_weight": 0.1, "dims": [1]},
)


def test_methods_that_differ_in_the_weight_are_a_family():
    by_cost, by_place = families(experiment(1, WEIGHTED).methods)
    named = [{w: m.name for w, m in family.methods.items()} for family in (by_cost, by_place)]
    assert named[0] == {0.0: "bce", 0.1: "cost", 0.3: "cost_strong"}
    assert named[1] == {0.0: "bce", 0.1: "place", 1.0: "place_strong"}
    assert (by_cost.name, by_place.name) == ("by cost", "by place")


def test_families_are_named_after_what_else_differs():
    holes = weighted(holes_strong={"topo_weight": 0.3, "dims": [1]})
    found = families(experiment(1, WEIGHTED | holes).methods)
    assert [family.name for family in found] == [
        "by cost, dims = [0, 1]", "by place, dims = [0, 1]", "by cost, dims = [1]",
    ]  # fmt: skip


def test_curves_go_through_the_mean_of_each_weight():
    two = experiment(2, WEIGHTED)
    values = {name: [[float(k)], [k + 2.0]] for k, name in enumerate(WEIGHTED)}
    figure = weight_curves(families(two.methods), fabricated(values))
    by_cost = next(
        line for line in figure.axes[0].lines if line.get_label() == "topological, by cost"
    )
    assert by_cost.get_xdata().tolist() == [0, 1, 2]  # of 0, 0.1, 0.3, 1
    assert by_cost.get_ydata().tolist() == [1.0, 4.0, 3.0]


# ---- files -----------------------------------------------------------------------------------


def test_a_report_leaves_tables_figures_and_all_numbers(tmp_path):
    methods = weighted(
        weak={"topo_weight": 0.1}, strong={"topo_weight": 0.3}, none={"topo_weight": 0.0}
    )
    methods["strong"]["against"] = "none"
    two = experiment(2, methods)
    runs = fabricated(
        {"none": [[1.0], [3.0]], "weak": [[1.0], [1.0]], "strong": [[0.5], [1.5]]}
    )
    times = {"seconds": {}, "cpu_seconds": {}, "batches": 1, "rounds": 5, "device": "cpu"}
    text = write_report(tmp_path, two, runs, times)
    assert (tmp_path / "tables.md").read_text() == text
    pictures = {path.name for path in tmp_path.glob("*.png") if path.stat().st_size > 0}
    assert pictures == {"epochs.png", "accuracy-betti.png", "weights.png"}
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["runs"] == runs
    assert found["steps"] == times
    (effect,) = (
        pair["seeds"] for pair in found["paired"]
        if (pair["decision"], pair["measure"]) == ("plain", "matching")
    )  # fmt: skip
    assert (effect["mean"], effect["fell"], effect["p"]) == (-1.0, 2, 0.5)
