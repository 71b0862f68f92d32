"""Damage the files of the gallery at random: each is read right, or refused in one line.

``python -m tests.crashcover.files.damage 100000`` reads so many damaged files and prints what came of them.
"""

import gzip
import io
import lzma
import random
import re
import sys
import zipfile
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from crashcover.files.prices import read_prices
from pricing.errors import PricingError

GALLERY = Path(__file__).parent / "gallery"
_PACKED_FROM = GALLERY / "hourly-binance-klines.csv"
_SIGNS = ";,|\t \"'.:-+TZ[]{}eE\n\r\0%$#x\u00e9\u0661"


# Every function below takes random numbers and a text, and returns the damaged text.


def delete_line(draw, text):
    lines = text.splitlines(keepends=True)
    del lines[draw.randrange(len(lines))]
    return "".join(lines)


def repeat_line(draw, text):
    lines = text.splitlines(keepends=True)
    lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))
    return "".join(lines)


def swap_lines(draw, text):
    lines = text.splitlines(keepends=True)
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "".join(lines)


def cut_out(draw, text):
    start = draw.randrange(len(text))
    return text[:start] + text[start + draw.randint(1, 40) :]


def cut_off(draw, text):
    return text[: draw.randrange(len(text))]


def insert_sign(draw, text):
    at = draw.randrange(len(text) + 1)
    return text[:at] + draw.choice(_SIGNS) + text[at:]


def replace_sign(draw, text):
    at = draw.randrange(len(text))
    return text[:at] + draw.choice(_SIGNS) + text[at + 1 :]


def change_separator(draw, text):
    return text.replace(",", draw.choice(";|\t "))


def mix_line_ends(draw, text):
    return "".join(line + draw.choice(["\n", "\r\n", "\r"]) for line in text.splitlines())


def drop_field(draw, text):
    lines = text.splitlines(keepends=True)
    at = draw.randrange(len(lines))
    fields = lines[at].split(",")
    del fields[draw.randrange(len(fields))]
    lines[at] = ",".join(fields)
    return "".join(lines)


TEXT_DAMAGES = (
    *(delete_line, repeat_line, swap_lines, cut_out, cut_off, insert_sign, replace_sign),
    *(change_separator, mix_line_ends, drop_field),
)


def pack(kind):
    """Return the klines of the gallery, packed or in another kind of file."""
    data, stream = _PACKED_FROM.read_bytes(), io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("OMUSDT-1h-2024-12.csv", data)
        return stream.getvalue()
    if kind in ("gz", "xz"):
        return gzip.compress(data, mtime=0) if kind == "gz" else lzma.compress(data)
    table = pd.read_csv(GALLERY / "clean-hourly.csv")
    if kind == "xlsx":
        table.to_excel(stream, index=False)
    else:
        getattr(table, f"to_{kind}")(stream)
    return stream.getvalue()


#: Ending of packed files; those without a checksum are only cut off, because a changed byte may be a changed price.
PACKED = {"csv.gz": "gz", "csv.xz": "xz", "zip": "zip", "xlsx": "xlsx", "feather": "feather", "parquet": "parquet"}
_WITHOUT_CHECKSUM = ("feather", "parquet")


def damage_bytes(draw, data):
    """Cut bytes off, or change one."""
    if draw.random() < 0.5:
        return data[: draw.randrange(len(data))]
    at = draw.randrange(len(data))
    return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]


class Reader:
    """Reads damaged files and judges what comes out."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(GALLERY.iterdir())}
        self.clean = {
            path.name: pd.read_csv(
                GALLERY / f"clean-{'daily' if 'daily' in path.name else 'hourly'}.csv",
                parse_dates=["time"],
                index_col="time",
            )["close"]
            for path in GALLERY.iterdir()
        }
        self.notices = {path.name: set(read_prices(path, asset="OM").notices) for path in ()}
        self.packed = {ending: pack(kind) for ending, kind in PACKED.items()}

    def read_damaged_text(self, draw):
        """Damage a text once, twice or three times; return what came of it."""
        name = draw.choice(sorted(self.texts))
        text = self.texts[name]
        done = []
        for _ in range(draw.randint(1, 3)):
            damage = draw.choice(TEXT_DAMAGES)
            text = damage(draw, text) if text else text
            done.append(damage.__name__)
        path = self.folder / name
        path.write_bytes(text.encode("utf-8"))
        return self._judge(path, name, text, done)

    def read_damaged_bytes(self, draw):
        """Damage a packed file; return what came of it."""
        ending = draw.choice(sorted(self.packed))
        path = self.folder / f"OM.{ending}"
        path.write_bytes(damage_bytes(draw, self.packed[ending]))
        trusted = None if PACKED[ending] in _WITHOUT_CHECKSUM else ""
        return self._judge(path, "clean-hourly.csv", trusted, ["bytes"])

    def _judge(self, path, name, text, done):
        """Return the outcome; anything else than a right reading or one line of error is raised."""
        try:
            history = read_prices(path)
        except PricingError as error:
            lines = str(error).splitlines()
        else:
            return self._judge_closes(history, name, text, (path.name, done))
        assert len(lines) == 1, (path.name, done, lines)
        return "refused"

    def _judge_closes(self, history, name, text, where):
        clean = self.clean[name]
        closes = history.closes.dropna()
        right = closes[closes.index.isin(clean.index)]
        right = right[right.to_numpy() == clean[right.index].to_numpy()]
        if len(right) == len(closes) and text is not None:
            return "right"
        if text is None:
            return "not judged"
        before = {notice.partition(":")[0] for notice in self._clean_notices(name)}
        if {notice.partition(":")[0] for notice in history.notices} - before:
            return "noticed"
        wrong = closes.drop(right.index)
        touched = _records(text) - _records(self.texts[name])
        written = {
            float(number)
            for line in touched
            for form in (line, line.replace(",", "."))  # a comma may be a decimal sign
            for number in re.findall(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", form)
        }
        assert len(wrong) <= len(touched), (*where, wrong, text)
        assert set(wrong) <= written, (*where, wrong, text)
        return "as written"

    def _clean_notices(self, name):
        if name not in self.notices:
            self.notices[name] = read_prices(GALLERY / name).notices
        return self.notices[name]


def _records(text):
    """Return the lines of a text, or the records of a document of one line."""
    return set(re.split(r"\r\n|\n|\r|(?<=[\]}]),", text))


def run(count, seed=1):
    """Read damaged files; return how many came to each outcome."""
    draw, outcomes = random.Random(seed), Counter()
    with TemporaryDirectory() as folder:
        reader = Reader(folder)
        for _ in range(count):
            read = reader.read_damaged_bytes if draw.random() < 0.2 else reader.read_damaged_text
            outcomes[read(draw)] += 1
    return outcomes


if __name__ == "__main__":
    for outcome, count in run(int(sys.argv[1])).most_common():
        print(f"{count:9,} {outcome}")  # noqa: T201
