"""A quote: a premium with everything needed to reproduce it to the last bit."""

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation, Payment
from pricing.contract.payouts import payout_classes
from pricing.contract.sentences import terms_table
from pricing.contract.triggers import DropTrigger, Reference
from pricing.engine.simulation import simulate_observations
from pricing.errors import DataWarning, PricingError, QuoteRefusedError, ReproductionError, TooLargeError
from pricing.models.price_model import MODEL_CLASSES, PriceModel
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import premium
from pricing.premiums.loadings import CapitalCost, Loading, ParameterUncertainty
from pricing.premiums.premium import (
    Premium,
    PremiumFlag,
    build_up_frame,
    build_up_table,
    figures_table,
    reliability_notes,
)
from pricing.premiums.statements import Statement, rounded, statement
from pricing.principles import PRINCIPLE_CLASSES
from pricing.show import drawing
from pricing.show.html_tables import write_html
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools import plain
from pricing.tools.stored import format_name, parse_json, read_format
from pricing.version import ENGINE_VERSION

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_QUOTE_CLASSES = (
    *MODEL_CLASSES,
    *PRINCIPLE_CLASSES,
    CapitalCost,
    Cover,
    DropTrigger,
    Loading,
    Observation,
    ParameterUncertainty,
    Payment,
    Premium,
    PremiumFlag,
    PricingBasis,
    Reference,
    SimulationSettings,
)

#: Number of fields that an error names.
_MOST_NAMED = 3

