import pytest

from crashcover.offers.windows import require_law
from crashcover.rates.night import RateSettings
from pricing.errors import InvalidTermsError

SLIP = "window must be at least 1h, got 30min: no record says how often tokens fall within a shorter time"


def test_windows_from_an_hour_on_and_covers_without_a_window_pass():
    require_law(["1h", "24h", None])


@pytest.mark.parametrize("windows", [["30min"], ["24h", "1800s"]])
def test_a_shorter_window_is_refused(windows):
    with pytest.raises(InvalidTermsError, match=SLIP):
        require_law(windows)
    with pytest.raises(InvalidTermsError, match=SLIP):
        RateSettings(windows=tuple(windows))


def test_commands_refuse_it_by_the_name_of_the_option(run, sample_files):
    result = run("quote", "--prices", sample_files[0], "--asset", "SYNTH-WILD", "--drop", 0.3, "--window", "30min")
    assert result.exit_code == 4
    assert result.stderr.endswith(
        f"error: --window: {SLIP} (a cover with a window of 1h pays whenever this one does)\n"
    )
    result = run("rates", "--prices", sample_files[0], "--window", "30min", "--out", sample_files[0].parent / "rates")
    assert result.exit_code == 4
    assert f"error: --window: {SLIP}" in result.stderr
