"""Pictures of over-fitting and what helps: errors in training and in the test, and what a committee gains."""

import itertools

import numpy as np

from zoo.report import panels


def errors(found):
    """Draws error rates in training and in the test, side by side for each method.

    Args:
        found: a list of triples: a method's name, and its error rates in training and in the test: two lists of one
            number (0 to 1) for each seed.

    Returns:
        A matplotlib figure: means as points, with a standard deviation either side where there are several seeds, and
        a thin line for each seed.

    Example:
        >>> figure = errors([("none", [0.0, 0.0], [0.14, 0.12]), ("dropout", [0.0, 0.01], [0.1, 0.11])])
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['none', 'dropout']
    """
    figure, (axis,) = panels(1, 1, 7.5, 0.42 * len(found) + 1.2)
    places = np.arange(len(found))
    for column, name, colour, mark in ((1, "training", "C0", "o"), (2, "test", "C3", "s")):
        values = [100 * np.asarray(each[column]) for each in found]
        heights = places + 0.12 * (2 * column - 3)
        axis.errorbar(
            [each.mean() for each in values],
            heights,
            xerr=[_deviation(each) for each in values],
            fmt=mark,
            color=colour,
            capsize=3,
            label=f"{name} (n={max(map(len, values))})",
        )
        # What a seed means is the same for all methods: its line tells more than the spread over seeds.
        for seed in itertools.zip_longest(*values, fillvalue=np.nan):
            axis.plot(seed, heights, color=colour, alpha=0.3, linewidth=0.8)
    axis.set_yticks(places, [name for name, *_ in found])
    axis.invert_yaxis()
    axis.set_xlim(left=-0.5)
    axis.set_ylabel("method")
    axis.set_xlabel("wrong images, %: mean and standard deviation; thin lines: the same seed")
    axis.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def table(found):
    """The same as a Markdown table, in percent of the images.

    Args:
        found: as for `errors`.

    Returns:
        A string.

    Example:
        >>> print(table([("none", [0.0, 0.0], [0.14, 0.12])]))
        | method | n | training error, % | test error, % |
        | --- | --- | --- | --- |
        | none | 2 | 0.00 ± 0.00 | 13.00 ± 1.41 |
    """
    lines = ["| method | n | training error, % | test error, % |", "| --- | --- | --- | --- |"]
    for name, *parts in found:
        cells = [f"{100 * np.mean(part):.2f} ± {100 * _deviation(part):.2f}" for part in parts]
        lines.append("| " + " | ".join([name, str(len(parts[0])), *cells]) + " |")
    return "\n".join(lines)


def expected(v, c, k):
    """The expected squared error of the mean of k models (Goodfellow, Bengio, Courville 2016, section 7.11).

    Args:
        v: mean square of a model's error.
        c: mean product of two models' errors, `c <= v`.
        k: number of models, or an array of them.

    Returns:
        `v / k + (k - 1) c / k`: v for a single model, c for very many.

    Example:
        >>> expected(0.4, 0.1, 3)
        0.2
    """
    return v / k + (k - 1) * c / k


def moments(wrong):
    """What the formula is about, from the errors of several models on the same examples.

    Args:
        wrong: array (models, examples, outputs), at least two models: outputs less targets.

    Returns:
        `(v, c)`: the squared length of an example's error, on average over models, and the product of two different
        models' errors, on average over pairs.

    Example:
        >>> v, c = moments(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))
        >>> float(v), float(c)
        (1.0, 0.0)
    """
    products = np.einsum("ien,jen->ij", wrong, wrong) / wrong.shape[1]
    members = len(wrong)
    v = np.trace(products) / members
    return v, (products.sum() - members * v) / (members * (members - 1))


def committees(probabilities, labels):
    """How wrong the mean of the first k models is, for each k.

    Args:
        probabilities: array (models, examples, classes).
        labels: integer array (examples,).

    Returns:
        Two arrays (models,): the squared error (between 0 and 2) and the share of wrong answers, and the `(v, c)` of
        `moments`.
    """
    targets = np.eye(probabilities.shape[-1])[labels]
    counts = np.arange(1, len(probabilities) + 1)
    means = np.cumsum(probabilities, axis=0) / counts[:, None, None]
    squared = np.square(means - targets).sum(-1).mean(-1)
    return squared, (means.argmax(-1) != labels).mean(-1), moments(probabilities - targets)


def bagging(found):
    """Draws the error of the mean of k models against k, and the formula's curve beside it.

    Args:
        found: a list of what `committees` returned for runs with equally many models.

    Returns:
        A matplotlib figure.
    """
    squared, wrong = (np.array([each[index] for each in found]) for index in (0, 1))
    v, c = np.mean([each[2] for each in found], axis=0)
    k = np.arange(1, squared.shape[1] + 1)
    figure, (left, right) = panels(2, 1, 5.2, 3.9)
    left.plot(k, expected(v, c, k), color="C0", label=rf"$v/k + (k-1)c/k$, $v={v:.3f}$, $c={c:.3f}$")
    left.plot(k, v / k, ":", color="gray", label="$v/k$: if errors were independent")
    left.axhline(c, linestyle="--", color="gray", linewidth=1, label="$c$: the mean of very many")
    left.set_ylabel("squared error of the mean probabilities")
    left.set_title("Squared error: measured, and the formula")
    right.set_ylabel("wrong test images, %")
    right.set_title("Error rate")
    measured = f"measured, the first k (n={len(found)})"
    for axis, values, colour in ((left, squared, "C3"), (right, 100 * wrong, "C3")):
        spread = [_deviation(column) for column in values.T]
        axis.errorbar(k, values.mean(0), yerr=spread, fmt="s", color=colour, capsize=3, label=measured)
        axis.set_xlabel("members k")
        axis.set_ylim(bottom=0)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle("Bagging on the test images: mean and standard deviation over seeds")
    return figure


def _deviation(values):
    return np.std(values, ddof=1) if len(values) > 1 else 0.0
