"""Every format of the gallery is read without an option, and gives the closes of the clean file."""

import gzip
import lzma
import re
import zipfile
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from crashcover import read_prices
from crashcover.files.panels import read_columns
from crashcover.files.price_formats.named import NAMED_FORMATS
from pricing.errors import DataError
from tests.checkout import CHECKOUT

GALLERY = Path(__file__).parent / "gallery"
FILES = sorted(path for path in GALLERY.iterdir() if not path.name.startswith("clean"))
KLINES, CLEAN = GALLERY / "hourly-binance-klines.csv", GALLERY / "clean-hourly.csv"
PAGE = (CHECKOUT / "docs" / "price-formats.md").read_text(encoding="utf-8")

of_every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def clean(name="hourly"):
    table = pd.read_csv(GALLERY / f"clean-{name.partition('-')[0]}.csv", parse_dates=["time"], index_col="time")
    return table["close"]


def assert_clean(history, expected=None):
    expected = clean() if expected is None else expected
    pd.testing.assert_series_equal(history.closes, expected, check_freq=False, check_index_type=False, rtol=0, atol=0)


@pytest.mark.parametrize("known", NAMED_FORMATS, ids=lambda known: known.name)
def test_a_format_reads_no_column_by_which_it_is_not_recognised(known):
    assert {known.time, known.close, *([known.asset] if known.asset else [])} <= set(known.columns)


