"""A report on covers: every figure on the page is one of the JSON, and the JSON is what the engine says."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from calibration import calibrate, explain, inputs_of, remodel
from calibration.verdict import Verdict
from crashcover import sample_market
from crashcover.report.covers import pictures
from crashcover.report.page import write_json, write_page
from pricing import Quote
from pricing.contract.observation import Observation
from pricing.show.formats import without_advice, words
from tests.crashcover.calling import call
from tests.crashcover.report.report_numbers import unfounded_numbers
from tests.crashcover.report.report_pages import Page
from tests.crashcover.report.spreadsheet import Spreadsheet

#: Numbers of the template: confidence of bands and intervals, terms of the law, the most paths of a slope.
OF_THE_TEMPLATE = {"0", "1", "24", "30", "90", "95", "100", "100.0", "1h", "24h", "20,000"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def sources(sample_files):
    prices, holders = sample_files
    return ["--prices", prices, "--holders", holders, "--asset", "SYNTH-WHALE", "--supply", 1e9]


@pytest.fixture(scope="module")
def page_file(folder, sources):
    """Two covers that are sold and one that is not, with every loading."""
    out = folder / "covers.html"
    result = call(
        "report", *sources, "--drop", 0.2, "--drop", 0.3, "--drop", 0.99, "--paths", 5000, "--seed", 9, "--out", out,
        "--capital-rate", 0.1, "--commission-ratio", 0.05, "--profit-ratio", 0.03, "--tax-ratio", 0.19,
        "--fixed-expense", 1.25, "--minimum-rate-on-line", 0.09, "--xlsx", out.with_suffix(".xlsx"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return out


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(page, page_file):
    assert page.slips == []
    assert len(set(page.ids)) == len(page.ids)
    assert all(reference.startswith("#") for reference in page.references)
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed"}
    text = page_file.read_text(encoding="utf-8")
    assert "@import" not in text
    assert text.count("url(") == text.count("url(#")


def test_the_page_is_made_again_from_the_figures_to_the_last_byte(page_file, content, tmp_path):
    again = tmp_path / "again.html"
    result = call("report", "--from", page_file.with_suffix(".json"), "--out", again)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(again)]
    assert again.read_bytes() == page_file.read_bytes()
    # Names in another order are the same figures.
    shuffled = tmp_path / "shuffled.json"
    shuffled.write_text(json.dumps(dict(reversed(content.items()))))
    assert call("report", "--from", shuffled, "--out", again).exit_code == 0
    assert again.read_bytes() == page_file.read_bytes()


def test_no_number_on_the_page_is_without_one_in_the_figures(page, content):
    assert unfounded_numbers(page.text, content, OF_THE_TEMPLATE) == []


def test_a_number_that_is_nowhere_would_be_found(content):
    assert unfounded_numbers("a premium of 98,765.43", content, OF_THE_TEMPLATE) == ["98,765.43"]


def test_the_waterfall_adds_up_to_the_gross_premium_to_the_cent(content, page):
    quotes = {quote["cover"]["cover_id"]: quote for quote in content["quotes"]}
    for cover in content["covers"][:2]:
        statement, premium = cover["statement"], quotes[cover["cover_id"]]["premium"]
        lines = {line["name"]: Decimal(line["amount"]) for line in statement["lines"]}
        assert sum(lines.values()) == Decimal(statement["gross"])
        assert Decimal(statement["gross"]) + Decimal(statement["tax"]) == Decimal(statement["total"])
        for name, amount in lines.items():
            assert abs(float(amount) - premium[name]) < 0.01
    lines = content["covers"][0]["statement"]["lines"]
    charged = [line for line in lines if line["amount"] != "0.00"]
    table = page.tables["build-up"][1 : len(charged) + 4]
    rows = {name: Decimal(amount.replace(",", "")) for name, amount, _, _ in table}
    parts = [amount for name, amount in rows.items() if name not in ("Gross premium", "Tax", "To pay")]
    assert len(parts) == len(charged) < len(lines)
    assert "Nothing is charged for parameter load" in page.text  # what is nothing is one sentence below the table
    assert sum(parts) == rows["Gross premium"]
    assert rows["Gross premium"] + rows["Tax"] == rows["To pay"]


def test_the_result_says_what_the_quotes_say(page, content):
    header, *rows = page.tables[""][:4]
    assert header == ["Cover", "Trigger probability, %", "Expected payments", "Gross premium", "Rate on line"]
    for row, quote in zip(rows, content["quotes"], strict=False):
        premium = Quote.from_json(json.dumps(quote)).premium
        name, probability, payments, gross, rate = row
        assert name == quote["cover"]["cover_id"]
        assert float(probability.split()[0]) == pytest.approx(100 * premium.trigger_probability, abs=0.006)
        assert float(payments.split()[0].replace(",", "")) == pytest.approx(
            premium.expected_loss + premium.parameter_load, abs=0.6
        )
        assert float(gross.split()[0].replace(",", "")) == pytest.approx(premium.gross, abs=0.0051)
        assert float(rate.split()[0]) == pytest.approx(100 * premium.rate_on_line, rel=0.005)
    assert rows[2][1:] == ["none of 5,000 paths", "–", "unresolved", "–"]


def test_the_workbook_calculates_the_statements_of_the_page(page_file, content):
    sheet = Spreadsheet(page_file.with_suffix(".xlsx").read_bytes())
    sold = [cover for cover in content["covers"] if cover["quoted"]]
    for number, cover in enumerate(sold, start=1):
        cents = sheet.column(f"Cover {number}", "Line", "C")
        for line in cover["statement"]["lines"]:
            assert f"{cents[words(line['name'])]:.2f}" == line["amount"]
        assert f"{cents['To pay']:.2f}" == cover["statement"]["total"]


def test_the_figures_are_a_document_of_quotes(page_file, content):
    result = call("reproduce", page_file.with_suffix(".json"))
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 2
    assert [refused["reason"] for refused in content["refused"]] == ["unresolved"]


def test_everything_taken_for_granted_is_on_the_page(page, content):
    assumptions = content["calibration"]["assumptions"]
    assert len(assumptions) >= 8
    for sentence in assumptions:
        assert " ".join(sentence.split()) in page.text
    for name in content["calibration"]["verdict"]:
        assert explain(Verdict[name])[0] in page.text
    for part in content["calibration"]["hazard"]["parts"]:
        assert part["source"] in page.text
    for identity in (content["simulation"]["model_digest"], content["engine_version"], "seed 9", "Synthetic."):
        assert identity in page.text


def test_a_refusal_is_shown_with_its_reason(page, content):
    assert "Refused: unresolved" in page.text
    assert without_advice(content["refused"][0]["message"]) in page.text


def test_the_page_gives_no_advice_on_the_command_line(page):
    for word in ("--", "crashcover ", "n_paths", "fit_market"):
        assert word not in page.text


def test_a_grid_of_drops_and_terms_comes_first(page, content):
    header, *rows = page.tables["grid"]
    assert header == ["Fall within 24h of at least", "30d"]
    assert [row[0] for row in rows] == ["20 %", "30 %", "99 %"]
    for row, cover in zip(rows, content["covers"], strict=True):
        shown = f"{float(cover['statement']['gross']):,.0f}" if cover["quoted"] else "Unresolved"
        assert row[1].startswith(shown)
    assert page.text.index("Fall within 24h") < page.text.index("Trigger probability")


def test_the_falls_of_the_history_are_those_that_settlement_finds(content):
    closes = sample_market.closes(sample_market.WHALE)
    history = content["history"]
    assert (history["drop"], history["window"]) == (0.2, "24h")
    drops = 1.0 - closes / closes.rolling(25, min_periods=1).max()
    assert len(history["falls"]) > 0
    for fall in history["falls"]:
        assert drops.loc[f"{fall['time']}Z"] >= 0.2 - 1e-12
        assert closes.loc[f"{fall['time']}Z"] == pytest.approx(fall["close"])
    assert max(fall["drop"] for fall in history["falls"]) == pytest.approx(drops.max())
    assert len(history["closes"]) == len(history["times"]) <= 500


def test_the_curve_meets_its_anchors_and_lies_in_its_band(content):
    cover = content["covers"][1]
    curve, anchors = cover["curve"], cover["anchors"]
    met = dict(zip(curve["drops"], curve["probabilities"], strict=True))
    compared = [
        (met[drop], p) for drop, p in zip(anchors["drops"], anchors["probabilities"], strict=True) if drop in met
    ]
    common = [pair for pair in compared if pair[1] > 0.01]
    assert len(common) >= 6
    np.testing.assert_allclose(*np.array(common).T, rtol=1e-6)
    for lower, value, upper in zip(curve["lower"], curve["probabilities"], curve["upper"], strict=True):
        assert 0.0 < lower <= value * (1 + 1e-12)
        assert value <= upper * (1 + 1e-12) <= 1.0 + 1e-9


def test_the_simulated_curve_is_of_the_same_paths(content):
    """Anchoring moves weights and no path: three paths reach the same drops, and the same law is another one."""
    curve, simulated = content["covers"][1]["curve"], content["covers"][1]["simulated_curve"]
    assert curve["drops"] == simulated["drops"]
    assert max(np.abs(np.subtract(curve["probabilities"], simulated["probabilities"]))) > 0.01


def test_moves_are_those_of_the_law_where_a_cover_is_anchored(content):
    """At an anchored drop the simulation says what the law says, so the slope is that of the law."""
    token = sample_market.WHALE
    calibration = calibrate(
        sample_market.closes(token), holders=sample_market.holders(token), supply=sample_market.SUPPLY
    )
    inputs = inputs_of(calibration)

    def loss(hazard):
        model = remodel(calibration, replace(inputs, hazard=hazard))
        (anchor,) = [anchor for anchor in model.anchors if anchor.observation == Observation()]
        return 100_000 * dict(zip(anchor.drops, anchor.probabilities, strict=True))[0.3]

    expected = 0.01 * (loss(1.05 * inputs.hazard) - loss(0.95 * inputs.hazard)) / 0.1
    (move,) = [move for move in content["covers"][1]["moves"] if move["name"] == "rate of own crashes"]
    assert move["expected_loss"]["value"] == pytest.approx(expected, rel=1e-4)


def test_drivers_add_up_to_the_expected_loss(content):
    for cover in content["covers"][:2]:
        assert sum(share["value"] for share in cover["drivers"]) == pytest.approx(1.0, abs=1e-9)


@pytest.fixture(scope="module")
def document(folder, sources):
    path = folder / "quotes.json"
    result = call("quote", *sources, "--drop", 0.2, "--drop", 0.99, "--paths", 2000, "--json")
    path.write_text(result.stdout, encoding="utf-8")
    return path


def test_a_document_of_quotes_suffices(document, folder, sources):
    from_document, from_data = folder / "document.html", folder / "data.html"
    assert call("report", "--quote", document, "--out", from_document).exit_code == 0
    data = ["--drop", 0.2, "--drop", 0.99, "--paths", 2000, "--out", from_data]
    assert call("report", *sources, *data).exit_code == 0
    said, meant = (
        json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in (from_document, from_data)
    )
    for name in ("calibration", "simulation", "grid", "quotes", "refused", "verdict"):
        assert said[name] == meant[name]
    unknown = {"drivers", "effects", "model_error", "moves"}
    for one, other in zip(said["covers"], meant["covers"], strict=True):
        assert {name: one[name] for name in one.keys() - unknown} == {
            name: other[name] for name in other.keys() - unknown
        }
        assert one["drivers"] is None
    page = Page(from_document.read_text(encoding="utf-8"))
    assert page.slips == []
    assert unfounded_numbers(page.text, said, OF_THE_TEMPLATE) == []
    assert "The anchors stay the same" in page.text


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            lambda value: value["quotes"][0]["premium"].update(gross=1.0),
            7,
            "was altered after it was issued: gross is 1.0",
        ),
        (lambda value: value["quotes"][0].update(model_digest="0"), 7, "was altered, or its quantile tables"),
        (lambda value: value.update(quotes=[]), 3, "holds no quote"),
        (lambda value: value.pop("calibration"), 3, "must hold a calibration"),
        (lambda value: value["refused"][0].pop("reason"), 3, "an invalid refusal"),
    ],
)
def test_a_document_that_is_wrong_makes_no_report(document, tmp_path, change, code, message):
    value = json.loads(document.read_text(encoding="utf-8"))
    change(value)
    path, out = tmp_path / "quotes.json", tmp_path / "report.html"
    path.write_text(json.dumps(value))
    result = call("report", "--quote", path, "--out", out)
    assert result.exit_code == code
    assert message in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(("drop", "reason"), [(0.001, "uninsurable"), (0.9999, "unresolved")])
def test_when_every_cover_is_refused_the_page_says_why(sources, tmp_path, drop, reason):
    out = tmp_path / "refused.html"
    assert call("report", *sources, "--drop", drop, "--paths", 1000, "--out", out).exit_code == 6
    content = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    page = Page(out.read_text(encoding="utf-8"))
    assert page.slips == []
    assert f"Refused: {reason}" in page.text
    assert without_advice(content["refused"][0]["message"]) in page.text
    assert "build-up" not in page.tables


def test_a_token_without_anchors_and_with_tiers_has_a_page_too(sample_files, tmp_path):
    prices, _ = sample_files
    lines = prices.read_text(encoding="utf-8").splitlines(keepends=True)
    five_hourly = tmp_path / "five_hourly.csv"
    five_hourly.write_text("".join([lines[0], *lines[5::5]]))
    out = tmp_path / "tiers.html"
    result = call(
        "report", "--prices", five_hourly, "--asset", "SYNTH-WILD", "--drop", 0.2, "--paths", 2000, "--out", out,
        "--payout", "tiered:0.2=0.5,0.3=1", "--waiting-period", "5d", "--window", "50h",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    page = Page(out.read_text(encoding="utf-8"))
    assert page.slips == []
    assert "the model has no anchors" in page.text
    assert "50 % from a drop of 20 %, 100 % from a drop of 30 %" in page.text
    assert "There is no cover in the first 5d" in page.text


@pytest.fixture
def drawn_once(monkeypatch):
    """Draw each picture once for the same figures."""

    def remember(draw):
        drawn = {}

        def look_up(*figures):
            key = json.dumps(figures)
            if key not in drawn:
                drawn[key] = draw(*figures)
            return drawn[key]

        return look_up

    for draw in (pictures.exceedance, pictures.history, pictures.worst_month):
        monkeypatch.setattr(f"crashcover.report.page.{draw.__name__}", remember(draw))


@pytest.mark.usefixtures("drawn_once")
def test_every_figure_that_is_changed_changes_the_page(content):
    """The page shows the figures of the content and no others."""
    (grid,) = content["grid"]
    one_row = {**grid, "rows": grid["rows"][:1]}
    one_cover = write_json(content | {"covers": content["covers"][:1], "grid": [one_row]})
    page = write_page(json.loads(one_cover))

    def changed(change):
        value = json.loads(one_cover)
        change(value)
        return write_page(value) != page

    cover = lambda value: value["covers"][0]  # noqa: E731
    assert changed(lambda value: cover(value)["statement"]["lines"][2].update(amount="1.00"))
    assert changed(lambda value: cover(value).update(payment_deviation=1.0))
    assert changed(lambda value: cover(value)["curve"]["probabilities"].__setitem__(20, 0.5))
    assert changed(lambda value: cover(value)["simulated_curve"]["upper"].__setitem__(20, 1.0))
    assert changed(lambda value: cover(value)["drivers"][0].update(standard_error=0.09))
    assert changed(lambda value: cover(value)["effects"][0].update(value=7.0))
    assert changed(lambda value: value["history"]["falls"].clear())
    assert changed(lambda value: cover(value)["moves"][0]["gross"].update(value=1.0))
    assert changed(lambda value: value["simulation"]["anchoring"].update(effective_share=0.1))
    assert changed(lambda value: value["calibration"]["crashes"][0].update(credibility_factor=3.0))
    assert changed(lambda value: value["calibration"]["worst_months"][0]["probabilities"].__setitem__(9, 0.5))
    assert changed(lambda value: value["quotes"][0]["premium"].update(rate_on_line=0.77))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "choose one of --from, --quote, --book, --drop"),
        (["--drop", 0.3, "--book", "b.csv"], "choose one of"),
        (["--drop", 0.3], "--drop needs --prices"),
        (["--from", "r.json", "--prices", "p.csv"], "--from cannot be combined with --prices"),
        (["--quote", "q.json", "--holders", "h.csv"], "--quote cannot be combined with --holders"),
        (["--book", "b.csv", "--capital", 1], "--book needs either --prices or --rates"),
        (["--book", "b.csv", "--prices", "p.csv"], "--book needs --capital"),
        (
            ["--book", "b.csv", "--prices", "p.csv", "--capital", 1, "--asset", "A"],
            "--book cannot be combined with --asset",
        ),
        (["--book", "b.csv", "--rates", "r", "--capital", 1, "--xlsx", "b.xlsx"], "cannot be combined with --xlsx"),
        (["--from", "r.json", "--xlsx", "r.xls"], "must end in .xlsx"),
        (["--from", "r.json", "--xlsx", "no/such/folder/r.xlsx"], "the folder of"),
        (["--from", "r.json", "--out", "report.pdf"], "must end in .html"),
        (["--from", "r.json", "--out", "no/such/folder/report.html"], "the folder of"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_read(arguments, message):
    result = call("report", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not JSON"), ("[]", "must be a report in the format"), ('{"format": "other"}', "must be a report")],
)
def test_a_file_that_is_no_report_is_bad_data(tmp_path, text, message):
    path = tmp_path / "report.json"
    path.write_text(text)
    result = call("report", "--from", path, "--out", tmp_path / "report.html")
    assert result.exit_code == 3
    assert message in result.stderr
    missing = call("report", "--from", Path("none.json"), "--out", tmp_path / "report.html")
    assert missing.exit_code == 3
    assert "no such file" in missing.stderr
