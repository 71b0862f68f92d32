"""The nightly job: prices in, calibrated and simulated surfaces of all tokens out, published as one version.

::

    prices ──► night ──► token (one task per token) ──► publication ──► pricing.rates.store
    holders ─►   │           │                                 ▲
    market ─────►┘           └──► documents                    └── yesterday's, where tonight's failed
"""