_KIND = "quote"
_FORMAT_1, FORMAT = format_name(_KIND, 1), format_name(_KIND, 2)
_MOST_CHARACTERS = 2**26
#: Most steps of all paths together that are simulated to reproduce a quote.
MOST_STEPS = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A premium and every input that it depends on.

    Parameters
    ----------
    cover : Cover
        The contract.
    premium : Premium
        Its price, line by line.
    basis : PricingBasis
        The loadings.
    model : PriceModel
        The law of the price.
    settings : SimulationSettings
        Size and seed of the simulation.
    model_digest : str
        Identity of the model with its tables, and of the engine.
    uncertainty : ParameterUncertainty, optional
        Basis of the separate load for parameter uncertainty.
    engine_version : str
        Version of the engine that issued the quote.
    simulated_for : tuple of Observation
        Observations of the simulation, if rare drops were made common for all of them; otherwise empty, because worst
        drops do not depend on what else was simulated.
    format : str
        Version of the form in which the quote is stored.
    digest : str
        SHA-256 sum of everything else, written by ``to_json``; empty before, and in format 1. It shows damage, but
        anybody can create it: only the seal of a ``RateQuote`` proves who issued a quote.

    Raises
    ------
    PricingError
        If a part has another type.
    """

    cover: Cover
    premium: Premium
    basis: PricingBasis
    model: PriceModel
    settings: SimulationSettings
    model_digest: str
    uncertainty: ParameterUncertainty | None = None
    engine_version: str = ENGINE_VERSION
    simulated_for: tuple[Observation, ...] = ()
    format: str = FORMAT
    digest: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            if not isinstance(getattr(self, name), kind):
                raise PricingError(f"{name} of a quote must be a {kind.__name__}, got {getattr(self, name)!r:.80}")
        if self.uncertainty is not None and not isinstance(self.uncertainty, ParameterUncertainty):
            raise PricingError(f"uncertainty of a quote must be a ParameterUncertainty, got {self.uncertainty!r:.80}")
        if not all(isinstance(each, Observation) for each in self.simulated_for):
            raise PricingError(f"simulated_for of a quote must be observations, got {self.simulated_for!r:.80}")

    @property
    def price(self) -> Decimal:
        """Gross premium and tax in the currency of the cover, each rounded to the cent, halves up."""
        return rounded(self.premium.gross) + rounded(self.premium.tax)

    @property
    def statement(self) -> Statement:
        """Every line of the premium to the cent; they add up to the gross premium, and with the tax to the price."""
        return statement(self.premium)

    def to_frame(self) -> "pd.DataFrame":
        """Return the statement as a data frame: a row per line, then the sums, to the cent.

        Returns
        -------
        DataFrame
            Index ``line``; columns ``meaning``, ``amount`` and ``standard_error`` (NaN if it is not estimated).
        """
        return build_up_frame(self.statement, self.premium, self.basis.lines)

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the build-up of the premium, see ``Premium.plot``."""
        axes = self.premium.plot(axes, currency=self.cover.currency)
        drawing.title(axes, f"Premium of {self.cover.cover_id}")
        return axes

    def _repr_html_(self) -> str:
        cover, settings = self.cover, self.settings
        made = f"{settings.n_paths:,} paths, seed {settings.seed}, engine {self.engine_version}, "
        return write_html(
            f"Quote {cover.cover_id}",
            terms_table(cover, self.model.step),
            build_up_table(self.premium, self.basis.lines, cover.currency),
            figures_table(self.premium),
            notes=[*reliability_notes(self.premium.flag), f"{made}model {self.model_digest[:12]}."],
        )

    def to_json(self, *, indent: int | None = None) -> str:
        """Write the quote as JSON with sorted keys, and its digest."""
        whole = self if self.digest or self.format == _FORMAT_1 else replace(self, digest=self._sum())
        return plain.to_json(whole, indent=indent)

    def _sum(self) -> str:
        return hashlib.sha256(plain.to_json(replace(self, digest="")).encode()).hexdigest()

    @staticmethod
    def from_json(text: str, *, classes: Iterable[type] = ()) -> "Quote":
        """Read a quote.

        Parameters
        ----------
        text : str
            Output of ``to_json``.
        classes : iterable of type
            Payouts and laws of your own that the quote may contain.

        Raises
        ------
        PricingError
            If the text is not a quote, or has more than 2^26 characters.
        NewerFormatError
            If a newer release wrote it.
        """
        value, known = (
            parse_json(text, "a quote", most=_MOST_CHARACTERS),
            (*_QUOTE_CLASSES, *payout_classes(), *classes),
        )
        if not isinstance(value, dict) or value.get("type") != Quote.__name__:
            raise PricingError(f"not a quote but a {type(plain.from_plain(value, known)).__name__}")
        parts: dict[str, Any] = read_format(
            value.get("format", _FORMAT_1),
            _KIND,
            {
                1: lambda: {**value, "format": _FORMAT_1, "digest": ""},
                2: lambda: {**value, "digest": value.get("digest") or None},
            },
        )
        quote: Quote = plain.from_plain(parts, (Quote, *known))
        return quote

    def reproduce(self, *, n_threads: int = 1) -> "Quote":
        """Simulate and price again, and check that the bits are the same.

        Raises
        ------
        ReproductionError
            If the quote was altered, or was made by another engine or with other tables.
        TooLargeError
            If that takes more than 10^12 steps of paths: whoever wrote the quote chose the work.
        """
        settings = replace(self.settings, n_threads=n_threads)
        observations = self.simulated_for or (self.cover.observation,)
        n_steps = settings.n_paths * (max(each.term for each in observations) // self.model.step)
        if n_steps > MOST_STEPS:
            raise TooLargeError(
                f"quote {self.cover.cover_id!r}: n_paths times the steps of the term must be at most {MOST_STEPS:,} to "
                f"be simulated again, got {n_steps:,}"
            )
        self.require_same(simulate_observations(self.model, observations, settings))
        return self

    def require_same(self, surface: DropSurface) -> None:
        """Check that a surface gives the quote, bit for bit.

        Raises
        ------
        ReproductionError
            If it does not; the message names the fields that differ, as they are stored and as they are recalculated.
        """
        name = f"quote {self.cover.cover_id!r}"
        if self.engine_version != ENGINE_VERSION:
            raise ReproductionError(
                f"{name} is of engine {self.engine_version}, this is {ENGINE_VERSION} (use the release that issued it)"
            )
        if surface.model_digest != self.model_digest:
            raise ReproductionError(
                f"{name} was altered, or its quantile tables were made by another scipy: model_digest is "
                f"{self.model_digest}, its model gives {surface.model_digest}"
            )
        try:
            again = premium(self.cover, surface, self.basis, uncertainty=self.uncertainty)
        except QuoteRefusedError as error:
            raise ReproductionError(
                f"{name} was altered after it was issued: its terms are refused: {error}"
            ) from error
        if again != self.premium:
            raise ReproductionError(f"{name} was altered after it was issued: {_differences(self.premium, again)}")
        self._require_identity(name)

    def _require_identity(self, name: str) -> None:
        """Check what no figure depends on, such as the names of cover, asset and currency."""
        if self.format == _FORMAT_1:
            warnings.warn(
                f"{name} is of format 1, which has no digest: whether its cover_id, asset and currency were altered "
                "cannot be seen",
                DataWarning,
                stacklevel=3,
            )
        elif self.digest and self.digest != self._sum():
            raise ReproductionError(
                f"{name} was altered after it was issued: its digest is {self.digest}, its fields give {self._sum()} "
                "(its cover_id, asset or currency)"
            )


_KINDS: dict[str, type] = {
    "cover": Cover,
    "premium": Premium,
    "basis": PricingBasis,
    "model": PriceModel,
    "settings": SimulationSettings,
    "model_digest": str,
    "engine_version": str,
    "simulated_for": tuple,
    "format": str,
    "digest": str,
}


def _differences(stored: Premium, again: Premium) -> str:
    """Name the first fields that differ, with both values."""
    names = [each.name for each in fields(Premium) if getattr(stored, each.name) != getattr(again, each.name)]
    texts = [f"{name} is {getattr(stored, name)}, its terms give {getattr(again, name)}" for name in names]
    further = [f"and {len(names) - _MOST_NAMED} further fields"] if len(names) > _MOST_NAMED else []
    return "; ".join([*texts[:_MOST_NAMED], *further])
