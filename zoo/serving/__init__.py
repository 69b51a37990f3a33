"""What each task's models take and answer where the zoo is not."""

from zoo.tasks import task_of


def serving(model, labels, features, formats):
    """A model, seen as functions from raw input to answers.

    Args:
        model: see `zoo.export`.
        labels: names of the classes, or None.
        features: names of the features, or None.
        formats: what it will be written as, besides `keras`.

    Returns:
        A `zoo.serving.base.Serving` of the model's task.

    Raises:
        ZooError: when the model or the labels do not fit what is to be written.
    """
    from zoo.serving.base import input_shape
    from zoo.serving.codes import Codes
    from zoo.serving.logits import Logits
    from zoo.serving.masks import Masks

    input_shape(model)
    kinds = {"autoencoding": Codes, "segmentation": Masks}
    return kinds.get(task_of(model), Logits)(model, labels, features, formats)


def formats(model):
    """The formats that a run leaves: those that take all that the model does.

    Args:
        model: a built Functional `keras.Model`.

    Returns:
        Names of formats. LiteRT has no images of any size: a segmentation network is left as a SavedModel alone.
    """
    return ("savedmodel",) if task_of(model) == "segmentation" else ("savedmodel", "litert")
