"""Numbers on a page that are not figures of the report."""

import re

_NUMBER = re.compile(r"(?<![\w.\-#])[−-]?\d[\d,]*(?:\.\d+)?(?:h\b|d\b)?")


#: What is drawn, or stands behind a quote, and is written out nowhere.
_NOT_WRITTEN = {"model", "simulated_curve", "lower", "upper", "anchors", "period_curves", "uncertainty", "closes"}
#: Drops at which the page writes a curve out.
_WRITTEN_DROPS = [percent / 100 for percent in range(10, 90, 10)]


def _leaves(value):
    if isinstance(value, dict) and "standard_errors" in value:
        places = [value["drops"].index(drop) for drop in _WRITTEN_DROPS if drop in value["drops"]]
        yield from (value[name][place] for name in ("probabilities", "standard_errors") for place in places)
    elif isinstance(value, dict):
        for name, item in value.items():
            # bounds of a factor and of a score are written out, bands of a curve are not
            yield from _leaves(item) if name not in _NOT_WRITTEN or isinstance(item, float) else ()
    elif isinstance(value, list):
        yield from (float(len(value)),)
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, str):
        yield value


def _reading(token):
    return float(token.rstrip("hd").replace(",", "").replace("−", "-"))


def _decimals(token):
    return len(token.rstrip("hd").partition(".")[2])


def unfounded_numbers(text, content, allowed):
    """Return the numbers of a text that are no figure of the content, rounded as shown, plain or as per cent.

    Products that the page forms count: a crash rate per year is a product of factors, and what is not seen has an upper
    bound of three standard errors.
    """
    leaves = list(_leaves(content))
    texts = " ".join(leaf for leaf in leaves if isinstance(leaf, str))
    known = {abs(number) for number in leaves if isinstance(number, float)}
    known |= {abs(_reading(token)) for token in _NUMBER.findall(texts)}
    for rate in content.get("calibration", {}).get("crashes", []):
        known.add(rate["market_rate"] * rate["credibility_factor"] * rate["hazard_factor"] * 365 / 30)
    if hazard := content.get("calibration", {}).get("hazard"):
        known |= {hazard[name] / hazard["average"] for name in ("value", "lower", "upper")}
    if held := content.get("calibration", {}).get("concentration"):
        known.add(held["control"]["large"] + held["control"]["small"])
    for cover in content["covers"]:
        if cover.get("statement"):
            gross = float(cover["statement"]["gross"])
            known |= {float(line["amount"]) / gross for line in cover["statement"]["lines"]}
    known |= {3.0 * value["standard_error"] for name, value in content.get("pool", {}).items() if name == "ruin"}
    known |= {100.0 * number for number in known}
    return [
        token
        for token in _NUMBER.findall(text)
        if token not in allowed
        and token not in texts
        and not any(abs(number - abs(_reading(token))) <= 0.5001 * 10.0 ** -_decimals(token) for number in known)
    ]
