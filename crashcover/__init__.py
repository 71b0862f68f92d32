"""User interface of the engine: the command line, tables, pictures and a synthetic sample market.

::

    files (prices, holders) ──► calibration.calibrate ──► offers ──► display (table, picture), JSON
    sample_market ──────────────────────┘

``crashcover.cli`` declares the commands and ``crashcover.commands`` carries them out. Importing this package has no
other imports.
"""
