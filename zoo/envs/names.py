"""Names of environments: gymnasium's id, and options behind a question mark."""

import math
import urllib.parse

from zoo.errors import ZooError, require

WORDS = {"true": True, "false": False}


def parse(env):
    """Takes the name of an environment apart.

    Args:
        env: a gymnasium id, with options as in a web address: "ID", "ID?key=value" or "ID?key=value&other=value".
            Values are read as true, false, a whole number or a number; anything else is a string.

    Returns:
        The id, and a dict of the options.

    Raises:
        ZooError: no string, no id, or options that are not pairs of distinct keys and values.

    Example:
        >>> parse("FrozenLake-v1?is_slippery=false&map_name=8x8")
        ('FrozenLake-v1', {'is_slippery': False, 'map_name': '8x8'})
    """
    require(isinstance(env, str), "env", env, "the name of an environment, such as 'CartPole-v1'")
    name, _, query = env.partition("?")
    works = "an id with options behind a question mark, such as 'FrozenLake-v1?is_slippery=false&map_name=8x8'"
    require(name.strip() == name and name, "env", env, works)
    try:
        pairs = urllib.parse.parse_qsl(query, strict_parsing=True, max_num_fields=100) if query else []
    except ValueError:
        pairs = [("", "")]
    require(all(key.isidentifier() for key, _ in pairs), "env", env, works)
    options = {key: _value(word) for key, word in pairs}
    if len(options) < len(pairs):
        raise ZooError(f"an option of an environment is given once. Received: env={env!r}")
    if "render_mode" in options:
        raise ZooError(f"render_mode is an argument of make, and no part of a name. Received: env={env!r}")
    return name, options


def _value(word):
    if word.lower() in WORDS:
        return WORDS[word.lower()]
    for kind in (int, float):
        try:
            value = kind(word)
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return word
