"""Repricing of a book of covers: checked rows in, the same rows with their premiums out.

::

    intake.files ───► rows ──► staging ──► token (one task per token) ──► priced/asset=.../part-0.parquet
    intake.tables ──►  │                     │       ▲
                       └──► quarantine.csv   │       └── pricing.rates.store
                                             └──► changes, reasons ──► summary.json
"""
