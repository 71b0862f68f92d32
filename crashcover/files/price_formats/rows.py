"""Formats without names of columns, which are told from each other by their number and by what can be a high."""

from crashcover.files.price_formats.price_format import PriceFormat

_BARS = ("open", "high", "low", "close")

ROW_FORMATS = (
    PriceFormat(
        name="binance-klines",
        title="Binance klines",
        columns=(
            *("time", *_BARS, "volume", "close_time", "quote_volume"),
            *("count", "taker_buy_volume", "taker_buy_quote_volume", "ignore"),
        ),
        label="open",
        volume="volume",
    ),
    PriceFormat(
        name="okx-rows",
        title="OKX candles",
        columns=("time", *_BARS, "volume", "currency_volume", "quote_volume", "confirm"),
        label="open",
    ),
    PriceFormat(
        name="kraken-api",
        title="Kraken OHLC",
        columns=("time", *_BARS, "vwap", "volume", "count"),
        label="open",
        volume="volume",
    ),
    PriceFormat(
        name="gate",
        title="Gate.io candlesticks",
        columns=("time", "quote_volume", "close", "high", "low", "open", "volume", "finished"),
        label="open",
        volume="volume",
    ),
    PriceFormat(
        name="kraken-ohlcvt",
        title="Kraken OHLCVT or Bybit klines",
        columns=("time", *_BARS, "volume", "count"),
        label="open",
        volume="volume",
    ),
    PriceFormat(
        name="kucoin",
        title="KuCoin candles",
        columns=("time", "open", "close", "high", "low", "volume", "turnover"),
        label="open",
        volume="volume",
    ),
    PriceFormat(
        name="ccxt",
        title="ccxt, freqtrade or GeckoTerminal",
        columns=("time", *_BARS, "volume"),
        label="open",
    ),
    PriceFormat(
        name="coinbase",
        title="Coinbase candles",
        columns=("time", "low", "high", "open", "close", "volume"),
        label="open",
        volume="volume",
    ),
    PriceFormat(
        name="bitfinex",
        title="Bitfinex candles",
        columns=("time", "open", "close", "high", "low", "volume"),
        label="open",
        volume="volume",
    ),
    PriceFormat(
        name="ohlc-rows",
        title="rows of time, open, high, low, close",
        columns=("time", *_BARS),
    ),
    PriceFormat(
        name="market-chart",
        title="CoinGecko market chart",
        columns=("time", "price"),
        close="price",
        label="close",
        ends_now=True,
    ),
)
