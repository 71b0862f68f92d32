"""Prose is plain English; CONTRIBUTING.md shows how. codespell checks the spelling.

Every rule stands for a way of writing that puts German into English words. It is a pattern, a phrase that the pattern
finds, and a better phrase that it does not find.
"""

import re
from functools import cache

import pytest

from tests.checkout import CHECKOUT

EACH = (
    "lane|segment|path|row|record|column|component|token|source|term|window|group|signal|watch|cover|asset|forecaster|"
    "cell|knot|node|line|start|step"
)
THINGS = "row|column|number|value|entry|file|line|path|picture|panel|task|process|sequence|series|close|market|cubic"
NO_ELEMENT = r"(?<!NaN )(?<!nan )(?<!zero )(?<!zeros )(?<!0 )"  # elements of an array are places

RULES = [
    # One per lane
    (rf"\bone(?: (?:{THINGS}))? an? (?:{EACH})\b", "one row a record", "one row per record"),
    (rf"\b(?:{THINGS}|coefficient|byte|draw)s an? (?:{EACH})\b", "coefficients a segment", "coefficients per segment"),
    (rf"\ba (?:{THINGS}) an? (?:{EACH})\b", "read a row a line", "read one row per line"),
    (
        r"\b(?:the|one|two|each|another) (?:jump|step|row|path|term|loss|draw) more\b(?! than)",
        "the jump more",
        "the extra jump",
    ),
    # Relative clauses next to their noun
    (r"(?<![,;]) of which (?:the|no|an?)\b", "rows of which the drop is wrong", "rows whose drop is wrong"),
    (
        r"\bof which the (?:rows|columns|drops?|prices?)\b",
        "files, of which the rows are read",
        "files; their rows are read",
    ),
    (r"\b(?:leads?|led) to a payment of\b", "that no path led to a payment of", "that no path triggers"),
    (r"\b(?:earned|paid|gained|lost) who\b", "would have earned who sold it", "would have earned if they had sold it"),
    (r"\bthen ha(?:s|ve) more\b", "units that the premium then has more", "units by which the premium is larger"),
    (r"\b(?:is|are) there (?:only )?because\b", "what is there because of it", "the load for it"),
    (r"\btheirs together\b", "not less than theirs together", "conservative"),
    # If for conditions, where for places
    (
        rf"{NO_ELEMENT}\b[Ww]here (?:there (?:is|are|was|were) (?:none|no|nothing)|none (?:is|was|were)|"
        r"(?:it|they) (?:is|are|was|were) (?:not|absent|missing|unknown|set|given))\b",
        "the default where it is absent",
        "the default if it is absent",
    ),
    (r"\bwhere an? \w+ has (?:none|no)\b", "where an interpreter has none", "if an interpreter has none"),
    (r"\b[Ee]lsewhere than\b", "elsewhere than on x86-64", "on other processors"),
    # Verbs and adverbs
    (
        r"\b(?:rounds?|draws?|behaves?|counts?|shares? its \w+|works?|looks?) otherwise\b",
        "sum rounds otherwise",
        "sum rounds differently",
    ),
    (r"\bgo(?:es)? on (?:where|with that)\b", "goes on where it stopped", "resumes where it stopped"),
    (r"\bshow(?:n|s)? apart\b|\bloadings? apart\b", "the load is shown apart", "the load is shown separately"),
    (
        r"\bgets? its (?:own )?(?:name )?when it is whole\b|\bwhen it is whole\b",
        "when it is whole",
        "once it is complete",
    ),
    (r"\b(?:comes?|came) to stand\b", "the price came to stand lower", "the price was lower"),
    (r"\bcomes? (?:twice|more than once)\b", "a name that comes twice", "a duplicate name"),
    (
        r"\bstands? (?:on|in|at|under|above|below|beside)\b(?! for)",
        "definitions stand in the page",
        "definitions are in the page",
    ),
    (r"\brounds? to nothing\b", "rounds to nothing", "rounds to zero"),
    (r"\bleaves? the GIL off\b", "leaves the GIL off", "runs without the GIL"),
    # Words
    (r"\bnot in none\b|\bnot no\b|\bno line of the sum\b", "therefore not in none", "therefore in none"),
    (r"\bwhole or not (?:there|at all)\b", "files that are whole or not there", "files that are complete or absent"),
    (r"\b(?:is|are|time|times|token) of the future\b", "times of the future", "times in the future"),
    (r"\bbe it (?:the|an?|in|on)\b", "be it the overhang or", "either the overhang or"),
    (r"\bof this world\b", "a duration of this world", "a representable duration"),
    (r"\bin no time\b", "return it in no time", "return it without parsing"),
    (r"\b[Ll]ook(?:s|ed)? twice\b", "Look twice", "Warnings"),
    (r"\b(?:[Hh]e|[Hh]is|[Hh]im|[Hh]imself)\b(?! and [A-Z])", "as he likes", "as they like"),
    (
        r"\b(?:in|with|to|of) so many (?:years|days|steps|digits)\b",
        "once in so many years",
        "once in a number of years",
    ),
    (r"\bat the (?:least|most)\b", "five at the least", "at least five"),
    (r"\b(?:allows?|enables?|permits?) to \w+", "allows to price", "allows pricing"),
    (r"\bper default\b|\bin (?:the )?case that\b", "per default", "by default"),
    (r"\b(?:dependent of|independent from|different (?:than|to))\b", "independent from", "independent of"),
    (r"\bsince (?:\d+|two|three|five|ten|some) (?:years|months|days|hours)\b", "since two years", "for two years"),
    (r"\b(?:same|as (?!more\b|less\b|fewer\b)\w+) than\b|\bmore \w+ as\b", "as many than before", "as many as before"),
    # Docstrings begin with a verb or a noun
    (r'"""(?:What|That|Those|Who|How|Where|Which|Whether)\b', '"""What a command tells', '"""Exit codes of'),
]


