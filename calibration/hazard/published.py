"""Holders of published tokens: the reference of a typical token, and the law of one without a list.

38 lists of the largest holders, early 2026, with 390 classified addresses and 69 exclusions (Zukowski 2026, CC BY 4.0).
``python -m docs.studies.control`` measures every figure here again, and prints the tokens with their parts.
"""

#: Median share of the supply that is controlled, or not shown to be independent.
CONTROLLED = 0.885
#: Median score before it is subtracted.
TYPICAL = 0.578
#: Share of what nobody has listed, and of dust, that counts as controlled: such that a list that shows nothing has the
#: factor of no list.
UNLISTED = 0.959
#: Median circulating over total supply of the 30 of these tokens that state both.
CIRCULATING = 0.747
#: Median of tokens traded per day on one large venue over circulating tokens: 111 tokens on Binance, 2021 to 2022.
TURNOVER = 0.020
#: Bids down to -10 % over circulating tokens. Judgement from one token: OM had 30 million dollars below a market value
#: of 5.8 billion before its fall in April 2025.
DEPTH = 0.005
#: Scores of the tokens whose list shows half of the supply, in increasing order.
# fmt: off
SCORES = (
    -1.97, -1.61, -1.07, -0.75, -0.60, -0.32, -0.31, -0.25, -0.25, -0.17, -0.13, -0.11, -0.06, -0.03, -0.02,
    -0.00, 0.11, 0.11, 0.21, 0.42, 0.49, 0.62, 0.70, 0.86, 0.95, 0.99, 1.04, 1.29, 1.37, 1.77, 2.99, 7.90,
)
# fmt: on
