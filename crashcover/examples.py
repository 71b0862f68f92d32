"""Examples at the end of the help of each command."""

START = """
\b
Start with:  crashcover demo
Then:        crashcover quote --prices my_prices.csv --drop 0.5
Exit codes:  crashcover help exits
"""

QUOTE_EXAMPLES = """
\b
Examples:
  crashcover quote --prices om.csv --drop 0.5 --limit 100000
  crashcover quote --prices panel.parquet --asset OM --holders om_holders.csv --supply 1e9 \\
    --drop 0.3 --drop 0.5 --window 1h --window 24h --term 30d --plot om.png
  crashcover quote --prices om.csv --drop 0.3 --payout linear:0.3:0.9 --json > quote.json
  crashcover quote --prices om.csv --drop 0.3 --drop 0.5 --csv > quotes.csv
"""

CALIBRATE_EXAMPLE = """
\b
Example:
  crashcover calibrate --prices panel.parquet --asset OM --as-of 2025-04-01T00:00Z
"""

MARKET_EXAMPLE = """
\b
Example:
  crashcover market panel.parquet --out market.json
"""

REPRODUCE_EXAMPLE = """
\b
Example:
  crashcover reproduce quote.json
"""

DEMO_EXAMPLE = """
\b
Example:
  crashcover demo --out demo
"""

BACKTEST_EXAMPLES = """
\b
Examples:
  crashcover backtest panel.parquet
  crashcover backtest panel.parquet --out walk --forecaster worst-drop-law --drop 0.3 --window 24h --workers 2
  crashcover backtest panel.parquet --out surface --surface
"""

RATES_EXAMPLES = """
\b
Examples:
  crashcover rates --prices panel.parquet --out rates
  crashcover rates --prices prices/ --holders holders/ --market panel.parquet --out rates --paths 50000
"""

REPRICE_EXAMPLES = """
\b
Examples:
  crashcover reprice book.parquet --rates rates --out priced/2026-11-22 --previous priced/2026-11-21
  crashcover reprice postgresql+psycopg://user@host/sales --table covers --rates rates --out priced/2026-11-22
"""

REPORT_EXAMPLES = """
\b
Examples:
  crashcover report --prices om.csv --holders om_holders.csv --drop 0.5 --limit 100000 --out om.html
  crashcover report --book book.csv --prices panel.parquet --capital 2000000 --out book.html
  crashcover report --quote quote.json --out om.html --xlsx om.xlsx
  crashcover report --from book.json --out book.html
"""

LOG_EXAMPLES = """
\b
Examples:
  crashcover log sign claims.log --origin example.org/claims --key key.pem --out checkpoint.txt
  crashcover log verify claims.log checkpoint.txt --public-key key.pub
"""

FETCH_EXAMPLES = """
\b
Examples:
  crashcover fetch OM --since 2024-01-01 --out om.csv
  crashcover fetch OM --venue kucoin --since 2024-01-01 --bar 5m --out om.csv
  crashcover fetch panel BTC ETH OM --since 2021-01-01 --out prices --join panel.parquet
"""
