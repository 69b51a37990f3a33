"""Writing with a model of language: each symbol is drawn from what the model expects after all that stands before it.

The states are carried from symbol to symbol, so a symbol costs the same after ten others and after ten thousand; and
the loop over symbols is compiled.
"""

import math
import re
import sys
import weakref
from pathlib import Path

import keras
import numpy as np

from zoo.errors import ZooError, require
from zoo.seeding import check_seed
from zoo.symbols import FIRST, PADDING, REPLACEMENT

MOST = 10_000_000
# Unknown symbols that are named.
NAMED = 10

_writers = weakref.WeakKeyDictionary()


def write(run_or_model, prompt="", length=400, temperature=1.0, top_k=0, seed=0, stream=None):
    """Writes text with a model of language.

    Each symbol, a character or a word, is drawn from the softmax of the model's logits divided by a temperature
    (Sutskever, Martens and Hinton 2011, Generating text with recurrent neural networks; Graves 2013, arXiv:1308.0850).
    Symbol number i depends on the seed by one random number, of (seed, i) alone: several prompts together are continued
    as each would be by itself, and a short text is the beginning of a longer one. Only how sums are rounded may differ
    with the number of prompts, in layers of more than 256 units or a number that is no multiple of 8: then a symbol can
    fall otherwise, though none of 48 000 did.

    Args:
        run_or_model: a finished run folder, or a model of language, `zoo.language_model.LanguageModel`.
        prompt: text that is to be continued, of any length, or a list of texts. An empty one stands for the beginning
            of a line: a newline; where the vocabulary has none a space, or else its first symbol. Symbols that the
            vocabulary does not have are told on standard error, and read as unknown.
        length: symbols to write, 1 to 10,000,000: characters, or words and what stands between them.
        temperature: number >= 0. Below 1 what is likely becomes likelier, at 0 the likeliest symbol is taken each time,
            whatever the seed.
        top_k: draw among so many symbols, the likeliest, alone; 0, or more than there are, is all.
        seed: integer, 0 <= seed < 2**32. The same seed gives the same text.
        stream: a function that is called with each piece of some 64 symbols as soon as it is written: with a string, or
            with a list of strings where `prompt` is a list.

    Returns:
        What was written, without the prompt: a string, or a list of strings, one for each prompt.

    Raises:
        ZooError: not a finished run, a model that writes no text, or an argument that is out of range.

    Example:
        >>> model = zoo.build("lstm", vocabulary="\\n abc", units=4)
        >>> text = zoo.write(model, "ab", length=30, seed=1)
        >>> len(text), text == zoo.write(model, ["c", "ab"], length=30, seed=1)[1]
        (30, True)
    """
    single = isinstance(prompt, str)
    prompts = [prompt] if single else prompt
    told = "a text, or a list of them, one or more"
    require(isinstance(prompts, list | tuple) and len(prompts) > 0, "prompt", prompt, told)
    require(all(isinstance(each, str) for each in prompts), "prompt", prompt, told)
    check_writing(length, temperature, top_k)
    seed = check_seed(seed)
    model = language_model(run_or_model)
    _tell_unknown(model.symbols, prompts)
    show = stream if stream is None or not single else lambda bits: stream(bits[0])
    texts = continued(model, prompts, int(length), float(temperature), int(top_k), seed, show)
    return texts[0] if single else texts


def continued(model, prompts, length, temperature=1.0, top_k=0, seed=0, stream=None):
    """What `write` returns for a list of prompts; arguments are not checked, and unknown symbols not told.

    Args:
        model: a model of language.
        prompts: list of strings.
        length, temperature, top_k, seed: as in `write`.
        stream: a function of lists of strings, or None.

    Returns:
        A list of strings.
    """
    pieces, given = [], prompt_symbols(model.symbols, prompts)
    for symbols in writer(model).pieces(given, length, temperature, top_k, seed):
        pieces.append([model.symbols.decode(row) for row in symbols])
        if stream is not None:
            stream(pieces[-1])
    return ["".join(parts) for parts in zip(*pieces, strict=True)]


def check_writing(length, temperature, top_k):
    """Raises unless numbers tell how to write.

    Args:
        length, temperature, top_k: as in `write`.

    Raises:
        ZooError: naming the one that does not.
    """
    whole = [isinstance(value, int | np.integer) and not isinstance(value, bool) for value in (length, top_k)]
    require(whole[0] and 1 <= length <= MOST, "length", length, f"an integer from 1 to {MOST:,}")
    number = isinstance(temperature, int | float | np.number) and not isinstance(temperature, bool)
    works = "a finite number >= 0; at 0 the likeliest symbol is taken each time"
    require(number and math.isfinite(temperature) and temperature >= 0, "temperature", temperature, works)
    require(whole[1] and 0 <= top_k < 2**31, "top_k", top_k, "an integer >= 0; 0 draws among all symbols")


def language_model(run_or_model):
    """A model of language: itself, or that of a run.

    Raises:
        ZooError: no finished run, or a model for something else.
    """
    from zoo.loading import load
    from zoo.tasks import task_of

    if isinstance(run_or_model, keras.Model):
        model, whose = run_or_model, f"the model {run_or_model.name!r} is"
    else:
        path = Path(run_or_model)
        model, whose = load(path), f"the run {path} is of a model"
    task = task_of(model)
    if task != "language":
        raise ZooError(
            f'{whose} for {task}: it writes no text. Models of language do, such as zoo.build("lstm", vocabulary="abc")'
        )
    return model


def writer(model):
    """The `zoo.serving.writer.Writer` of a model, made when first asked for; it sees weights that change.

    Raises:
        ZooError: another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ZooError(
            f"writing needs Keras on TensorFlow, and this process runs it on {keras.backend.backend()}. A run's "
            "model.keras fits every backend: KERAS_BACKEND=tensorflow zoo generate RUN"
        )
    from zoo.serving.writer import Writer

    if model not in _writers:
        _writers[model] = Writer(model)
    return _writers[model]


def prompt_symbols(symbols, prompts):
    """Prompts as places in a vocabulary.

    Args:
        symbols: a layer of `zoo.symbols`.
        prompts: list of strings.

    Returns:
        int32 (prompts, time), shorter ones filled up with padding on the left; none is empty.
    """
    rows = [symbols.indices(symbols.encode(clean(each))) for each in prompts]
    rows = [row[row != PADDING] for row in rows]
    rows = [row if len(row) else np.array([start_of(symbols)], "int32") for row in rows]
    longest = max(map(len, rows))
    return np.stack([np.pad(row, (longest - len(row), 0), constant_values=PADDING) for row in rows])


def clean(text):
    """A text without halves of surrogate pairs, such as bytes of a command line that are not UTF-8 become."""
    return re.sub("[\ud800-\udfff]", REPLACEMENT, text)


def start_of(symbols):
    """The place of the symbol that an empty prompt stands for.

    Args:
        symbols: a layer of `zoo.symbols`.

    Returns:
        That of a newline, else of a space, else the vocabulary's first.
    """
    return next((symbols.places[each] for each in "\n " if each in symbols.places), FIRST)


def _tell_unknown(symbols, prompts):
    found = list(dict.fromkeys(piece for each in prompts for piece in symbols.unknown(clean(each)) if piece != "\0"))
    if found:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        names = ", ".join(map(repr, found[:NAMED]))
        print(f"The model has never seen {names}{more}: read as an unknown symbol.", file=sys.stderr)
