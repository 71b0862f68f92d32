"""Sentences about what holders and signals did between two calibrations of one token."""

from collections.abc import Iterator

from calibration import Calibration
from calibration.holders.control import Control

#: Parts of the supply by what their tokens did.
_WHERE = {
    "insiders": "insiders",
    "unknown": "unknown wallets",
    "unlisted": "holders that are not listed",
    "customers": "exchanges",
    "code": "pools, staking and other contracts",
    "still": "locks beyond the longest term",
}


def holder_changes(before: Calibration, after: Calibration) -> tuple[str, ...]:
    """Say what holders and signals did, largest movements first.

    Parameters
    ----------
    before, after : Calibration
        Two calibrations of one token.
    """
    return (*_movements(before, after), *_signals(before, after))


def _movements(before: Calibration, after: Calibration) -> Iterator[str]:
    earlier, later = before.concentration, after.concentration
    first, last = before.hazard.control.factor, after.hazard.control.factor
    if earlier is None or later is None:
        if earlier is not later:
            known = "was not given before" if earlier is None else "is missing now"
            yield f"A holder list {known}: its factor goes from {first:.2f} to {last:.2f}."
        return
    yield from control_changes(earlier.control, later.control, supply=later.supply, least=0.001)
    if first != last:
        yield f"The factor of control goes from {first:.2f} to {last:.2f}."


def control_changes(earlier: Control, later: Control, *, supply: float, least: float) -> Iterator[str]:
    """Say where tokens went between two lists, largest movements first.

    Parameters
    ----------
    earlier, later : Control
        Who controlled the supply.
    supply : float
        Number of tokens.
    least : float
        Share of the supply below which a movement is not worth a sentence.
    """
    moved = {name: getattr(later, name) - getattr(earlier, name) for name in _WHERE}
    for name, share in sorted(moved.items(), key=lambda each: -abs(each[1])):
        if abs(share) >= least:
            way = "went to" if share > 0.0 else "left"
            yield f"{abs(share) * supply:,.0f} tokens, {abs(share):.1%} of the supply, {way} {_WHERE[name]}."
    if abs(earlier.circulating - later.circulating) >= least:
        yield (f"The circulating supply went from {earlier.circulating:.1%} to {later.circulating:.1%} of the supply.")


def _signals(before: Calibration, after: Calibration) -> Iterator[str]:
    earlier, later = ({part.covariate: part.factor for part in each.hazard.parts[1:]} for each in (before, after))
    for name in dict.fromkeys([*earlier, *later]):
        first, last = earlier.get(name, 1.0), later.get(name, 1.0)
        if first != last:
            yield f"The factor of {name.replace('_', ' ')} goes from {first:.2f} to {last:.2f}."
