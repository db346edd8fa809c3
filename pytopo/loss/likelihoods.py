"""From what a network returns to the likelihoods that diagrams are computed of."""

from torch import Tensor

from pytopo.loss.inputs import at_least_float, check_images, check_likelihoods, check_logits


def likelihoods(prediction: Tensor, sigmoid: bool, softmax: bool) -> Tensor:
    """Return likelihoods, or those of logits, checked.

    Raises
    ------
    TypeError, ValueError
        If the prediction is no batch of images; if likelihoods leave [0, 1], or logits are not
        finite; if a softmax is to be taken of one channel.

    Warns
    -----
    InputWarning
        If logits look like likelihoods, or like an image of 0 to 255.
    """
    check_images(prediction, "prediction")
    if softmax and prediction.shape[1] == 1:
        raise ValueError(
            "prediction has 1 channel, whose softmax is 1 everywhere; expected several, or "
            "a sigmoid in place of the softmax"
        )
    if not (sigmoid or softmax):
        check_likelihoods(prediction)
        return prediction
    check_logits(prediction, softmax)
    logits = at_least_float(prediction)
    return logits.sigmoid() if sigmoid else logits.softmax(dim=1)


def without_background(images: Tensor) -> Tensor:
    """Return all channels but the first.

    Raises
    ------
    ValueError
        If there is no other.
    """
    if images.shape[1] < 2:
        raise ValueError(
            "include_background=False leaves nothing of 1 channel; expected several, or True"
        )
    return images[:, 1:]
