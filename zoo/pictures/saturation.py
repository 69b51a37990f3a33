"""Squared error against cross-entropy on a saturated softmax: where each loss can still learn.

The derivative of a softmax p with respect to its logits is J = diag(p) - p p', which vanishes where one class has all
the probability, right or wrong. The gradient of the squared error carries J, that of the cross-entropy does not:
Bridle 1990, Probabilistic interpretation of feedforward classification network outputs; Goodfellow, Bengio, Courville
2016, Deep Learning, section 6.2.2.
"""

import numpy as np

from zoo.report import panels, softmax

START = -6.0
RATE = 0.5
STEPS = 200


def squared_error(logits, target):
    """The squared error of a softmax, summed over the classes, and its gradient with respect to the logits.

    Args:
        logits: (..., classes) array.
        target: the probabilities that are right: (classes,) array.

    Returns:
        The loss (...), and its gradient `2 J (p - y)`, of the logits' shape.

    Example:
        >>> loss, gradient = squared_error(np.array([-20.0, 0.0]), np.array([1.0, 0.0]))
        >>> round(float(loss), 6), bool(abs(gradient).max() < 1e-8)
        (2.0, True)
    """
    p = softmax(logits)
    error = p - target
    # J times a vector v, without the matrix: p * v - p (p . v).
    return (error**2).sum(-1), 2 * p * (error - (p * error).sum(-1, keepdims=True))


def cross_entropy(logits, target):
    """The cross-entropy of a softmax, and its gradient with respect to the logits.

    Args:
        logits: (..., classes) array.
        target: the probabilities that are right: (classes,) array.

    Returns:
        The loss (...), and its gradient `p - y`, of the logits' shape.

    Example:
        >>> loss, gradient = cross_entropy(np.array([-20.0, 0.0]), np.array([1.0, 0.0]))
        >>> round(float(loss), 6), gradient.round(6).tolist()
        (20.0, [-1.0, 1.0])
    """
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return -(target * log_p).sum(-1), np.exp(log_p) - target


LOSSES = {"squared error": squared_error, "cross-entropy": cross_entropy}


def learn(loss, start=START, rate=RATE, steps=STEPS):
    """Gradient descent on the two logits of a softmax that is certain of the wrong class.

    Args:
        loss: `squared_error` or `cross_entropy`.
        start: the logit of the right class less that of the wrong one.
        rate: the learning rate.
        steps: number of steps.

    Returns:
        The probability of the right class before each step and after the last: `steps + 1` numbers.

    Example:
        >>> bool(learn(cross_entropy)[20] > 0.9 > 0.1 > learn(squared_error)[20])
        True
    """
    logits, target = np.array([start / 2, -start / 2]), np.array([1.0, 0.0])
    probabilities = []
    for _ in range(steps + 1):
        probabilities.append(softmax(logits)[0])
        logits = logits - rate * loss(logits, target)[1]
    return np.array(probabilities)


def page():
    """Draws both losses, their gradients, and what these do to a softmax that starts out wrong and certain.

    Returns:
        A matplotlib figure of three panels.

    Example:
        >>> len(page().axes)
        3
    """
    figure, (values, gradients, learning) = panels(3, 1, 4.4, 3.8)
    z = np.linspace(-8, 8, 321)
    logits = np.stack([z, np.zeros_like(z)], -1)
    start = np.array([START, 0.0])
    target = np.array([1.0, 0.0])
    for name, loss in LOSSES.items():
        (line,) = values.plot(z, loss(logits, target)[0], label=name)
        gradients.plot(z, loss(logits, target)[1][:, 0], label=name)
        learning.plot(learn(loss), label=name)
        height, slope = loss(start, target)
        values.plot(START, height, "o", color=line.get_color())
        gradients.plot(START, slope[0], "o", color=line.get_color(), label=f"{slope[0]:.3f} at the dot")
    values.set(xlabel="logit $z$ of the right class (the other is 0)", ylabel="loss", title="The loss")
    gradients.set(xlabel="logit $z$ of the right class (the other is 0)", ylabel="derivative of the loss by $z$")
    gradients.set_title("Its gradient: what can be learned from")
    learning.set(xlabel=f"step of gradient descent at rate {RATE}", ylabel="probability of the right class")
    learning.set_title(f"Learning from the dot, $z = {START:g}$")
    for axis in (values, gradients, learning):
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle("Squared error and cross-entropy on the softmax of two classes, $p = 1 / (1 + e^{-z})$")
    return figure
