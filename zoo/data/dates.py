"""Days of a century, written as people write them."""

import datetime

from zoo.data import random

# A century, so that two digits name a year: 69 to 99 are of the 20th, 00 to 68 of the 21st, as in POSIX.
FIRST, DAYS = datetime.date(1969, 1, 1), 36525
# Names that do not hang on the machine's language.
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
# Between slashes and dots the day comes first.
FORMATS = (
    "{day} {month} {year}",
    "{day} {month:.3} {short}",
    "{month} {day}, {year}",
    "{month:.3} {day} {year}",
    "{weekday}, {day} {month} {year}",
    "{weekday:.3}, {day}{th} of {month}, {year}",
    "the {day}{th} of {month} {year}",
    "{month} {day}{th}, {short}",
    "{day:02}/{number:02}/{year}",
    "{day:02}/{number:02}/{short}",
    "{day}.{number}.{year}",
    "{day:02}-{month:.3}-{short}",
    "{year}-{number:02}-{day:02}",
    "{year}{number:02}{day:02}",
)


def written(day, format):
    """A day in a format.

    Args:
        day: a `datetime.date`.
        format: one of `FORMATS`.

    Returns:
        A string.

    Example:
        >>> [written(datetime.date(1998, 5, 3), format) for format in (FORMATS[5], FORMATS[7])]
        ['Sun, 3rd of May, 1998', 'May 3rd, 98']
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10 if day.day // 10 != 1 else 0, "th")
    return format.format(
        day=day.day,
        th=ending,
        number=day.month,
        month=MONTHS[day.month - 1],
        weekday=WEEKDAYS[day.weekday()],
        year=day.year,
        short=f"{day.year % 100:02}",
    )


def keys(seed):
    """All days of 1969 to 2068, in an order that is drawn.

    Args:
        seed: integer; the same seed gives the same order.

    Returns:
        An integer array (36525,): how many days after 1 January 1969.
    """
    return random.permutation(seed, 0, DAYS)


def pairs(numbers, seed):
    """Days, each in one format, and as ISO 8601 has them.

    Args:
        numbers: integer array of days, as `keys` counts them.
        seed: integer, of the formats: a day has the same one in any array.

    Returns:
        A list of pairs of strings.

    Example:
        >>> pairs(np.array([0, 36524]), seed=0)
        [('Wednesday, 1 January 1969', '1969-01-01'), ('31 December 2068', '2068-12-31')]
    """
    formats = (random.uniform(seed, 0, numbers, random.AUGMENT) * len(FORMATS)).astype(int)
    found = [FIRST + datetime.timedelta(days=int(number)) for number in numbers]
    return [(written(day, FORMATS[format]), day.isoformat()) for day, format in zip(found, formats, strict=True)]
