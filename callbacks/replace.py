"""An attribute that is another for as long as a block lasts."""

import contextlib


@contextlib.contextmanager
def replaced(owner, name, value):
    """Sets an attribute of one object, and puts back what was there, also after an error.

    Args:
        owner: any object.
        name: the attribute's name.
        value: what it is inside the block.
    """
    own = name in vars(owner)
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)
