"""Repricing of a book of covers: checked rows in, the same rows with their premiums out.

::

    book_files ──► rows ──► staging ──► token (one a task, anywhere) ──► priced/asset=.../part-0.parquet
    book_tables ─►  │                    │       ▲
                    └──► quarantine.csv  │       └── pricing.rates.store
                                         └──► changes, reasons ──► summary.json
"""
