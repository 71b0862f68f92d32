"""The workbook of a report calculates the premiums that Python does, to the cent, also after a change."""

import io
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crashcover.report.covers.premium_sheet import cover_mean
from crashcover.report.covers.workbook import write_workbook
from pricing import (
    CapitalCost,
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    Loading,
    Normal,
    PriceModel,
    PricingBasis,
    Quote,
    SimulationSettings,
    StandardDeviationPrinciple,
)
from pricing.contract.sentences import describe_cover
from pricing.errors import DataError, FallingRiskLoadError, UninsurableError
from pricing.premiums.build_up import Losses, add_up
from pricing.premiums.loadings import ParameterUncertainty
from pricing.principles import HazardTransform, TailValueAtRisk
from pricing.show.formats import words
from pricing.surface.estimates import Estimate
from tests.crashcover.report.spreadsheet import Spreadsheet

DAY = timedelta(days=1)
MODEL = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal())
UNCERTAIN = ParameterUncertainty(drops=(0.3,), shares=(0.1,))
FEE = Loading(name="oracle_fee", heading="oracle", meaning="m", of_loss=0.02, of_limit=0.01, fixed=3.0, of_gross=0.01)
HOSTILE = '=HYPERLINK("http://x")'


def quote_of(basis, *, mean, deviation, capital=0.5, uncertain=0.0, limit=1e5, days=30, name="C"):
    """Price losses whose moments are given, per unit of limit."""
    if isinstance(basis.risk_load, StandardDeviationPrinciple):
        price = mean + basis.risk_load.multiple * deviation
    elif isinstance(basis.risk_load, HazardTransform):
        price = sum(
            width * basis.risk_load.over(days * DAY).price_of_binary(chance) for width, chance in layers_of(mean)
        )
    else:
        price = 1.1 * mean
    losses = Losses(Estimate(mean, 0.0), Estimate(mean, 0.0), Estimate(price, 0.0), Estimate(capital, 0.0))
    cover = Cover(
        cover_id=name, asset=HOSTILE, trigger=DropTrigger(drop=0.3), payout=FullPayout(), limit=limit, currency="USD",
        term=f"{days}d",
    )  # fmt: skip
    premium = add_up(losses, basis, name=name, limit=limit, term=cover.term, uncertain=uncertain)
    return Quote(
        cover=cover, premium=premium, basis=basis, model=MODEL, settings=SimulationSettings(n_paths=1000, seed=1),
        model_digest="0" * 64, uncertainty=UNCERTAIN if uncertain else None,
    )  # fmt: skip


def layers_of(mean):
    """Return layers of a payment: a quarter of the limit is paid twice as often as the rest."""
    return [[0.25, 2.0 * mean / 1.25], [0.75, mean / 1.25]]


def content_of(quotes, deviations):
    """Return the values of a report that a workbook shows."""
    return {
        "asset": HOSTILE,
        "synthetic": False,
        "engine_version": "1",
        "simulation": {"n_paths": 1000, "seed": 1},
        "calibration": {"as_of": "2026-01-01T00:00:00+00:00"},
        "quotes": [json.loads(quote.to_json()) for quote in quotes],
        "refused": [],
        "covers": [
            {
                "cover_id": quote.cover.cover_id,
                "currency": "USD",
                "limit": quote.cover.limit,
                "terms": describe_cover(quote.cover),
                "statement": {"standard_error": "1.00"},
                "payment_deviation": deviation * quote.cover.limit,
                "payment_layers": layers_of(cover_mean(quote)),
            }
            for quote, deviation in zip(quotes, deviations, strict=True)
        ],
    }


def require_premium(sheet, quote, number=1):
    """Compare every line, exact and to the cent, with those of Python."""
    page, written = f"Cover {number}", quote.statement
    exact, cents = (sheet.column(page, "Line", column) for column in "BC")
    wanted = {words(name): amount for name, amount in written.lines.items()}
    wanted |= {"Gross premium": written.gross, "Tax": written.tax, "To pay": written.total}
    amounts = [*quote.premium.lines.values(), quote.premium.gross, quote.premium.tax, quote.premium.total]
    for (name, amount), value in zip(wanted.items(), amounts, strict=True):
        # a spreadsheet has no expm1: chances are precise to the last digits of 1, and amounts to those of the limit
        assert exact[name] == pytest.approx(value, rel=1e-12, abs=max(1e-9, 1e-15 * quote.cover.limit)), name
        assert Decimal(f"{cents[name]:.2f}") == amount, name


def is_half_a_cent(quote):
    """Python rounds a double as it is, a spreadsheet as its first fifteen digits: they may differ at half a cent."""
    amounts = [*quote.premium.lines.values(), quote.premium.gross, quote.premium.tax]
    return any(abs(200 * amount - round(200 * amount)) < 1e-6 and round(200 * amount) % 2 for amount in amounts)


