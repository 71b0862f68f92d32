"""Write the tables of docs/om.md: the factor of OM's holders in every form in which they could have been listed.

Usage: ``python -m docs.studies.om``
"""

import math
from datetime import timedelta

import numpy as np
import pandas as pd

from calibration import Market, concentration, hazard_factor, shipped_market
from calibration.hazard.factor import HazardFactor
from calibration.law.crashes import crash_rate
from calibration.law.drop_law import TokenState
from calibration.law.own_record import no_record
from calibration.law.worst_month import worst_month_law
from calibration.prices.horizons import HALF_LIVES
from docs.studies.blocks import markdown_table, write_block

#: Supply of OM, the share that the team and its associates held, and the number of other wallets, which is made up.
SUPPLY, SHARE, OTHERS = 888.9e6, 0.90, 400
CIRCULATING = 88e6
#: Annual volatilities of the month before, and months of the table.
VOLATILITIES = (0.6, 0.9, 1.2)
#: Log of uncut over cut volatility: a tenth, as of a token that has not crashed lately.
TAIL_WEIGHT = 0.1
DAY = timedelta(hours=24)
DATES = ("2025-01-15", "2025-03-15", "2025-04-12")


def picture(count: int, *, share: float = SHARE, label: str = "", others: bool = True) -> pd.DataFrame:
    """Return a holder list: a share of the supply in equal wallets of one label, and the others."""
    rest = [(1.0 - share) / OTHERS * SUPPLY] * OTHERS if others else []
    balances = [*[share * SUPPLY / count] * count, *rest]
    rows = pd.DataFrame({"address": [f"w{number}" for number in range(len(balances))], "balance": balances})
    return rows.assign(label=[*[label] * count, *[""] * len(rest)])


FORMS = {
    "one wallet with 90 %": picture(1),
    "17 wallets with 90 %, as it was": picture(17),
    "the same, labelled team": picture(17, label="team"),
    "the same, labelled locked": picture(17, label="locked"),
    "the same, and the others not listed": picture(17, others=False),
    "50 wallets with 90 %": picture(50),
    "200 wallets with 90 %": picture(200),
    "9,000 wallets with 90 %": picture(9000),
    "60 % on three exchanges": picture(3, share=0.6, label="exchange"),
}


def factor_of(rows: pd.DataFrame, circulating: float | None = None) -> HazardFactor:
    """Return the factor of a list."""
    return hazard_factor(concentration=concentration(rows, supply=SUPPLY, circulating=circulating))


def main() -> None:
    """Write the tables."""
    rows = []
    for name, listed in FORMS.items():
        alone, stated = factor_of(listed), factor_of(listed, CIRCULATING)
        hhi = concentration(listed, supply=SUPPLY).hhi
        rows.append((name, f"{hhi.upper:.4f}", *(f"{each.value:.2f}" for each in (alone, stated))))
    unlisted = hazard_factor()
    rows.append(("no list", "–", f"{unlisted.value:.2f}", "–"))
    write_block("om.md", "forms", markdown_table(("holders", "HHI", "factor", "with 88 million circulating"), rows))
    write_block("om.md", "rates", markdown_table(("as of", "law as of", *HEAD), _rates(unlisted)))


HEAD = [f"{volatility:.0%} a year" for volatility in VOLATILITIES]


def _rates(unlisted: HazardFactor) -> list[tuple[str, ...]]:
    listed = factor_of(FORMS["17 wallets with 90 %, as it was"])
    rows = []
    for date in DATES:
        market = shipped_market(pd.Timestamp(date, tz="UTC"))
        cells = []
        for volatility in VOLATILITIES:
            without, with_list = (chance_of(market, volatility, each.on_rate) for each in (unlisted, listed))
            cells.append(f"{100 * without:.2f} → {100 * with_list:.2f} %")
        rows.append((date, f"{market.as_of:%Y-%m-%d}", *cells))
    return rows


def chance_of(market: Market, volatility: float, hazard: float) -> float:
    """Return the chance of 50 % in 24 hours within 30 days for a token of one volatility and no record of its own."""
    place = [law.window for law in market.laws].index(DAY)
    state = TokenState(
        log_volatilities=np.full((len(HALF_LIVES), 1), math.log(volatility)),
        tail_weight=np.array([TAIL_WEIGHT]),
        records=(no_record(1),) * len(market.laws),
    )
    law = market.laws[place]
    month = worst_month_law(law, state, place, market.state_at(market.as_of), crash_rate(law, state, place, hazard))
    return month.at(0.5)


if __name__ == "__main__":
    main()
