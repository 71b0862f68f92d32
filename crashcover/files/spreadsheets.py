"""Texts in CSV files that people open in a spreadsheet."""

#: A spreadsheet takes a text that begins with one of these for a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def no_formula(text: str) -> str:
    """Return a text that a spreadsheet shows and does not compute: with an apostrophe if it begins like a formula.

    Examples
    --------
    >>> no_formula("=HYPERLINK(A1)"), no_formula("OM"), no_formula("-0.3")
    ("'=HYPERLINK(A1)", 'OM', '-0.3')
    """
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isprintable()
