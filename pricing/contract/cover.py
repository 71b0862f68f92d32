"""The contract: trigger, payout, limit, term and waiting period for one asset."""

import math
from dataclasses import dataclass, field

from pricing.contract.observation import Observation, Payment
from pricing.contract.payouts import Payout
from pricing.contract.shares import require_payout
from pricing.contract.triggers import DropTrigger
from pricing.errors import InvalidTermsError
from pricing.tools.fields import require_kind, require_text
from pricing.tools.units import DurationField, as_number, default_duration, is_unicode, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A crash cover.

    Parameters
    ----------
    cover_id : str
        Name of the cover.
    asset : str
        Name of the token that is observed.
    trigger : DropTrigger
        Trigger of the payment.
    payout : FullPayout, LinearPayout, TieredPayout or any payout
        Share of the limit that is due.
    limit : float
        Largest payment, in `currency`.
    currency : str
        Currency of the limit and of the premium.
    term : timedelta or str
        Length of the cover, beginning at its sale.
    waiting_period : timedelta or str
        Time without cover at the start of the term. Observation, and with it every reference price, begins at its end.
    payment : Payment
        Time at which an amount due is paid.

    Attributes
    ----------
    observation : Observation
        Observation of the asset, and time of payment: the trigger without its drop, and the fields on time.

    Raises
    ------
    InvalidTermsError
        If a field is invalid.

    Examples
    --------
    >>> from pricing.contract.payouts import FullPayout
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.5), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> cover.term
    datetime.timedelta(days=30)
    """

    cover_id: str
    asset: str
    trigger: DropTrigger
    payout: Payout
    limit: float
    currency: str
    term: DurationField = default_duration("30d")
    waiting_period: DurationField = default_duration("0h")
    payment: Payment = Payment.AT_HIT
    observation: Observation = field(init=False, repr=False, compare=False, metadata={"plain": False})

    def __post_init__(self) -> None:
        for name in ("cover_id", "asset", "currency"):
            value = getattr(self, name)
            require_text(value, name, InvalidTermsError)
            if not is_unicode(value):
                raise InvalidTermsError(f"{name} must be a text that can be encoded, got {value!r} (half a character)")
        require_kind(self.trigger, "trigger", DropTrigger, InvalidTermsError)
        require_payout(self.payout)
        object.__setattr__(self, "limit", as_number(self.limit, "limit"))
        if not 0.0 < self.limit < math.inf:
            raise InvalidTermsError(f"limit must be positive and finite, got {self.limit}")
        observation = Observation(
            reference=self.trigger.reference,
            window=self.trigger.window,
            term=self.term,
            waiting_period=self.waiting_period,
            payment=self.payment,
        )
        object.__setattr__(self, "observation", observation)
        object.__setattr__(self, "term", observation.term)
        object.__setattr__(self, "waiting_period", observation.waiting_period)


def require_cover(cover: object) -> Cover:
    """Check that a value is a cover.

    Raises
    ------
    InvalidTermsError
        If it is anything else.
    """
    if not isinstance(cover, Cover):
        raise InvalidTermsError(f"cover must be a Cover, got {shown(cover)}")
    return cover
