"""`text_pairs`: texts, and what each is to be turned into: dates, numbers in words, or pairs of one's own."""

from pathlib import Path

import numpy as np

from zoo.code_points import MARK, padded, shifted
from zoo.data import dates, number_words, random, split
from zoo.data.stream import Stream
from zoo.data.text_sources import read
from zoo.errors import ZooError, require, suggest
from zoo.recipe import Data
from zoo.seeding import check_seed

SOURCES = {"dates": dates, "numbers": number_words}
EXAMPLES = 8000
# Of what is made by formulas this many are for the test, and as many again are never trained on.
TESTED, HELD = 1000, 0.1


def text_pairs(source="dates", batch_size=64, *, swap=False, examples=None, validation=0.1, seed=None):
    """Pairs of texts, of which the second is to be written from the first, as training, validation and test streams.

    No day, no number, no first text is in two parts. The test part is drawn by a fixed seed, and is the same whatever
    `examples` and `seed` are.

    Args:
        source: one of
            - "dates": days of 1969 to 2068 in fourteen formats, such as "Sunday, 3 May 1998", "3.5.1998" (the day comes
              first) and "May 3rd, 98", and as "1998-05-03" (ISO 8601). 1 000 days are for the test;
            - "numbers": numbers below a million in words, "seven thousand and twelve", and in digits, "7012". 1 000 are
              for the test;
            - the path of a text file in UTF-8: on each line a text, a tab, and the other text. A fifth of the first
              texts, drawn by a fixed seed, is for the test.
        batch_size: pairs a batch, >= 1.
        swap: whether the second is given and the first to be written: digits to words. A day has many formats, so that
            "dates" cannot be swapped.
        examples: pairs to train and to validate on, >= 2: of "dates" up to 32 000, of "numbers" up to 129 000, None
            takes 8 000; of a file the first ones that are not for the test, None takes all.
        validation: share of them to validate on, 0 <= validation < 1, split by `seed`.
        seed: integer for that split and the order; None takes the current seed.

    Returns:
        A `zoo.Data` with elements ({"source", "target"}, y), all int32: code points of the first text (batch,
        characters); of the second text, shifted by one place behind a line break (batch, characters + 1); and the
        places of its characters and of the line break that ends it in the vocabulary (`zoo.symbols.Characters`). 0 is
        padding. `statistics` holds `source_vocabulary` and `target_vocabulary`, the characters of the training part, by
        code point, and `longest`, the characters of the longest second text.

    Raises:
        ZooError: no such source or file, a line without exactly one tab or without a first text, one first text with
            several second ones, too few pairs, or a value out of range.

    Example:
        >>> data = zoo.data.text_pairs("numbers", examples=100, seed=0)
        >>> data.train.size, data.validation.size, data.test.size, data.statistics["target_vocabulary"]
        (90, 10, 1000, '0123456789')
        >>> "".join(map(chr, data.train.arrays[0][0])).rstrip(chr(0))
        'two hundred and ninety-five'
    """
    seed = check_seed(seed)
    require(isinstance(swap, bool), "swap", swap, "True or False")
    require(0 <= validation < 1, "validation", validation, "a share in 0 <= validation < 1")
    whole = isinstance(examples, int) and not isinstance(examples, bool)
    require(examples is None or (whole and examples >= 2), "examples", examples, "a whole number >= 2, or None")
    if source in SOURCES:
        if swap and source == "dates":
            raise ZooError("a day has many formats: dates are turned into ISO 8601, not back. Use swap=False")
        trained, tested = _made(SOURCES[source], EXAMPLES if examples is None else examples)
    else:
        trained, tested = _read(source, swap, examples)
    parts = {"train": trained, "test": tested}
    if validation:
        kept, taken = split.stratified(np.zeros(len(trained)), validation, seed)
        parts |= {
            name: [trained[place] for place in places] for name, places in (("train", kept), ("validation", taken))
        }
    if swap:
        parts = {name: [pair[::-1] for pair in pairs] for name, pairs in parts.items()}
    return _assembled(parts, batch_size, seed)


def _made(module, examples):
    """Pairs that a formula makes: those to train on and those to test on."""
    keys = module.keys(split.TEST_SEED)
    held = random.uniform(split.TEST_SEED, 0, keys, random.SPLIT) < HELD
    most = (len(keys) - int(held.sum())) // 1000 * 1000
    require(examples <= most, "examples", examples, f"at most {most}")
    parts = keys[~held][:examples], keys[held][:TESTED]
    return [module.pairs(part, split.TEST_SEED) for part in parts]


def _read(source, swap, examples):
    """Pairs of a file: those to train on and those to test on."""
    path = Path(source).expanduser()
    if not path.is_file():
        hint = suggest(str(source), SOURCES)
        raise ZooError(
            f"there is no file {path}.{hint} Pairs of texts are a text file, each line a text, a tab and the other "
            f"text, or one of {', '.join(map(repr, SOURCES))}"
        )
    found = {}
    for number, line in enumerate(read(path).split("\n"), start=1):
        if not line.strip():
            continue
        pair = line.split("\t")
        if len(pair) != 2 or not pair[swap]:
            raise ZooError(
                f"{path}, line {number}: a line is a text, a tab and the other text. Received: {line[:80]!r}"
            )
        given, wanted = pair[swap], pair[not swap]
        if found.setdefault(given, wanted) != wanted:
            raise ZooError(
                f"{path}, line {number}: {given[:80]!r} is to become {wanted[:80]!r} here, and {found[given][:80]!r} "
                "on an earlier line. Keep one of them"
            )
    pairs = [pair[::-1] if swap else pair for pair in found.items()]
    if len(pairs) < 10:
        raise ZooError(f"{path} has {len(pairs)} different pairs of texts; a model needs ten or more")
    kept, taken = split.stratified(np.zeros(len(pairs)), split.TEST_FRACTION, split.TEST_SEED)
    if examples is not None:
        require(examples <= len(kept), "examples", examples, f"at most {len(kept)}, those that are not for the test")
    return [pairs[place] for place in kept[:examples]], [pairs[place] for place in taken]


def _assembled(parts, batch_size, seed):
    # Keras is imported here and not above: what TensorFlow-free code reads of this module needs numpy alone.
    from zoo.symbols import Characters, vocabulary_of

    vocabularies = [vocabulary_of("".join(texts)) for texts in zip(*parts["train"], strict=True)]
    if not vocabularies[1]:
        raise ZooError("all second texts are empty: there is nothing to write")
    symbols = Characters("".join(sorted(MARK + vocabularies[1])))
    every = [pair for pairs in parts.values() for pair in pairs]
    width, longest = (max(map(len, texts)) for texts in zip(*every, strict=True))
    streams = {}
    for name, pairs in parts.items():
        given, wanted = zip(*pairs, strict=True)
        codes = padded([text + MARK for text in wanted], longest + 1)
        arrays = padded(given, width), symbols.indices(codes), shifted(codes)
        streams[name] = Stream(arrays, batch_size, seed, map=_element)
    named = dict(zip(("source_vocabulary", "target_vocabulary"), vocabularies, strict=True))
    return Data(**streams, statistics={**named, "longest": longest})


def _element(source, y, target):
    return {"source": source, "target": target}, y
