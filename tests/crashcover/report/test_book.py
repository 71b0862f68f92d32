"""A report on a book: totals against sums one by one, capital against the pool, and a page that shows just that."""

import csv
import json
from decimal import Decimal

import numpy as np
import pytest

from crashcover.files.tables import BOOK_COLUMNS
from crashcover.report.book.file import read_whole_book
from crashcover.report.book.pooling import observations_of
from crashcover.report.book.reinsurance import describe_reinsurance, parse_reinsurance
from crashcover.report.page import write_page
from pool import LARGE_OWN_SHARE, ExcessOfLoss, Occurrence, QuotaShare
from pricing.errors import DataError, InvalidTermsError
from pricing.rates.store import RateStore
from pricing.tools.units import format_duration
from tests.crashcover.calling import call
from tests.crashcover.report.report_numbers import unfounded_numbers
from tests.crashcover.report.report_pages import Page

TOKENS = ("SYNTH-CALM", "SYNTH-WILD", "SYNTH-EVEN", "SYNTH-WHALE")
#: Confidence of bands, covers that are listed at most, and words of the template.
OF_THE_TEMPLATE = {"0", "1", "95"}
SCENARIOS, CAPITAL = 24_000, 40_000


def rows_of_a_book():
    """Full and linear covers of 30 and 14 days on four tokens; one that would cost its limit, one that no path hits."""
    rows = [
        [f"C-{token}-{drop}-{term}", token, drop, window, "rolling-high", payout, limit, "USD", term, "0h"]
        for token in TOKENS
        for drop, window, payout, limit, term in (
            (0.2, "24h", "full", 1_000, "30d"),
            (0.3, "24h", "linear:0.3:0.9", 2_500, "30d"),
            (0.15, "1h", "full", 500, "14d"),
        )
    ]
    rows.append(["C-CERTAIN", "SYNTH-WILD", 0.02, "24h", "rolling-high", "full", 100, "USD", "30d", "0h"])
    rows.append(["C-NEVER", "SYNTH-CALM", 0.999, "24h", "rolling-high", "full", 100, "USD", "30d", "0h"])
    return rows


def write_book(path, rows, columns=BOOK_COLUMNS):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("book")


@pytest.fixture(scope="module")
def book(folder):
    return write_book(folder / "book.csv", rows_of_a_book())


