"""Pairs of texts: dates, numbers in words, files; their parts, their vocabularies, what is refused."""

import datetime
import re

import numpy as np
import pytest

from zoo.code_points import MARK, text_of
from zoo.data import number_words, text_pairs
from zoo.data.dates import DAYS, FIRST, FORMATS, MONTHS, WEEKDAYS, written
from zoo.data.number_words import in_words
from zoo.errors import ZooError
from zoo.symbols import Characters


def _pairs(data, part):
    """The strings of a part, read back from its arrays."""
    symbols = Characters("".join(sorted(MARK + data.statistics["target_vocabulary"])))
    source, y, _ = data.parts[part].arrays
    return [(text_of(one), symbols.decode(other)) for one, other in zip(source, y, strict=True)]


def test_one_day_in_every_format():
    texts = [written(datetime.date(1998, 5, 3), format) for format in FORMATS]
    assert texts == [
        "3 May 1998",
        "3 May 98",
        "May 3, 1998",
        "May 3 1998",
        "Sunday, 3 May 1998",
        "Sun, 3rd of May, 1998",
        "the 3rd of May 1998",
        "May 3rd, 98",
        "03/05/1998",
        "03/05/98",
        "3.5.1998",
        "03-May-98",
        "1998-05-03",
        "19980503",
    ]
    ends = {1: "st", 2: "nd", 3: "rd", 4: "th", 11: "th", 12: "th", 13: "th", 20: "th", 21: "st", 22: "nd", 31: "st"}
    for day, end in ends.items():
        assert written(datetime.date(2008, 1, day), FORMATS[6]) == f"the {day}{end} of January 2008"


def _read(text):
    """What a person reads: the day of a text."""
    words = re.findall(r"[A-Za-z]+|\d+", re.sub(r"(?<=\d)(st|nd|rd|th)", "", text))
    if len(words) == 1:
        words = words[0][:4], words[0][4:6], words[0][6:]
    elif len(words[0]) == 4 and words[0].isdigit():
        pass  # the year first, as ISO has it
    else:
        names = [word for word in words if word.isalpha() and word[:3] in [month[:3] for month in MONTHS]]
        numbers = [word for word in words if word.isdigit()]
        month = 1 + [month[:3] for month in MONTHS].index(names[0][:3]) if names else numbers.pop(1)
        words = numbers[1], month, numbers[0]
    year, month, day = map(int, words)
    year += 0 if year > 99 else 1900 if year >= 69 else 2000
    return datetime.date(year, month, day)


def test_every_text_names_its_day_and_no_day_is_in_two_parts():
    data = text_pairs("dates", seed=3)
    assert [part.size for part in data.parts.values()] == [7200, 800, 1000]
    found = {part: _pairs(data, part) for part in data.parts}
    days = {part: {answer for _, answer in pairs} for part, pairs in found.items()}
    assert sum(map(len, days.values())) == 9000 == len(set.union(*days.values()))
    for text, answer in [pair for pairs in found.values() for pair in pairs]:
        assert answer.endswith(MARK) and _read(text).isoformat() == answer.removesuffix(MARK)
        weekday = [name for name in WEEKDAYS if text.startswith(name[:3])]
        assert not weekday or weekday == [WEEKDAYS[_read(text).weekday()]]
    assert FIRST + datetime.timedelta(DAYS - 1) == datetime.date(2068, 12, 31)


def _value(words):
    """The number that words mean."""
    total = current = 0
    for word in words.replace("-", " ").split():
        if word == "thousand":
            total, current = current * 1000, 0
        elif word == "hundred":
            current *= 100
        elif word != "and":
            tens = [f"{word}" == each for each in number_words.TENS]
            current += 10 * (tens.index(True) + 2) if any(tens) else number_words.BELOW_20.index(word)
    return total + current


def test_numbers_in_words_mean_the_number():
    for number in [*range(2101), 10_000, 99_999, 100_000, 100_001, 100_100, 340_000, 999_999]:
        assert _value(in_words(number)) == number
    assert in_words(7012) == "seven thousand and twelve" and in_words(1100) == "one thousand one hundred"
    assert in_words(743_212) == "seven hundred and forty-three thousand two hundred and twelve"


def test_no_number_is_in_two_parts_and_small_ones_are_in_all():
    data = text_pairs("numbers", validation=0.2, seed=0)
    found = {part: [int(answer) for _, answer in _pairs(data, part)] for part in data.parts}
    assert {part: len(numbers) for part, numbers in found.items()} == {"train": 6400, "validation": 1600, "test": 1000}
    assert len(set().union(*found.values())) == 9000
    for numbers in found.values():
        digits = np.bincount([len(str(number)) for number in numbers], minlength=7)
        assert digits[2] >= 5 and digits[3] >= 50 and digits[4:].min() >= 200
    assert all(_value(text) == int(answer) for text, answer in _pairs(data, "test"))