RATIOS = st.floats(0.0, 0.2)
BASES = st.builds(
    PricingBasis,
    risk_load=st.builds(StandardDeviationPrinciple, multiple=st.floats(0.0, 1.0))
    | st.builds(HazardTransform, margin=st.floats(0.0, 2.0), capital_rate=RATIOS, least_capital=st.floats(0.0, 1.0))
    | st.just(TailValueAtRisk(level=0.9)),
    parameter_load=RATIOS,
    capital=st.none() | st.builds(CapitalCost, annual_rate=RATIOS),
    expense_ratio=RATIOS,
    fixed_expense=st.floats(0.0, 50.0),
    commission_ratio=RATIOS,
    profit_ratio=RATIOS,
    tax_ratio=RATIOS,
    minimum_premium=st.floats(0.0, 500.0),
    minimum_rate_on_line=st.floats(0.0, 0.2),
    loadings=st.sampled_from([(), (FEE,), (FEE, replace(FEE, name="second", of_gross=0.0))]),
)


@given(
    basis=BASES,
    mean=st.floats(1e-6, 0.3),
    deviation=st.floats(0.0, 0.5),
    capital=st.floats(0.0, 1.0),
    part=st.sampled_from([0.0, 0.1, 0.5]),
    limit=st.floats(1_000.0, 1e8),
    days=st.integers(1, 365),
)
def test_formulas_give_the_premium_of_python_to_the_cent(basis, mean, deviation, capital, part, limit, days):
    if basis.capital is None:
        capital = 0.0
    try:
        quote = quote_of(
            basis, mean=mean, deviation=deviation, capital=capital, uncertain=part * mean, limit=limit, days=days
        )
    except (UninsurableError, FallingRiskLoadError):
        assume(False)
    assume(not is_half_a_cent(quote))
    require_premium(Spreadsheet(write_workbook(content_of([quote], [deviation]))), quote)


CHANGES = {
    "risk_load_multiple": lambda basis, value: replace(basis, risk_load=StandardDeviationPrinciple(multiple=value)),
    "capital_rate": lambda basis, value: replace(basis, capital=replace(basis.capital, annual_rate=value)),
    **{
        name: lambda basis, value, name=name: replace(basis, **{name: value})
        for name in (
            "parameter_load", "expense_ratio", "fixed_expense", "commission_ratio", "profit_ratio", "tax_ratio",
            "minimum_premium", "minimum_rate_on_line",
        )
    },
    "oracle_fee_of_loss": lambda basis, value: replace(basis, loadings=(replace(FEE, of_loss=value),)),
    "oracle_fee_of_limit": lambda basis, value: replace(basis, loadings=(replace(FEE, of_limit=value),)),
    "oracle_fee_fixed": lambda basis, value: replace(basis, loadings=(replace(FEE, fixed=value),)),
    "oracle_fee_of_gross": lambda basis, value: replace(basis, loadings=(replace(FEE, of_gross=value),)),
}  # fmt: skip
HAZARD_CHANGES = {
    f"hazard_{name}": lambda basis, value, name=name: replace(
        basis, risk_load=replace(basis.risk_load, **{name: value})
    )
    for name in ("margin", "capital_rate", "least_capital")
}
BASIS = PricingBasis(
    risk_load=StandardDeviationPrinciple(multiple=0.25),
    tax_ratio=0.05,
    commission_ratio=0.1,
    fixed_expense=2.0,
    capital=CapitalCost(annual_rate=0.1),
    loadings=(FEE,),
)
LOSSES = ({"mean": 0.0317, "deviation": 0.171}, {"mean": 0.0023, "deviation": 0.043, "limit": 54_321.0, "days": 90})


@pytest.fixture(scope="module")
def workbook():
    quotes = [quote_of(BASIS, **losses, name=f"{HOSTILE}-{place}") for place, losses in enumerate(LOSSES)]
    return write_workbook(content_of(quotes, [losses["deviation"] for losses in LOSSES]))


@pytest.mark.parametrize("name", CHANGES)
def test_a_loading_that_is_changed_changes_every_premium_as_in_python(workbook, name):
    sheet, value = Spreadsheet(workbook), 0.1234
    sheet.change(name, value)
    for number, losses in enumerate(LOSSES, start=1):
        require_premium(sheet, quote_of(CHANGES[name](BASIS, value), **losses), number)


