"""Questions to a venue, asked again while it is busy or away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from textwrap import shorten
from typing import Any, NoReturn, TypeVar

from pricing.errors import DataError, VenueError
from pricing.tools.libraries import load_library
from pricing.tools.units import format_duration

Answer = TypeVar("Answer")
#: Function that tells the user something while work goes on.
Tell = Callable[[str], None]

_LONGEST_WAIT = 60.0  # seconds, unless the venue asks for more
_LONGEST_REASON = 200  # characters: a venue may answer with a page of HTML


class BadAnswerError(Exception):
    """An answer that makes no sense and may be right if the question is repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Asks a venue again until it answers, with growing waits, or as late as the venue demands.

    Parameters
    ----------
    exchange : ccxt exchange
        The venue.
    limit : timedelta
        Time after which an unanswered question is given up.
    tell : callable
        Told about every wait.
    sleep : callable
        Waits for a number of seconds.
    """

    exchange: Any
    limit: timedelta
    tell: Tell
    sleep: Callable[[float], None]

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer to a question.

        Raises
        ------
        VenueError
            If the venue cannot be reached in time, or refuses to serve this machine.
        DataError
            If its answers make no sense, or it knows nothing about what is asked for.
        """
        ccxt, tenacity = (load_library(name, extra="fetch") for name in ("ccxt", "tenacity"))
        again = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((ccxt.OperationFailed, BadAnswerError)),
            wait=lambda state: max(self._demanded(), tenacity.wait_exponential(max=_LONGEST_WAIT)(state)),
            stop=tenacity.stop_any(tenacity.stop_after_delay(self.limit), self._is_over),
            before=lambda _state: self._forget_headers(),
            before_sleep=self._tell_wait,
            retry_error_callback=self._give_up,
            sleep=self.sleep,
        )
        try:
            answer: Answer = again(question)
        except (ccxt.AuthenticationError, ccxt.RestrictedLocation) as error:
            raise VenueError(f"{self.exchange.id} does not serve this machine: {_reason(error)}") from error
        except ccxt.BaseError as error:
            raise DataError(f"{self.exchange.id} refuses: {_reason(error)}") from error
        return answer

    def _forget_headers(self) -> None:
        self.exchange.last_response_headers = {}  # a venue that does not answer leaves those of the answer before

    def _demanded(self) -> float:
        """Return the seconds that the venue asks to wait."""
        headers: Mapping[str, str] = self.exchange.last_response_headers or {}
        text = headers.get("Retry-After")
        urllib3 = load_library("urllib3", extra="fetch")
        try:
            return float(urllib3.util.Retry().parse_retry_after(text)) if text else 0.0
        except urllib3.exceptions.InvalidHeader:
            return 0.0

    def _is_over(self, state: Any) -> bool:
        return bool(state.idle_for + state.upcoming_sleep > self.limit.total_seconds())

    def _tell_wait(self, state: Any) -> None:
        reason = _reason(state.outcome.exception())
        self.tell(f"{self.exchange.id}: {reason}: asking again in {state.upcoming_sleep:.0f} s")

    def _give_up(self, state: Any) -> NoReturn:
        error = state.outcome.exception()
        ccxt = load_library("ccxt", extra="fetch")
        wrong = isinstance(error, BadAnswerError | ccxt.BadResponse)
        demand = f"; it asks to wait {self._demanded():.0f} s" if self._demanded() > self.limit.total_seconds() else ""
        raise (DataError if wrong else VenueError)(
            f"{self.exchange.id} gives no good answer within {format_duration(self.limit)}: {_reason(error)}{demand} "
            f"(what was fetched is kept; the same call continues)"
        ) from error


def _reason(error: BaseException) -> str:
    return shorten(str(error) or type(error).__name__, _LONGEST_REASON, placeholder=" ...")
