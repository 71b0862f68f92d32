"""Progress shows how much is done and how fast on a terminal, and nothing elsewhere."""

import re
import time

from crashcover.display.progress import stages
from pricing.tools.progress import silent


def show():
    with stages() as begin:
        done = begin("pricing", 1000)
        for count in (100, 300, 500):
            time.sleep(0.15)  # the bar is drawn ten times a second
            done(count)
        time.sleep(0.15)


def test_a_terminal_shows_count_rate_and_remaining_time(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # what makes any stream a terminal
    monkeypatch.setenv("COLUMNS", "120")
    show()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert "500/1000" in plain
    assert re.search(r"[1-9][\d,]*/s", plain)
    assert "0:00:0" in plain


def test_a_log_shows_a_line_per_minute(capsys):
    now = [0.0]
    with stages(clock=lambda: now[0]) as begin:
        done = begin("walking", 40)
        for seconds, count in ((0, 0), (59, 1), (61, 2), (119, 3), (122, 4), (130, 5)):
            now[0] = float(seconds)
            done(count)
        unknown = begin("reading", None)
        now[0] = 400.0
        unknown(7)
    assert capsys.readouterr().err.splitlines() == [
        "walking: 2 of 40 in 1 min, about 19 min left",
        "walking: 4 of 40 in 2 min, about 18 min left",
        "reading: 7 done in 4 min",
    ]


def test_a_log_shows_nothing_of_short_work(capsys):
    show()
    silent("pricing", None)(500)
    assert capsys.readouterr().err.strip() == ""
