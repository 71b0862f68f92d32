"""Damaged holder lists: each gives the right concentration, one line of error, or a finding that the clean one lacks.

``python -m tests.crashcover.files.holder_damage --files 100000`` tries many; the suite tries some.
"""

import argparse
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from calibration import concentration
from crashcover.files.holders import read_holders
from pricing.errors import DataError
from tests.checkout import CHECKOUT

GALLERY = sorted((CHECKOUT / "tests/crashcover/files/holder_lists").iterdir())
SUPPLY, TOKEN = 1e6, "MADE"
#: A balance in the text of a file, with whatever is between thousands.
_BALANCE = re.compile(r"(?<![\w.%-])\d[\d ',.]*\.?\d(?:E\+?\d+)?(?![\w%])")


@dataclass(frozen=True)
class Outcome:
    """Reading of a file: its concentration and all that is said about it, or its error."""

    figures: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    error: str = ""

    def agrees_with(self, clean: "Outcome") -> bool:
        """Return whether the concentration is that of the clean file, up to the rounding of percentages."""
        return all(
            abs(one - other) <= 2e-5 * abs(other) for one, other in zip(self.figures, clean.figures, strict=True)
        )


def outcome_of(path: Path) -> Outcome:
    """Read a file as the command line does."""
    try:
        holders = read_holders(path, asset=TOKEN)
        measured = concentration(holders, supply=SUPPLY)
    except DataError as error:
        return Outcome(error=str(error))
    said = [f"{finding.kind}: {finding.message}" for finding in measured.findings]
    figures = (measured.hhi.lower, measured.hhi.upper, measured.top1.upper, measured.listed_share)
    return Outcome(figures=figures, words=(*holders.attrs["notices"], *said))


# --- damage -----------------------------------------------------------------------------------------------------------


def _lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")


def repeat_line(text: str, draw: random.Random) -> str:
    lines = _lines(text)
    lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))
    return "\n".join(lines)


def drop_line(text: str, draw: random.Random) -> str:
    lines = _lines(text)
    del lines[draw.randrange(len(lines))]
    return "\n".join(lines)


def shuffle_rows(text: str, draw: random.Random) -> str:
    first, *rows = _lines(text)
    draw.shuffle(rows)
    return "\n".join([first, *rows])


def add_blank_line(text: str, draw: random.Random) -> str:
    lines = _lines(text)
    lines.insert(draw.randrange(len(lines) + 1), draw.choice(["", " ", "\t"]))
    return "\n".join(lines)


def add_sum(text: str, draw: random.Random) -> str:
    """Repeat the last row as a total, a rest, or a sum without a name."""
    lines = _lines(text)
    name = draw.choice(["Total", "Others", "Grand total", "Rest", "0xfeed", "-"])
    numbers = [float(number) for number in re.findall(r"(?<=[,;\t])\d+\.?\d*(?=$|[,;\t])", text, flags=re.MULTILINE)]
    last = re.sub(r"0x[0-9a-f]+|\b[1-9A-HJ-NP-Za-km-z]{30,}\b", name, lines[-1])
    return "\n".join([*lines, re.sub(r"(?<=[,;\t])\d+\.?\d*(?=$|[,;\t])", f"{sum(numbers):.2f}", last)])


def change_separator(text: str, draw: random.Random) -> str:
    return text.replace(draw.choice([",", ";", "\t"]), draw.choice([",", ";", "\t", "|", " "]))


def insert_sign(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text) + 1)
    return text[:at] + draw.choice("\0\"';,\t\n xZ#€\ufeff\u00a0{}[]%$") + text[at:]


def drop_sign(text: str, draw: random.Random) -> str:
    places = [at for at, sign in enumerate(text) if not (sign.isalnum() or sign in ".-+")]
    at = draw.choice(places)
    return text[:at] + text[at + 1 :]


def write_one_number_otherwise(text: str, draw: random.Random) -> str:
    found = draw.choice(list(_BALANCE.finditer(text)) or [re.search("$", text)])
    try:
        number = float(found[0].replace(",", "").replace("'", "").replace(" ", ""))
    except ValueError:
        return text
    forms = [f"{number:,.2f}", f'"{number:,.2f}"', f"{number:.2f}".replace(".", ","), f"{number:.8e}", f"{number:.2f} "]
    forms += [
        f"{number:,.2f}".translate(str.maketrans(",.", ".,")),
        f"${number}",
        f"{number:,.2f}".replace(",", "\u202f"),
    ]
    return text[: found.start()] + draw.choice(forms) + text[found.end() :]


def scale_balances(text: str, draw: random.Random) -> str:
    power = draw.choice([3, 6, 8, 9, 18])
    kept = draw.choice([0.0, 0.0, 0.5])  # the share of rows that keep their unit

    def scaled(found: re.Match[str]) -> str:
        digits = found[0].replace(",", "").replace("'", "").replace(" ", "")
        try:
            return digits if draw.random() < kept else f"{float(digits) * 10.0**power:.0f}"
        except ValueError:
            return found[0]

    return _BALANCE.sub(scaled, text)


def cut_short(text: str, draw: random.Random) -> str:
    return "\n".join(_lines(text)[: draw.randrange(1, len(_lines(text)) + 1)])


def change_ends(text: str, draw: random.Random) -> str:
    return (
        draw.choice(["", "\ufeff"]) + text.replace("\n", draw.choice(["\r\n", "\r", "\n"])) + draw.choice(["", "\n\n"])
    )


DAMAGE: tuple[Callable[[str, random.Random], str], ...] = (
    repeat_line,
    drop_line,
    shuffle_rows,
    add_blank_line,
    add_sum,
    change_separator,
    insert_sign,
    drop_sign,
    write_one_number_otherwise,
    scale_balances,
    cut_short,
    change_ends,
)


def damaged(number: int) -> tuple[Path, str, bytes]:
    """Return a file of the gallery, the kind of its damage, and the damaged bytes; a function of the number."""
    draw = random.Random(number)
    path, kind = draw.choice(GALLERY), draw.choice(DAMAGE)
    text = kind(path.read_text(encoding="utf-8-sig"), draw)
    return path, kind.__name__, text.encode(draw.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))


def verdict_on(number: int, folder: Path, clean: dict[Path, Outcome]) -> tuple[str, str]:
    """Return the kind of damage, and the outcome: right, error, told, or what is wrong with it."""
    path, kind, content = damaged(number)
    file = folder / path.name
    file.write_bytes(content)
    found = outcome_of(file)
    if found.error:
        return kind, "error" if len(found.error.splitlines()) == 1 else f"not one line: {found.error!r}"
    if found.agrees_with(clean[path]):
        return kind, "right"
    return kind, "told" if set(found.words) != set(clean[path].words) else f"silent: {path.name}: {found}"


def main() -> None:
    """Try many files, and print what came of each kind of damage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    clean = {path: outcome_of(path) for path in GALLERY}
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.first, options.first + options.files):
            kind, outcome = verdict_on(number, Path(folder), clean)
            if outcome not in ("right", "error", "told"):
                print(f"{number} {kind}: {outcome}", flush=True)  # noqa: T201
                outcome = "WRONG"
            counts[kind, outcome] += 1
    for (kind, outcome), count in sorted(counts.items()):
        print(f"{kind:30} {outcome:8} {count:7}")  # noqa: T201


if __name__ == "__main__":
    main()