def header_of(path):
    """Return the line of column names of a table, None if it has none."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return next((line for line in lines if re.search(r"[A-Za-z]{3}.*[,;\t]", line)), None)


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix in (".csv", ".tsv") and header_of(path)], ids=lambda path: path.name
)
def test_no_renamed_column_makes_another_price(path, tmp_path):
    text, header = path.read_text(encoding="utf-8-sig"), header_of(path)
    for name in re.split(r"[,;\t]", header):
        renamed = re.sub(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", "x", header, count=1)
        (tmp_path / path.name).write_text(text.replace(header, renamed, 1), encoding="utf-8")
        with suppress(DataError):
            assert set(read_prices(tmp_path / path.name).closes.dropna()) <= set(clean(path.name))


@of_every_file
def test_every_format_gives_the_closes_of_the_clean_file(path):
    assert_clean(read_prices(path), clean(path.name))


#: Files whose volumes are in tokens, or may be in money or contracts; the others have none.
IN_TOKENS = {
    *("hourly-binance-api.json", "hourly-binance-klines.csv", "hourly-binance-klines-with-header.csv"),
    *("hourly-binance-klines-from-2025.csv", "hourly-bitfinex-api.json", "hourly-bitmex.csv", "hourly-bitstamp.csv"),
    *("hourly-bitstamp-api.json", "hourly-bybit-api.json", "hourly-ccxt.csv", "hourly-coinapi.json"),
    *("hourly-coinbase-api.json", "hourly-coinbase.csv", "hourly-gate-api.json", "hourly-huobi-api.json"),
    *("hourly-hyperliquid.json", "hourly-kraken-api.json", "hourly-kraken-ohlcvt.csv", "hourly-kucoin-api.json"),
    *("hourly-semicolons-decimal-commas.csv", "hourly-tradingview.csv", "hourly-tradingview-iso.csv"),
    "hourly-tradingview-udf.json",
}


@of_every_file
def test_volumes_are_read_where_they_are_in_tokens(path):
    history = read_prices(path)
    if path.name not in IN_TOKENS:
        assert history.volumes is None
        return
    assert history.volumes.index.sort_values().equals(pd.DatetimeIndex(history.closes.index))
    assert history.volumes.loc["2025-01-01T01:00:00Z"] == pytest.approx(39902.3, abs=0.5)


def test_a_volume_that_is_no_number_costs_the_volumes_and_no_price(tmp_path):
    text = (GALLERY / "hourly-ccxt.csv").read_text(encoding="utf-8").replace("48211.7", "many")
    (tmp_path / "hourly-ccxt.csv").write_text(text, encoding="utf-8")
    history = read_prices(tmp_path / "hourly-ccxt.csv")
    assert_clean(history)
    assert history.volumes is None


def test_the_gallery_is_large_and_on_the_page():
    assert len(FILES) >= 25
    included = re.findall(r"^```\{literalinclude\} \.\./tests/crashcover/files/gallery/(.+)$", PAGE, flags=re.MULTILINE)
    assert sorted(included) == sorted(path.name for path in GALLERY.iterdir())


@pytest.mark.parametrize(
    ("name", "notice"),
    [
        ("hourly-binance-klines.csv", "read as Binance klines: close at time"),
        ("hourly-hyperliquid.json", "read as Hyperliquid candles: c at t"),
        ("hourly-bitstamp.csv", "column timestamp is read as the open of the bar: the open of most bars is the close"),
        ("hourly-long.csv", "column price is read as the close"),
        ("hourly-cryptodatadownload.csv", "1 lines above the table are passed over"),
    ],
)
def test_a_notice_says_what_was_recognised(name, notice):
    assert any(each.startswith(notice) for each in read_prices(GALLERY / name).notices)


#: Token of each file that names it.
NAMED = {
    "hourly-panel.csv": "OM",
    "hourly-long.csv": "OM",
    "hourly-hyperliquid.json": "OM",
    "hourly-bitmex.csv": "OMUSDT",
    "hourly-cryptodatadownload.csv": "OMUSDT",
    "hourly-okx.csv": "OM-USDT",
    "daily-yfinance.csv": "OM-USD",
}


@of_every_file
def test_volumes_and_values_are_never_tokens_of_a_panel(path):
    if path.name in NAMED:
        ((name, closes),) = read_columns(path)
        assert name == NAMED[path.name]
        pd.testing.assert_series_equal(
            closes, clean(path.name), check_freq=False, check_index_type=False, rtol=0, atol=0
        )
        return
    with pytest.raises(DataError, match="got a column .*a file of one token"):
        list(read_columns(path))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gz", "xz"])
def test_packed_files_are_unpacked(tmp_path, pack, request):
    path = tmp_path / f"klines.csv.{request.node.callspec.id}"
    path.write_bytes(pack(KLINES.read_bytes()))
    assert_clean(read_prices(path))


def test_a_zip_archive_is_read_as_downloaded(tmp_path):
    path = tmp_path / "OMUSDT-1h-2024-12.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(KLINES, "OMUSDT-1h-2024-12.csv")
    assert_clean(read_prices(path))


@pytest.mark.parametrize("name", ["hourly-binance-klines-from-2025.csv", "hourly-binance-klines-with-header.csv"])
def test_months_in_one_archive_are_joined(tmp_path, name):
    path = tmp_path / "OMUSDT-1h.zip"
    lines = (GALLERY / name).read_text(encoding="utf-8").splitlines(keepends=True)
    header = lines[:1] if "header" in name else []
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("OMUSDT-1h-2025-01.csv", "".join([*header, *lines[6:]]))
        archive.writestr("OMUSDT-1h-2024-12.csv", "".join(lines[:6]))
    assert_clean(read_prices(path))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be-mark", "utf-32"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_marks_of_byte_order_and_line_ends_are_understood(tmp_path, encoding, ends):
    text = CLEAN.read_text(encoding="utf-8").replace("\n", ends)
    data = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-mark" else text.encode(encoding)
    path = tmp_path / "OM.csv"
    path.write_bytes(data)
    assert_clean(read_prices(path))


@pytest.mark.parametrize("naive", [True, False])
def test_excel_is_read_with_texts_or_with_its_own_times(tmp_path, naive):
    path, closes = tmp_path / "OM.xlsx", clean()
    times = closes.index.tz_localize(None) if naive else closes.index.strftime("%Y-%m-%dT%H:%M:%SZ")
    pd.DataFrame({"time": times, "close": closes.to_numpy()}).to_excel(path, index=False)
    assert_clean(read_prices(path))


@pytest.mark.parametrize("kind", ["feather", "parquet"])
def test_feather_files_of_freqtrade_are_read(tmp_path, kind):
    bars = pd.read_csv(GALLERY / "hourly-ccxt.csv")
    bars.insert(0, "date", pd.to_datetime(bars.pop("timestamp"), unit="ms", utc=True))
    path = tmp_path / f"OM_USDT-1h.{kind}"
    getattr(bars, f"to_{kind}")(path)
    assert_clean(read_prices(path))


@pytest.mark.parametrize("path", [KLINES, GALLERY / "hourly-coinbase.csv"], ids=lambda path: path.name)
def test_the_columns_can_be_told(tmp_path, path):
    columns = {"time": "1", "close": "5"} if path == KLINES else {"time": "when", "close": "Last"}
    other = tmp_path / "OM.csv"
    text = path.read_text(encoding="utf-8").replace("time,low,high,open,close", "when,low,high,open,Last")
    other.write_text(text, encoding="utf-8")
    assert_clean(read_prices(other, columns=columns, label="open"))


def test_columns_that_are_not_there_are_refused():
    with pytest.raises(DataError, match="row 1: must have a column Last, got time, close"):
        read_prices(CLEAN, columns={"time": "time", "close": "Last"})
    with pytest.raises(DataError, match="columns may name time, close, asset, open, high, low, got when=time"):
        read_prices(CLEAN, columns={"when": "time", "close": "close"})
    with pytest.raises(DataError, match="has no header: columns must name time and close, got time"):
        read_prices(KLINES, columns={"time": "1"})


def test_columns_that_are_not_told_are_found(tmp_path):
    path = tmp_path / "OM.csv"
    path.write_text(CLEAN.read_text(encoding="utf-8").replace("time,", "Zeit,"), encoding="utf-8")
    assert_clean(read_prices(path, columns={"time": "Zeit"}))
    path.write_text(CLEAN.read_text(encoding="utf-8").replace(",close", ",Kurs"), encoding="utf-8")
    assert_clean(read_prices(path, columns={"close": "Kurs"}))


def test_the_format_can_be_told_and_must_fit():
    assert_clean(read_prices(KLINES, format="binance-klines"))
    assert_clean(read_prices(GALLERY / "hourly-bitfinex-api.json", format="bitfinex"))
    with pytest.raises(DataError, match="format must be one of binance-klines, "):
        read_prices(KLINES, format="binance")
    with pytest.raises(DataError, match=r"row 1: must have the columns of coingecko \(snapped_at, price\), got time"):
        read_prices(CLEAN, format="coingecko")
    with pytest.raises(DataError, match="has no header, and 12 columns of no known format"):
        read_prices(KLINES, format="ccxt")


def test_rows_that_fit_two_formats_are_refused_in_one_line(tmp_path):
    path = tmp_path / "OM.csv"
    path.write_text("".join(f"{1735671600 + 3600 * hour},2,2,2,2,2\n" for hour in range(5)), encoding="utf-8")
    assert read_prices(path).closes.to_list() == [2.0] * 5  # all formats agree
    path.write_text("".join(f"{1735671600 + 3600 * hour},1,2,2,1,9\n" for hour in range(5)), encoding="utf-8")
    with pytest.raises(
        DataError,
        match="has no header, and fits Coinbase candles and Bitfinex candles: say which with --format, or name",
    ):
        read_prices(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("time,price,last", "price, last may be prices: say which with --format, or name the columns"),
        ("time,price,note", "price, note may be prices"),
        ("when,close,x", r"must have a time column .* \(name it: --columns time=NAME,close=NAME\)"),
    ],
)
def test_a_table_that_may_mean_two_things_is_refused_in_one_line(tmp_path, header, message):
    path = tmp_path / "OM.csv"
    path.write_text(f"{header}\n2025-01-01T01:00Z,1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"row 1: .*{message}") as caught:
        read_prices(path)
    assert "\n" not in str(caught.value)


def test_times_of_yfinance_that_have_the_name_of_another_column_are_refused(tmp_path):
    path = tmp_path / "OM.csv"
    path.write_text((GALLERY / "daily-yfinance.csv").read_text(encoding="utf-8").replace("Date,", "Ticker,"))
    with pytest.raises(DataError, match="row 1: must have different column names, got 'Ticker' twice"):
        read_prices(path)


def test_tokens_may_be_called_like_a_price_in_capitals(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text("time,LAST,PRICE,VOL\n2025-01-01T01:00Z,1,2,3\n", encoding="utf-8")
    assert [read_prices(path, asset=name).closes.iloc[0] for name in ("LAST", "PRICE", "VOL")] == [1.0, 2.0, 3.0]


def test_closes_outside_their_bar_are_noticed(tmp_path):
    path = tmp_path / "OM.csv"
    lines = (GALLERY / "hourly-coinbase.csv").read_text(encoding="utf-8").splitlines()
    fields = lines[3].split(",")
    lines[3] = ",".join([*fields[:4], "99", *fields[5:]])
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    notices = read_prices(path).notices
    assert "1 closes are not between low and high, the first in row 4" in notices


def test_daily_then_hourly_prices_keep_all_but_the_moment_of_the_download(tmp_path):
    path = tmp_path / "om-usd-max.csv"
    days = pd.date_range("2025-01-01", periods=8, freq="D", tz="UTC")
    hours = pd.date_range(days[-1] + pd.Timedelta("1h"), periods=20, freq="h")
    times = [*days, *hours, hours[-1] + pd.Timedelta("23min")]
    rows = [f"{time:%Y-%m-%d %H:%M:%S} UTC,{1 + at / 100},,\n" for at, time in enumerate(times)]
    path.write_text("snapped_at,price,market_cap,total_volume\n" + "".join(rows), encoding="utf-8")
    history = read_prices(path)
    assert history.closes.index.to_list() == times[:-1]
    assert "the last row, 2025-01-08T20:23:00+00:00, is between two bars: it is left out" in history.notices


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("hourly-cryptodatadownload.csv", "OMUSDT"),
        ("hourly-okx.csv", "OM-USDT"),
        ("daily-yfinance.csv", "OM-USD"),
    ],
)
def test_a_pair_is_found_by_its_base_with_a_notice(name, pair):
    history = read_prices(GALLERY / name, asset="OM")
    assert history.asset == "OM"
    assert f"{pair} is read as the price of OM" in history.notices
    with pytest.raises(DataError, match=f"asset 'O' is not in this file .did you mean {pair}|it holds {pair}"):
        read_prices(GALLERY / name, asset="O")
