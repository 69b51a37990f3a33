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
    from zoo.serving.checks import check_built
    from zoo.serving.codes import Codes
    from zoo.serving.generation import Generation
    from zoo.serving.language import Language
    from zoo.serving.logits import Logits
    from zoo.serving.masks import Masks
    from zoo.serving.q_learning import QLearning
    from zoo.serving.recurrence import check_unrolls
    from zoo.serving.text import Text
    from zoo.serving.transduction import Transduction
    from zoo.serving.translation import Translation
    from zoo.symbols import symbols_of

    check_built(model)
    kinds = {"autoencoding": Codes, "segmentation": Masks, "generation": Generation, "translation": Translation}
    kinds |= {"transduction": Transduction, "language": Language, "q_learning": QLearning}
    found = kinds.get(task_of(model), Text if symbols_of(model) else Logits)(model, labels, features, formats)
    check_unrolls(model, formats)
    return found


def formats(model):
    """The formats that a run leaves: those that take all that the model does.

    Args:
        model: a built Functional `keras.Model`.

    Returns:
        Names of formats. LiteRT has no images of any size: a segmentation network, and one from image to image whose
        sides are free, are left as a SavedModel alone; and so is what reads or writes text, and what takes sequences of
        any length or very long ones.
    """
    from zoo.serving.recurrence import unrolls

    task = task_of(model)
    free = task in ("segmentation", "transduction") or (task == "translation" and None in model.inputs[0].shape[1:])
    return ("savedmodel",) if free or not unrolls(model) else ("savedmodel", "litert")
