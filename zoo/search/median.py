"""The median stopping rule (Golovin et al. 2017, section 3.2.2): a trial that is worse than most were is given up."""

import statistics

# So many other trials must have come as far, and this share of the epochs must be done: early values mislead most.
OTHERS = 5
SHARE = 1 / 3


def hopeless(scores, others, epochs, direction):
    """Whether a trial is not worth going on with.

    It is when the best it has had is worse than the median of the means that the others had by then.

    Args:
        scores: the objective after each epoch of the trial.
        others: a list of such lists, of the other trials.
        epochs: the epochs of a whole run.
        direction: `"max"` or `"min"`.

    Example:
        >>> hopeless([0.1, 0.2], [[0.5, 0.6]] * 5, epochs=6, direction="max")
        True
        >>> hopeless([0.1, 0.2], [[0.5, 0.6]] * 4, epochs=6, direction="max")
        False
    """
    done = len(scores)
    if not done or done < SHARE * epochs:
        return False
    means = [statistics.fmean(other[:done]) for other in others if len(other) >= done]
    if len(means) < OTHERS:
        return False
    if direction == "max":
        return max(scores) < statistics.median(means)
    return min(scores) > statistics.median(means)