def test_the_test_part_is_always_the_same_and_the_others_are_functions_of_the_seed():
    first, other, fewer = (text_pairs("numbers", seed=seed, examples=n) for seed, n in ((0, 500), (1, 500), (0, 100)))
    again = text_pairs("numbers", seed=0, examples=500)
    assert _pairs(first, "test") == _pairs(other, "test") == _pairs(fewer, "test")
    assert first.train.fingerprint == again.train.fingerprint != other.train.fingerprint
    both = [{pair for part in ("train", "validation") for pair in _pairs(data, part)} for data in (first, other, fewer)]
    assert both[0] == both[1] > both[2]


def test_digits_to_words():
    there, back = (text_pairs("numbers", examples=50, swap=swap, seed=0) for swap in (False, True))
    turned = [(words, digits + MARK) for digits, words in ((a, b.removesuffix(MARK)) for a, b in _pairs(back, "train"))]
    assert _pairs(there, "train") == turned
    assert back.statistics["source_vocabulary"] == there.statistics["target_vocabulary"]


def test_elements_are_what_the_model_is_trained_on():
    data = text_pairs("numbers", 4, examples=20, validation=0, seed=0)
    assert "validation" not in data.parts and data.labels is None
    x, y = data.train.batch(0, 0)
    opened = next(iter(data.train.open()))
    for name, array in x.items():
        np.testing.assert_array_equal(array, opened[0][name])
        assert array.dtype == np.int32
    np.testing.assert_array_equal(y, opened[1])
    symbols = Characters("".join(sorted(MARK + data.statistics["target_vocabulary"])))
    for before, places in zip(x["target"], y, strict=True):
        answer = symbols.decode(places)
        assert text_of(before).startswith(MARK) and text_of(before)[: len(answer)] == MARK + answer[:-1]
    assert y.shape[1] == data.statistics["longest"] + 1 == 7


def test_the_vocabularies_are_those_of_the_training_part(own_folder):
    lines = [f"w{i}\tx{i}" for i in range(20)]
    (own_folder / "pairs.txt").write_text("\n".join(lines), encoding="utf-8")
    held = {text for part in ("test", "validation") for text, _ in _pairs(text_pairs("pairs.txt", seed=0), part)}
    lines = [f"{line}\u00e9" if line.split("\t")[0] in held else line for line in lines]
    (own_folder / "pairs.txt").write_text("\n".join(lines), encoding="utf-8")
    data = text_pairs("pairs.txt", seed=0)
    assert set(data.statistics["target_vocabulary"]) <= set("x0123456789")
    assert all(answer == f"x{text[1:]}\ufffd{MARK}" for text, answer in _pairs(data, "test"))


def test_a_file_of_ones_own(own_folder):
    path = own_folder / "wörter.tsv"
    lines = [f"Größe {i}\t大小{i}" for i in range(30)]
    path.write_text("\r\n".join([*lines, "", lines[0]]) + "\r\n", encoding="utf-8")
    data = text_pairs(path, 8, validation=0.25, seed=0)
    assert [part.size for part in data.parts.values()] == [18, 6, 6] and data.statistics["longest"] == 4
    found = [pair for part in data.parts for pair in _pairs(data, part)]
    assert sorted(found) == sorted((f"Größe {i}", f"大小{i}{MARK}") for i in range(30))
    back = text_pairs(path, 8, swap=True, examples=10, seed=0)
    assert [part.size for part in back.parts.values()] == [9, 1, 6]
    assert all(text.startswith("大小") and answer.startswith("Größe") for text, answer in _pairs(back, "test"))


@pytest.mark.parametrize(
    "content, message",
    [
        ("a\tb\nc d\n", "line 2: a line is a text, a tab and the other text. Received: 'c d'"),
        ("a\tb\tc\n", "line 1: a line is a text"),
        ("\tb\n", "line 1: a line is a text"),
        ("a\tb\n\na\tc\n", "line 3: 'a' is to become 'c' here, and 'b' on an earlier line"),
        ("a\tb\n", "has 1 different pairs of texts; a model needs ten or more"),
        ("".join(f"{i}\t\n" for i in range(20)), "all second texts are empty"),
        ("", "is empty"),
        (b"a\tb\xff", "is not UTF-8: byte 0xff at offset 3"),
    ],
)
def test_files_that_are_no_pairs(own_folder, content, message):
    (own_folder / "pairs.tsv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ZooError, match=re.escape(message)):
        text_pairs("pairs.tsv")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(source="date"), "there is no file date. Did you mean 'dates'?"),
        (dict(source="dates", swap=True), "a day has many formats"),
        (dict(swap="yes"), "swap must be True or False"),
        (dict(examples=1), "examples must be a whole number >= 2"),
        (dict(examples=40_000), "examples must be at most 32000"),
        (dict(source="numbers", examples=10**6), "examples must be at most 129000"),
        (dict(validation=1.0), "validation must be a share in 0 <= validation < 1"),
        (dict(batch_size=0), "batch_size must be a whole number >= 1"),
        (dict(seed=-1), "seed must be an integer"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ZooError, match=re.escape(message)):
        text_pairs(**arguments)