@pytest.mark.parametrize("name", HAZARD_CHANGES)
def test_a_changed_load_on_the_crash_rate_changes_every_premium_as_in_python(name):
    basis, value = replace(BASIS, risk_load=HazardTransform()), 0.1234
    quotes = [quote_of(basis, **losses, name=f"C-{place}") for place, losses in enumerate(LOSSES)]
    sheet = Spreadsheet(write_workbook(content_of(quotes, [0.1, 0.1])))
    sheet.change(name, value)
    for number, losses in enumerate(LOSSES, start=1):
        require_premium(sheet, quote_of(HAZARD_CHANGES[name](basis, value), **losses), number)


def test_a_limit_that_is_changed_changes_the_premium_of_its_cover(workbook):
    sheet = Spreadsheet(workbook)
    sheet.change("limit_1", 77_777.0)
    require_premium(sheet, quote_of(BASIS, **LOSSES[0] | {"limit": 77_777.0}), 1)
    require_premium(sheet, quote_of(BASIS, **LOSSES[1]), 2)
    assert sheet.cells("Premiums", "C5") == 77_777.0
    sheet.change("limit_1", 0.001)
    assert sheet.column("Cover 1", "Line", "C")["Result"].startswith("uninsurable")


def test_every_loading_of_a_basis_is_a_named_cell(workbook):
    names = set(Spreadsheet(workbook).names)
    assert set(CHANGES) <= names
    assert {f"{name}_{n}" for name in ("limit", "mean", "deviation", "capital", "years") for n in (1, 2)} <= names


def test_names_are_texts_and_the_values_of_formulas_are_stored(workbook):
    formulas, values = (openpyxl.load_workbook(io.BytesIO(workbook), data_only=stored) for stored in (False, True))
    texts = [cell.value for page in formulas for row in page.iter_rows() for cell in row if cell.data_type == "s"]
    assert sum(text.startswith(HOSTILE) for text in texts) == 4  # a title and a row of the summary for each cover
    counted = 0
    for page in formulas:
        for row in page.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    counted += 1
                    assert HOSTILE not in cell.value
                    assert values[page.title][cell.coordinate].value is not None
    assert counted > 60
    quote = quote_of(BASIS, **LOSSES[0])
    assert values["Premiums"]["E5"].value == float(quote.statement.gross)


def test_a_refused_cover_is_a_row_with_its_reason():
    content = content_of([quote_of(BASIS, **LOSSES[0])], [0.1])
    refused = {**content["covers"][0], "cover_id": "R"}
    content["covers"].append(refused)
    content["refused"] = [{"cover": {"cover_id": "R"}, "reason": "uninsurable", "message": "it reaches the limit"}]
    page = openpyxl.load_workbook(io.BytesIO(write_workbook(content)))["Premiums"]
    assert [page["A6"].value, page["I6"].value] == ["R", "Uninsurable: it reaches the limit"]


def test_a_report_that_cannot_be_written_is_one_line():
    quote = quote_of(BASIS, **LOSSES[0])
    other = quote_of(replace(BASIS, tax_ratio=0.2), **LOSSES[0], name="D")
    with pytest.raises(DataError, match="quotes must have one basis in a workbook, got 2"):
        write_workbook(content_of([quote, other], [0.1, 0.1]))
    content = content_of([quote], [0.1])
    del content["covers"][0]["payment_deviation"]
    with pytest.raises(DataError, match="report lacks payment_deviation.*write the report again"):
        write_workbook(content)


ALWAYS_CALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>"""


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice (soffice) is not installed")
def test_libreoffice_calculates_the_same(workbook, tmp_path):
    """The original, and copies whose loadings were changed without a stored value."""
    profile = tmp_path / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(ALWAYS_CALCULATE)
    changed = ("risk_load_multiple", "minimum_rate_on_line", "oracle_fee_of_gross")
    files = {name: tmp_path / f"{name}.xlsx" for name in ("original", *changed)}
    for name, path in files.items():
        sheet = Spreadsheet(workbook)
        if name in CHANGES:
            sheet.change(name, 0.1234)
        sheet.book.save(path)  # openpyxl stores formulas without values
    program = ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to"]
    out = tmp_path / "out"
    subprocess.run([*program, "xlsx", "--outdir", out, *files.values()], check=True, capture_output=True, timeout=300)
    for name, path in files.items():
        basis = CHANGES[name](BASIS, 0.1234) if name in CHANGES else BASIS
        pages = openpyxl.load_workbook(out / path.name, data_only=True)
        for number, losses in enumerate(LOSSES, start=1):
            written = quote_of(basis, **losses).statement
            shown = {row[0]: row[2] for row in pages[f"Cover {number}"].iter_rows(values_only=True) if row[0]}
            wanted = {words(line): amount for line, amount in written.lines.items()} | {"To pay": written.total}
            assert {line: Decimal(f"{shown[line]:.2f}") for line in wanted} == wanted, name