@pytest.fixture(scope="module")
def page_file(folder, book, sample_files):
    prices, holders = sample_files
    out = folder / "report.html"
    result = call(
        "report", "--book", book, "--prices", prices, "--holders", holders, "--capital", CAPITAL, "--paths", 4000,
        "--scenarios", SCENARIOS, "--seed", 3, "--out", out, "--commission-ratio", 0.05, "--tax-ratio", 0.1,
        "--reinsurance", "quota-share:0.25:0.2", "--reinsurance", "excess:period:5000:4000:50",
        "--share-of-capital", 0.3, "--large", "SYNTH-EVEN",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return out


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(page):
    assert page.slips == []
    assert len(set(page.ids)) == len(page.ids)
    assert all(reference.startswith("#") for reference in page.references)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed"}


def test_the_page_is_made_again_from_the_figures_to_the_last_byte(page_file, tmp_path):
    again = tmp_path / "again.html"
    assert call("report", "--from", page_file.with_suffix(".json"), "--out", again).exit_code == 0
    assert again.read_bytes() == page_file.read_bytes()


def test_no_number_on_the_page_is_without_one_in_the_figures(page, content):
    assert unfounded_numbers(page.text, content, OF_THE_TEMPLATE) == []


def test_premiums_add_up_to_the_cent(content, page):
    statement = content["premiums"]["statement"]
    lines = [Decimal(line["amount"]) for line in statement["lines"]]
    assert sum(lines) == Decimal(statement["gross"])
    assert Decimal(statement["gross"]) + Decimal(statement["tax"]) == Decimal(statement["total"])
    rows = {name: Decimal(amount.replace(",", "")) for name, amount in page.tables["build-up"][1:]}
    assert rows["Gross premium"] == sum(lines)
    charged = [amount for amount in lines if amount]
    assert list(rows.values())[: len(charged)] == charged
    assert len(charged) < len(lines)
    assert "Nothing is charged for " in page.text


def test_dependence_stands_beside_the_capital(content, page):
    rows = dict(page.tables["together"])
    alone = sum(token["alone"]["value"] for token in content["tokens"])
    assert rows["Correlation of two tokens' log worst drops, without own crashes"] == (
        f"{content['joint']['correlation']:.2f}"
    )
    together = content["pool"]["gross"]["tail_value_at_risk"]["value"]
    assert content["joint"]["sum_alone"] == pytest.approx(alone)
    assert together < alone
    assert page.text.index("Losses and capital") < page.text.index("How tokens fall together")
    assert page.text.index("How tokens fall together") < page.text.index("Sources of the losses")


def test_groups_are_named_beside_the_dependence(content):
    shares = {token["asset"]: (token["group"], token["own_share"]) for token in content["tokens"]}
    assert shares == {asset: (None, LARGE_OWN_SHARE if asset == "SYNTH-EVEN" else 1.0) for asset in TOKENS}
    assert any("Of the crashes, 13\xa0% of those of SYNTH-EVEN come alone" in each for each in content["model_limits"])
    tokens = [{**token, "group": "majors"} if token["asset"] in TOKENS[:2] else token for token in content["tokens"]]
    page = Page(write_page({**content, "tokens": tokens}))
    rows = dict(page.tables["together"])
    assert rows["Tokens that share a part of their deviation (majors)"] == "SYNTH-CALM, SYNTH-WILD"
    assert rows["Standard deviation of that part and of the rest of each (log)"] == "0.227 and 0.160"


def test_income_is_the_gross_premium_less_expenses_and_commission(content):
    lines = {line["name"]: float(line["amount"]) for line in content["premiums"]["statement"]["lines"]}
    gross = sum(lines.values())
    assert lines["expenses"] == pytest.approx(0.1 * gross, abs=0.2)
    assert lines["commission"] == pytest.approx(0.05 * gross, abs=0.2)
    assert content["premiums"]["income"] == pytest.approx(0.85 * gross, abs=0.4)
    assert content["pool"]["income"] == pytest.approx(content["premiums"]["income"] * (1 - 0.25 * 0.8) - 50)


def test_covers_that_would_not_be_sold_are_named_and_bring_losses_alone(content, page):
    refused = {each["cover_id"]: each["reason"] for each in content["premiums"]["refused"]}
    assert refused == {"C-CERTAIN": "uninsurable", "C-NEVER": "unresolved"}
    assert content["premiums"]["n_priced"] == len(rows_of_a_book()) - 2
    assert [row[0] for row in page.tables["refused"][1:]] == ["C-CERTAIN", "C-NEVER"]
    losses = {cover["cover_id"]: cover["expected"] for cover in content["covers"]}
    assert losses["C-CERTAIN"] == pytest.approx(100.0, rel=1e-3)
    assert losses["C-NEVER"] == 0.0


def test_expected_losses_of_the_pool_are_those_of_single_premiums(content):
    """Marginals are those of the surfaces up to one path of 24,000 ranks per cover, of at most 2,500 each."""
    lines = {line["name"]: float(line["amount"]) for line in content["premiums"]["statement"]["lines"]}
    from_prices = lines["expected_loss"] + lines["parameter_load"] + 100.0
    tolerance = sum(row[6] for row in rows_of_a_book()) * 3 / 4000
    assert content["pool"]["gross"]["expected"]["value"] == pytest.approx(from_prices, abs=tolerance)


def test_parts_add_up(content):
    pool, tokens, covers = content["pool"], content["tokens"], content["covers"]
    assert sum(token["limits"] for token in tokens) == content["limits"] == sum(row[6] for row in rows_of_a_book())
    assert sum(kind["n_covers"] for kind in content["kinds"]) == pool["n_covers"] == len(rows_of_a_book())
    assert sum(token["expected"]["value"] for token in tokens) == pytest.approx(pool["gross"]["expected"]["value"])
    whole = pool["net"]["tail_value_at_risk"]["value"]
    assert sum(token["tail"]["value"] for token in tokens) == pytest.approx(whole)
    assert sum(cover["tail"] for cover in covers) == pytest.approx(whole)  # fewer covers than are listed at most
    assert all(token["alone"]["value"] >= token["tail"]["value"] * (1 - 1e-12) for token in tokens)
    assert [token["tail"]["value"] for token in tokens] == sorted((t["tail"]["value"] for t in tokens), reverse=True)


def test_a_token_has_room_up_to_its_share_of_capital(content, page):
    for token in content["tokens"]:
        assert token["capacity"] == pytest.approx(0.3 * CAPITAL)
        assert token["room"] == pytest.approx(0.3 * CAPITAL - token["limits"])
    _, *rows, total = page.tables["tokens"]
    assert [row[0] for row in rows] == [token["asset"] for token in content["tokens"]]
    assert total[2] == f"{content['limits']:,.0f}"
    for row, token in zip(rows, content["tokens"], strict=True):
        assert float(row[4].replace(",", "").replace("−", "-")) == round(token["room"])
        tail = float(row[7].split()[0].replace(",", ""))
        assert tail == pytest.approx(token["tail"]["value"], abs=0.06 * token["tail"]["standard_error"])


def test_curves_obey_their_order(content):
    """A year holds at least its worst period, a period at least its worst token, and reinsurance only takes away."""
    for level in content["pool"]["return_levels"]:
        aggregate, period, asset = (
            level[name]["value"] for name in ("aggregate", "period_occurrence", "asset_occurrence")
        )
        assert aggregate >= period >= asset >= 0.0
    aggregates = [level["aggregate"]["value"] for level in content["pool"]["return_levels"]]
    assert aggregates == sorted(aggregates)
    for gross, net in zip(content["period_curves"]["gross"], content["period_curves"]["net"], strict=True):
        assert gross["value"] >= net["value"]
        # a quarter is ceded, and of what is left 4,000 above 5,000
        left = 0.75 * gross["value"]
        assert net["value"] == pytest.approx(left - np.clip(left - 5_000, 0, 4_000))


def test_years_beyond_the_scenarios_are_left_out(content):
    """24,000 scenarios are 2,000 years, and ten of them have to lie beyond the longest."""
    assert max(level["return_period"] for level in content["pool"]["return_levels"]) == 200.0
    assert content["shown_years"] == [2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 200.0]


def test_everything_taken_for_granted_is_on_the_page(content, page):
    stated = [sentence for token in content["token_assumptions"] for sentence in token["sentences"]]
    assert {token["asset"] for token in content["token_assumptions"]} == set(TOKENS)
    for sentence in [*content["assumptions"], *stated, *content["model_limits"], *content["aims"]["reinsurance"]]:
        assert " ".join(sentence.split()) in page.text
    for each in content["verdict"]:
        assert each["reason"] in page.text
    for token in content["tokens"]:
        assert token["model_digest"] in page.text


def test_rates_give_the_surfaces_that_were_published(folder, book, sample_files, tmp_path):
    prices, _ = sample_files
    rates = folder / "rates"
    published = call("rates", "--prices", prices, "--out", rates, "--paths", 2000, "--processes", 1)
    assert published.exit_code == 0, published.output
    out = tmp_path / "rates.html"
    source = ["--book", book, "--rates", rates]
    result = call("report", *source, "--capital", CAPITAL, "--scenarios", SCENARIOS, "--out", out)
    assert result.exit_code == 0, result.output
    content = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    store = RateStore.open(rates)
    for token in content["tokens"]:
        surface = store.surface(token["asset"])
        assert (token["model_digest"], token["seed"]) == (surface.model_digest, surface.settings.seed)
    assert Page(out.read_text(encoding="utf-8")).slips == []


def test_most_limits_choose_the_shape(book):
    ranking, shape = observations_of(read_whole_book(book))
    assert (format_duration(ranking.window), format_duration(ranking.term)) == ("24h", "30d")
    assert (format_duration(shape.window), format_duration(shape.term)) == ("1h", "14d")


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("drop", 50, "row 3: drop must be between 0 and 1, got 50.0 (a fraction: 50 % is 0.50)"),
        ("drop", "deep", "row 3: drop must be a number, got 'deep'"),
        ("limit", -1, "row 3: limit must be positive"),
        ("limit", "", "row 3: limit must not be empty"),
        ("term", "30", "row 3: term must be a duration"),
        ("window", "", "row 3: window"),
        ("payout", "half", "row 3: payout must look like full"),
        ("reference", "peak", "row 3: reference must be one of rolling-high"),
        ("currency", "EUR", "row 3: currency must be 'USD' in all rows, got 'EUR'"),
        (
            "cover_id",
            "C-SYNTH-CALM-0.2-30d",
            "row 3: cover_id must occur once, also found in row 2 (cover C-SYNTH-CALM-0.2-30d)",
        ),
        ("waiting_period", "40d", "row 3: waiting_period must be shorter than the term"),
    ],
)
def test_a_wrong_row_stops_the_report_and_is_named(tmp_path, column, cell, message):
    rows = rows_of_a_book()[:3]
    rows[1][BOOK_COLUMNS.index(column)] = cell
    with pytest.raises(DataError) as raised:
        read_whole_book(write_book(tmp_path / "book.csv", rows))
    assert message in str(raised.value)


