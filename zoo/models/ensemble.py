"""Ensembles: the mean of the probabilities of several models.

Breiman 1996, Bagging predictors, Machine Learning 24(2).
"""

import keras

from zoo.errors import ZooError, require
from zoo.layers import LogMeanProbability
from zoo.registry import build, register


@register
def ensemble(members=("lenet",) * 5, arguments=None, member_outputs=False):
    """Averages the probabilities of any list of zoo models (Breiman 1996, section 6.1).

        pixels -> member_0 -> logits -> probabilities \\
               -> member_1 -> logits -> probabilities  > mean -> logarithm = logits
               -> ...                                 /

    Bagging trains each member on its own bootstrap resample. With `member_outputs=True` one `fit` does so, for all of
    them at once: compile a loss for each `"member_0"`, `"member_1"`, ..., and let the data give a dict of labels and a
    dict of sample weights, each with all the keys of the output: the same labels everywhere, and as a member's weights
    how often its resample holds each example (ones for `"logits"`). A loss on the mean alone trains badly: a member
    that is wrong gets almost no gradient once another is right.

    Args:
        members: a list of names of classification models, of trained `keras.Model`s, or of both. A name may stand in it
            several times: each gets weights of its own. Models are copied with their weights and stay as they are.
        arguments: dict of arguments for all members given by name, or a list of one dict for each member.
        member_outputs: whether the output is a dict of `"logits"` and the members' own logits, `"member_0"`,
            `"member_1"` and so on.

    Returns:
        A `keras.Model` from the members' input to the logarithm of the mean probabilities (batch, classes), or to that
        dict. It serves as logits: softmax gives the mean probabilities back.

    Raises:
        ZooError: no members, something that is not a model with one input and logits (batch, classes), members that end
            in a softmax, or that differ in input shape or classes.

    Differences from the paper:
        - Breiman's classifiers vote; he finds the mean of the probabilities about as good (section 6.1), and it gives
          a probability for every class.

    Example:
        >>> import zoo
        >>> model = zoo.build("ensemble", members=("perceptron", "mlp"), arguments=dict(num_classes=3))
        >>> model.output_shape
        (None, 3)
    """
    works = "a list of names of models, or of keras.Model"
    require(isinstance(members, list | tuple) and members, "members", members, works)
    require(isinstance(member_outputs, bool), "member_outputs", member_outputs, "True or False")
    models = [
        _member(index, member, given)
        for index, (member, given) in enumerate(zip(members, _arguments(members, arguments), strict=True))
    ]
    for model in models[1:]:
        _agree("input shape", models[0], model, lambda each: each.inputs[0].shape[1:])
        _agree("number of classes", models[0], model, lambda each: _logits(each.output).shape[-1])

    inputs = keras.Input(models[0].inputs[0].shape[1:], name=models[0].inputs[0].name)
    logits = {model.name: _logits(model(inputs)) for model in models}
    mean = LogMeanProbability(dtype="float32", name="logits")(list(logits.values()))
    return keras.Model(inputs, {"logits": mean, **logits} if member_outputs else mean, name="ensemble")


def _arguments(members, arguments):
    """One dict of arguments for each member."""
    if isinstance(arguments, list | tuple):
        fits = len(arguments) == len(members) and all(isinstance(given, dict) for given in arguments)
        require(fits, "arguments", arguments, f"one dict, or a list of {len(members)} dicts, one for each member")
        return list(arguments)
    require(arguments is None or isinstance(arguments, dict), "arguments", arguments, "a dict, or a list of dicts")
    return [(arguments or {}) if isinstance(member, str) else {} for member in members]


def _member(index, member, arguments):
    """The member as a model of its own, named by its place."""
    if isinstance(member, str):
        model = build(member, **arguments)
    else:
        fits = isinstance(member, keras.Model) and hasattr(member, "output")
        require(fits, f"members[{index}]", member, "a model's name or a Functional keras.Model")
        require(not arguments, "arguments", arguments, f"{{}} for members[{index}], which is built already")
        # A copy, so that names and weights here are the ensemble's own.
        model = keras.models.clone_model(member)
        model.set_weights(member.get_weights())
    _check(index, model)
    model.name = f"member_{index}"
    return model


def _check(index, model):
    output = _logits(model.output)
    shape = getattr(output, "shape", ())
    if len(model.inputs) != 1 or len(shape) != 2 or shape[-1] is None or shape[-1] < 2:
        raise ZooError(
            "members of an ensemble must have one input and logits (batch, classes), in a dict under 'logits'. "
            f"Received: members[{index}]={model.name!r} with the output {output}"
        )
    last = output._keras_history.operation
    if isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax:
        raise ZooError(
            "members of an ensemble must end in logits: the ensemble takes the softmax itself. "
            f"Received: members[{index}]={model.name!r}, which ends in a softmax"
        )


def _logits(output):
    return output.get("logits") if isinstance(output, dict) else output


def _agree(what, first, other, read):
    if read(first) != read(other):
        raise ZooError(
            f"members of an ensemble must have the same {what}. "
            f"Received: {first.name} has {read(first)}, {other.name} has {read(other)}"
        )
