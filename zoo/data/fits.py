"""Whether a model can take some data: the check where the two meet."""

from zoo.errors import ZooError


def check_fits(data, model):
    """Checks that a model takes the data's examples and has an output for each of its classes.

    Args:
        data: a `zoo.Data`.
        model: a `keras.Model` with one input.

    Raises:
        ZooError: an input of another shape, or another number of logits than of classes; the message has both, and what
            would work.

    Example:
        >>> check_fits(zoo.data.images("digits", 32), zoo.build("lenet", input_shape=(28, 28, 1)))
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: 'lenet' takes images of 28 x 28 x 1, and the data's are 8 x 8 x 1. ...
    """
    takes, given = tuple(model.inputs[0].shape[1:]), tuple(data.train.input_shape)
    if len(takes) != len(given) or any(one not in (None, other) for one, other in zip(takes, given, strict=True)):
        raise ZooError(_message(model.name, takes, given))
    if data.labels is None:
        return
    shape = model.output_shape
    outputs = (shape["logits"] if isinstance(shape, dict) else shape)[-1]
    if outputs != len(data.labels):
        raise ZooError(
            f"{model.name!r} answers with {outputs} logits, and the data has {len(data.labels)} classes "
            f"({', '.join(data.labels[:10])}{', ...' if len(data.labels) > 10 else ''}). "
            f"Build it with num_classes={len(data.labels)}"
        )


def _message(name, takes, given):
    def words(shape):
        return " x ".join("any" if side is None else str(side) for side in shape)

    kinds = {1: "vectors of features", 3: "images"}
    text = (
        f"{name!r} takes {kinds.get(len(takes), 'inputs')} of {words(takes)}, and the data's are "
        f"{'' if len(takes) == len(given) else kinds.get(len(given), 'inputs') + ' of '}{words(given)}. "
    )
    build = f"Build the model for them with input_shape={given}"
    change = []
    if len(takes) == len(given) == 3:
        height, width, channels = takes
        if (height, width) != given[:2] and None not in (height, width):
            change.append(f"--size {height}" if height == width else f"size=({height}, {width})")
        if channels not in (None, given[2]):
            change.append(f"--channels {channels}")
    return f"{text}{build}, or bring the images to its form with {' '.join(change)}" if change else text + build
