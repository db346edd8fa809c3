"""What is measured of images with a decision, each image by itself.

    likelihood -> decision -> mask -> all metrics -> a list for each, a number an image

So methods can be compared image by image.
"""

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec

from pytopo.data.ignored import IGNORED
from pytopo.metrics import cldice
from pytopo.metrics.decision import Decision
from pytopo.metrics.evaluation import evaluate
from pytopo.threads import number_of_threads, on_threads
from pytopo.training.config import RunConfig
from pytopo.training.decision import Predicted, section_scores

ByImage = dict[str, list[float]]  # of a measure, the number of each image


def measured_images(
    sections: Sequence[Predicted], decision: Decision, config: RunConfig
) -> ByImage:
    """Return each measure of each section with a decision; on all cores.

    Returns
    -------
    dict of str to list of float
        The numbers of `pytopo.metrics.evaluation.Evaluation`; ``matching_0``, ``matching_1``
        and ``matching``, the Betti matching errors of patches that tile a section; and, where
        scikit-image is installed, ``cldice``.
    """
    rows = on_threads(
        partial(_image_measures, decision=decision, config=config),
        sections,
        min(number_of_threads(None), len(sections)),
    )
    return {name: [row[name] for row in rows] for name in rows[0]}


def _image_measures(
    section: Predicted, decision: Decision, config: RunConfig
) -> dict[str, float]:
    """Return all measures of a section."""
    construction = config.loss.construction
    mask = decision.mask(section.likelihood, construction)
    found = evaluate(
        mask,
        section.truth,
        patch=config.training.size,
        construction=construction,
        ignore_index=IGNORED,
    ).row()
    (score,) = section_scores(section, [decision], config)
    found |= {f"matching_{dim}": float(error) for dim, error in enumerate(score.matching)}
    found["matching"] = float(score.matching.sum())
    if has_skeletons():
        found["cldice"] = cldice(mask, section.truth, ignore_index=IGNORED)
    return found


def has_skeletons() -> bool:
    """Return whether clDice can be computed: it takes the skeletons of scikit-image."""
    return find_spec("skimage") is not None
