"""How people use the engine: the command line, the readable table, the picture and a synthetic sample market.

::

    files (price_files, holder_files) ──► calibration.calibrate ──► quoting, drivers ──► table, picture, JSON
    sample_market ────────────────────────────────┘

``crashcover.cli`` declares the commands and ``crashcover.commands`` carries them out. Importing this package imports
nothing.
"""