def prose_files():
    folders = [path.parent for path in CHECKOUT.glob("*/__init__.py")]
    folders += [CHECKOUT / name for name in ("docs", "tests", "changes")]
    inside = [path for folder in folders for path in folder.rglob("*") if "_build" not in path.parts]
    files = [*CHECKOUT.glob("*.md"), CHECKOUT / "setup.py", *inside]
    quoting = {CHECKOUT / "CONTRIBUTING.md", CHECKOUT / "tests" / "test_english.py"}
    return sorted(path for path in set(files) - quoting if path.suffix in {".md", ".py", ".pyi", ".pyx", ".j2"})


@cache
def texts():
    """Return every file as one line, because a sentence may span lines, comment signs and string literals."""
    joints = re.compile(r'(?<!")"\s*\n\s*f?"(?!")|\s*\n\s*(?:#[: ]*)?')
    return {
        path.relative_to(CHECKOUT): joints.sub(lambda m: "" if '"' in m[0] else " ", path.read_text(encoding="utf-8"))
        for path in prose_files()
    }


def findings(pattern):
    for path, text in texts().items():
        for match in re.finditer(pattern, text):
            yield f"{path}: ...{text[max(0, match.start() - 40) : match.end() + 40]}..."


@pytest.mark.parametrize(("pattern", "wrong", "right"), RULES, ids=[rule[1] for rule in RULES])
def test_prose_is_plain_english(pattern, wrong, right):
    assert re.search(pattern, wrong)
    assert not re.search(pattern, right)
    found = list(findings(pattern))
    assert not found, f"write {right!r} instead of {wrong!r}:\n" + "\n".join(found)


def test_lines_of_prose_are_at_most_120_columns_wide():
    wide = []
    for path in prose_files():
        if path.suffix == ".md":
            code = False
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                code ^= line.lstrip().startswith("```")
                if len(line) > 120 and not code and not line.startswith("|"):
                    wide.append(f"{path.relative_to(CHECKOUT)}:{number}")
    assert wide == []
