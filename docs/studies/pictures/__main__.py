"""Draw the pictures of the documentation.

Usage: ``python -m docs.studies.pictures [NAME ...]`` draws all pictures, or those named, into docs/pictures. Everything
is computed from seeds and from the examples and tables of the pages, so a picture shows what its page says.
"""

import sys

from docs.studies.pictures import contract, engine, laws, loads, money
from docs.studies.pictures.canvas import Draw, save

PICTURES: dict[str, Draw] = {
    draw.__name__: draw
    for draw in (
        contract.references,
        contract.payouts,
        engine.sample_market,
        engine.exceedance_curves,
        engine.rare_drops,
        engine.monitoring,
        laws.law,
        laws.anchors,
        laws.crash_rate_factor,
        laws.accuracy,
        loads.load_multiples,
        loads.load_bonds,
        loads.load_terms,
        loads.load_capital,
        loads.load_rates,
        money.premium_build_up,
        money.distortions,
        money.rate_limits,
        money.pool_exceedance,
    )
}


def main() -> None:
    """Draw what the command line names, or everything."""
    names = sys.argv[1:] or list(PICTURES)
    unknown = sorted(set(names) - set(PICTURES))
    if unknown:
        sys.exit(f"no picture named {', '.join(unknown)}; there are {', '.join(PICTURES)}")
    for name in names:
        print(save(PICTURES[name]()))


if __name__ == "__main__":
    main()
