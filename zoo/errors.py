"""The errors that a user can cause, and the sentences they are told in.

Every message says what was wrong, what was received, and what would work. The command line prints these, and only
these, as one message without a traceback: anything else that is raised is a defect of the zoo.
"""

import difflib


class ZooError(ValueError):
    """Something the user asked for cannot be done; the message says what would work."""


class ArgumentError(ZooError, TypeError):
    """A function of the zoo was called with an argument that it does not have."""


def suggest(word, choices):
    """The part of a message that names what was probably meant.

    Args:
        word: the string received.
        choices: iterable of the strings that would have worked.

    Returns:
        `" Did you mean 'lenet' or 'lenet5'?"`, or `""` when nothing comes close.

    Example:
        >>> suggest("lenett", ["lenet", "mlp"])
        " Did you mean 'lenet'?"
    """
    close = difflib.get_close_matches(str(word), list(choices), n=3, cutoff=0.6)
    if not close:
        return ""
    return f" Did you mean {' or '.join(repr(name) for name in close)}?"


def choose(argument, value, choices):
    """Returns `value` when it is one of `choices`.

    Args:
        argument: the argument's name, for the message.
        value: what was received.
        choices: a collection of the values that work.

    Raises:
        ZooError: when it is not.

    Example:
        >>> choose("pooling", "max", ("max", "average"))
        'max'
    """
    if value in choices:
        return value
    allowed = ", ".join(repr(choice) for choice in choices)
    raise ZooError(
        f"{argument} must be one of {allowed}. Received: {argument}={value!r}.{suggest(value, map(str, choices))}"
    )


def require(condition, argument, value, works):
    """Raises unless `condition` holds.

    Args:
        condition: what must be true of the value.
        argument: the argument's name, for the message.
        value: what was received.
        works: what would have worked, as the end of the sentence "NAME must be ...".

    Raises:
        ZooError: when the condition does not hold.
    """
    if not condition:
        raise ZooError(f"{argument} must be {works}. Received: {argument}={value!r}")


def require_tensorflow(what):
    """Raises unless Keras runs on TensorFlow.

    Args:
        what: what needs it, as the beginning of the sentence "... on Keras' TensorFlow backend only".

    Raises:
        ZooError: on another backend.
    """
    import keras

    found = keras.backend.backend()
    if found != "tensorflow":
        raise ZooError(
            f"{what} on Keras' TensorFlow backend only; this process runs it on {found}. Set KERAS_BACKEND=tensorflow"
        )