def test_a_book_needs_all_columns(tmp_path):
    with pytest.raises(DataError, match=r"row 1: must have the columns .* lacks waiting_period"):
        read_whole_book(write_book(tmp_path / "book.csv", [row[:-1] for row in rows_of_a_book()], BOOK_COLUMNS[:-1]))


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--scenarios", 23_999], 4, "n_scenarios must be at least 24,000"),
        (["--reinsurance", "half"], 4, "reinsurance must look like"),
        (["--capital", -5], 4, "capital must be finite and not negative"),
    ],
)
def test_wrong_aims_are_one_line(book, sample_files, tmp_path, options, code, message):
    base = ["--book", book, "--prices", sample_files[0], "--capital", CAPITAL, "--paths", 200]
    result = call("report", *base, *options, "--out", tmp_path / "report.html")
    assert result.exit_code == code, result.output
    assert message in result.stderr


def test_an_asset_without_prices_is_bad_data(sample_files, tmp_path):
    rows = rows_of_a_book()[:2]
    rows[1][1] = "SYNTH-NONE"
    book = write_book(tmp_path / "book.csv", rows)
    result = call("report", "--book", book, "--prices", sample_files[0], "--capital", 1, "--out", tmp_path / "r.html")
    assert result.exit_code == 3
    assert "must hold every asset of the book, lacks SYNTH-NONE" in result.stderr


def test_contracts_are_read_and_told():
    share, excess = map(parse_reinsurance, ("quota-share:0.3:0.25", "excess:asset:100:inf:5"))
    assert share == QuotaShare(ceded=0.3, commission=0.25)
    assert excess == ExcessOfLoss(occurrence=Occurrence.ASSET, retention=100.0, limit=float("inf"), premium=5.0)
    assert "30 % of every loss" in describe_reinsurance(share)
    assert "all of the losses of an asset in a period above 100" in describe_reinsurance(excess)
    for text in ("excess:month:1:1:1", "quota-share:0.3", "excess", "stop-loss:1"):
        with pytest.raises(InvalidTermsError, match="reinsurance must look like"):
            parse_reinsurance(text)
    with pytest.raises(InvalidTermsError, match="ceded"):
        parse_reinsurance("quota-share:30:0.25")
