"""From a walk to the summary and the page."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from backtest import Constant, GeometricBrownianMotion, TextbookGarch, Walked, WorstDropLaw, summarise, walk, write_page
from backtest.results.page import ends, number
from tests.backtest.conftest import TOKENS


@pytest.fixture(scope="module")
def walked(panel, plan, tmp_path_factory):
    forecasters = [
        Constant(),
        GeometricBrownianMotion(n_paths=1000),
        WorstDropLaw(),
        TextbookGarch(n_paths=200, share=0.4),
    ]
    return walk(panel, plan, forecasters, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def summary(panel, plan, walked):
    return summarise(panel, plan, walked)


def scores_of(summary, cell, name):
    return next(part for part in summary["cells"] if part["name"] == cell)["forecasters"][name]


def test_a_summary_is_json(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_scores_are_those_of_the_quotes(summary, walked):
    for name in ("constant", "gbm", "worst-drop-law"):
        scores = scores_of(summary, "15% in 24h in 30d", name)
        quoted = walked.quotes[name]["15% in 24h in 30d"]
        came = walked.outcomes["24h in 30d"] >= 0.15
        assert scores["token_periods"] == len(came)
        assert scores["events"] == came.sum()
        assert scores["actual_to_expected"][0] == pytest.approx(came.sum() / quoted.sum(), rel=1e-12)
        log_score = -np.where(came, np.log(quoted), np.log1p(-quoted)).mean()
        assert scores["log_score"][0] == pytest.approx(log_score, rel=1e-12)
        hindsight = (came.sum() + 0.5) / (len(came) + 1)
        against = -(came.mean() * np.log(hindsight) + (1 - came.mean()) * np.log1p(-hindsight))
        assert scores["log_skill_against_hindsight"][0] == pytest.approx(1.0 - log_score / against, rel=1e-9)


def test_parts_add_up_to_the_whole(summary):
    for cell in summary["cells"]:
        for scores in cell["forecasters"].values():
            for parts in (scores["by_decile"], scores["by_volatility"]):
                assert sum(part["token_periods"] for part in parts) == scores["token_periods"]
                assert sum(part["events"] for part in parts) == scores["events"]
            assert sum(scores["by_period"]["token_periods"]) == scores["token_periods"]
            assert sum(scores["money"]["losses"]) <= scores["events"]


def test_the_reference_has_no_skill_and_a_sample_is_held_against_it_on_the_same_covers(summary, walked):
    assert scores_of(summary, "15% in 24h in 30d", "constant")["log_skill"] == pytest.approx([0.0] * 3, abs=1e-9)
    quoted = walked.quotes["garch"]["15% in 24h in 30d"]
    chosen = quoted.notna()
    assert 0 < chosen.sum() < len(chosen)
    came = (walked.outcomes["24h in 30d"] >= 0.15)[chosen]
    losses = [
        -np.where(came, np.log(quotes), np.log1p(-quotes)).sum()
        for quotes in (quoted[chosen], walked.quotes["constant"]["15% in 24h in 30d"][chosen])
    ]
    scores = scores_of(summary, "15% in 24h in 30d", "garch")
    assert scores["token_periods"] == chosen.sum()
    assert scores["log_skill"][0] == pytest.approx(1.0 - losses[0] / losses[1], rel=1e-9)


def test_a_refused_token_is_scored_at_the_quote_of_the_reference(panel, plan, walked):
    table = walked.quotes["gbm"].copy()
    cells = [cell.name for cell in plan.cells]
    table[cells] = np.nan
    table["refusal"] = "InsufficientDataError: too short"
    summary = summarise(panel, plan, Walked(outcomes=walked.outcomes, quotes=walked.quotes | {"refusing": table}))
    refusing, constant = (scores_of(summary, cells[0], name) for name in ("refusing", "constant"))
    assert refusing["refused"] == len(table)
    assert refusing["refusals"] == {"InsufficientDataError": len(table)}
    assert refusing["log_score"] == constant["log_score"]


def test_a_longer_warm_up_scores_fewer_periods(panel, plan, walked, summary):
    fewer = summarise(panel, replace(plan, warm_up=3), walked)
    assert fewer["plan"]["starts"] == summary["plan"]["starts"][2:]
    assert fewer["plan"]["token_periods"] == summary["plan"]["token_periods"] - 2 * TOKENS


def test_a_token_without_an_outcome_is_not_scored(panel, plan, walked, summary):
    outcomes = walked.outcomes.copy()
    outcomes.loc[3, "24h in 30d"] = np.nan
    fewer = summarise(panel, plan, Walked(outcomes=outcomes, quotes=walked.quotes))
    assert fewer["plan"]["token_periods"] == summary["plan"]["token_periods"] - 1


def test_a_token_that_is_never_scored_is_named(panel, plan, walked, summary):
    outcomes = walked.outcomes.copy()
    outcomes.loc[outcomes["token"] == outcomes["token"][0], "24h in 30d"] = np.nan
    never = summarise(panel, plan, Walked(outcomes=outcomes, quotes=walked.quotes))
    assert never["plan"]["unscored"] == [*summary["plan"]["unscored"], outcomes["token"][0]]


class _Reader(HTMLParser):
    """Collects tags, ids and whatever would be fetched."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.ids = [], set(), set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        self.links |= {attributes[name] for name in ("src", "href", "xlink:href") if name in attributes}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(summary):
    one_cell = summary | {"cells": summary["cells"][2:3]}
    return write_page(one_cell)


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(page):
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    assert all(link.startswith("#") for link in reader.links)
    assert {link.removeprefix("#") for link in reader.links} <= reader.ids
    assert "<script" not in page
    assert not re.search(r"url\((?!#)", page)


def test_every_picture_names_its_axes_and_forecasters(page, summary):
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(pictures) == 4
    labels = [" ".join(ET.fromstring(picture).itertext()) for picture in pictures]
    for text, words in zip(
        labels,
        (["quoted probability, %", "observed frequency, %"], ["A/E", "decile"], ["% of tokens", "A/E"],
         ["% of events", "losses over gross premium, %"]),
        strict=True,
    ):  # fmt: skip
        assert all(word in text for word in words)
        assert all(name in text for name in summary["cells"][0]["forecasters"])


def test_the_page_says_how_intervals_are_made(page):
    text = " ".join(page.split())
    assert "clustered: tokens fall together, so whole periods are resampled" in text
    assert "2,000 bootstrap resamples, seed 1" in text


def test_the_same_summary_makes_the_same_page(summary, page):
    assert write_page(summary | {"cells": summary["cells"][2:3]}) == page


def test_numbers_that_do_not_exist_are_dashes():
    assert number(None, ".2f") == "–"
    assert ends([None, None, None], ".2f") == ""
    assert ends([1.0, 0.5, None], ".2f") == "0.50 to ∞"
    assert ends([0.0, None, 0.1], "+.1f") == "−∞ to +0.1"


def test_an_event_that_never_came_can_be_shown(panel, plan, walked):
    outcomes = walked.outcomes.assign(**{"1h in 30d": 0.01})
    summary = summarise(panel, plan, Walked(outcomes=outcomes, quotes=walked.quotes))
    assert summary["cells"][0]["events"] == 0
    assert "<svg" in write_page(summary | {"cells": summary["cells"][:1]})
