"""An exchange on this machine that speaks as much of Binance's public interface as is needed, and misbehaves on demand.

Its prices are made up. It answers what is true unless a mood says otherwise; every question about bars uses up one.
"""

import json
import random
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HOUR = 3_600_000
START = 1_704_067_200_000  # 2024-01-01T00:00Z

#: Status and Retry-After of refusals.
REFUSALS = {
    "busy": (429, "7"),
    "banned": (418, "120"),
    "banned for long": (418, "7200"),
    "failing": (503, None),
    "forbidden": (451, None),
    "no JSON": (200, None),
}
#: Moods after which the same question is answered rightly, so that the truth is found with patience.
PASSING = (
    "busy", "banned", "failing", "no JSON", "closed", "cut off", "cut short", "empty", "repeated", "shuffled",
    "doubled", "short", "one bar", "microseconds", "worthless",
)  # fmt: skip


def make_bars(n_bars, *, length=HOUR, start=START, holes=(), seed=1):
    """Return bars as Binance writes them: time, open, high, low, close, volume and further columns."""
    prices = random.Random(seed)
    bars, close = [], 1.0
    for place in range(n_bars):
        opened, before, close = start + place * length, close, round(close * prices.uniform(0.97, 1.03), 8)
        if place not in holes:
            high, low = round(max(before, close) * 1.01, 8), round(min(before, close) * 0.99, 8)
            texts = [f"{price:.8f}" for price in (before, high, low, close)]
            bars.append([opened, *texts, f"{prices.uniform(1, 9):.2f}", opened + length - 1, "0", 1, "0", "0", "0"])
    return bars


class FakeBinance:
    """State of the exchange.

    ``bars`` holds the bars of each symbol, ``now`` the time on its clock, ``moods`` how it answers the next questions
    about bars, ``most`` the largest page that it gives, and ``asked`` the paths and queries of all questions.
    """

    def __init__(self, bars, *, now, most=1000):
        self.bars, self.now, self.most = bars, now, most
        self.moods, self.asked, self.url = [], [], None
        self.before_answer = lambda: None
        self._last_page = []

    def truth(self, symbol="OMUSDT", length=HOUR):
        """Return opening time and prices of all bars that are closed on the clock of the exchange."""
        return [(bar[0], *map(float, bar[1:5])) for bar in self.bars[symbol] if bar[0] + length <= self.now]

    def page(self, query, mood):
        """Return the bars that a question asks for, in the way of the mood."""
        since, limit = int(query["startTime"][0]), min(int(query["limit"][0]), self.most)
        limit = {"short": min(limit, 3), "one bar": 1}.get(mood, limit)
        page = [bar for bar in self.bars[query["symbol"][0]] if since <= bar[0] <= self.now][:limit]
        if mood == "repeated":
            return self._last_page
        self._last_page = page
        if mood == "worthless":
            return [[bar[0], "0", *bar[2:]] for bar in page]
        if mood == "shuffled":
            return random.Random(len(page)).sample(page, len(page))
        if mood == "microseconds":
            return [[bar[0] * 1000, *bar[1:]] for bar in page]
        return {"empty": [], "doubled": page + page[:5]}.get(mood, page)

    def exchange_info(self):
        """Return the list of symbols."""
        sizes = ("baseAssetPrecision", "quotePrecision", "baseCommissionPrecision", "quoteCommissionPrecision")
        symbols = [
            {
                "symbol": symbol,
                "status": "TRADING",
                "baseAsset": symbol.removesuffix("USDT"),
                "quoteAsset": "USDT",
                "isSpotTradingAllowed": True,
                "permissions": ["SPOT"],
                "filters": [],
                "orderTypes": [],
                **dict.fromkeys(sizes, 8),
            }
            for symbol in self.bars
        ]
        return {"timezone": "UTC", "serverTime": self.now, "rateLimits": [], "exchangeFilters": [], "symbols": symbols}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        exchange = self.server.exchange
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        exchange.asked.append((parts.path, query))
        exchange.before_answer()
        if parts.path.endswith("/time"):
            self._send(200, json.dumps({"serverTime": exchange.now}))
        elif parts.path.endswith("/exchangeInfo"):
            self._send(200, json.dumps(exchange.exchange_info()))
        else:
            self._send_bars(exchange, query, exchange.moods.pop(0) if exchange.moods else "honest")

    def _send_bars(self, exchange, query, mood):
        if mood in REFUSALS:
            code, wait = REFUSALS[mood]
            return self._send(code, "<html>not now</html>", {"Retry-After": wait} if wait else {})
        if mood == "closed":
            self.close_connection = True
            return None
        text = json.dumps(exchange.page(query, mood))
        if mood in ("cut off", "cut short"):
            half = text[: len(text) // 2]
            return self._send(200, half, promised=len(text) if mood == "cut short" else None)
        return self._send(200, text)

    def _send(self, code, text, headers=(), *, promised=None):
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **dict(headers)}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(promised or len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
        self.close_connection = promised is not None

    def log_message(self, *_arguments):
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_arguments):
        """Say nothing: clients leave while an answer is written, because a test stops them."""


@contextmanager
def serving(exchange):
    """Serve an exchange at ``exchange.url``."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.exchange = exchange
    exchange.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield exchange
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
