"""Scores as frames and as a picture say what the summary says."""

import math

from matplotlib.figure import Figure

from backtest import deciles_frame, plot_actual_to_expected, scores_frame


def scores(ratio):
    decile = {"token_periods": 5, "events": 1, "quoted": 0.1, "came": [0.2, 0.0, None], "actual_to_expected": ratio}
    interval = [0.1, -0.2, 0.4]
    return {
        "token_periods": 10, "events": 2, "refused": 1, "actual_to_expected": ratio, "log_skill": interval,
        "brier_skill": interval, "auc_within_periods": [None, None, None], "by_decile": [decile, decile],
    }  # fmt: skip


SUMMARY = {
    "cells": [
        {"name": "first", "forecasters": {"constant": scores([1.1, 0.5, 2.0]), "gbm": scores([3.0, 1.5, None])}},
        {"name": "second", "forecasters": {"constant": scores([0.9, 0.4, 1.8])}},
    ]
}


def test_scores_are_a_row_per_cell_and_forecaster_with_their_intervals():
    frame = scores_frame(SUMMARY).set_index(["cell", "forecaster"])
    assert list(frame.index) == [("first", "constant"), ("first", "gbm"), ("second", "constant")]
    row = frame.loc[("first", "gbm")]
    assert (row["events"], row["refused"], row["actual_to_expected"], row["log_skill_lower"]) == (2, 1, 3.0, -0.2)
    assert math.isnan(row["actual_to_expected_upper"])
    assert math.isnan(row["auc_within_periods"])


def test_deciles_are_numbered_from_one_with_what_was_quoted_and_what_came():
    frame = deciles_frame(SUMMARY)
    assert list(frame["decile"]) == [1, 2] * 3
    assert frame.loc[0, ["quoted", "came", "came_lower"]].tolist() == [0.1, 0.2, 0.0]
    assert math.isnan(frame.loc[0, "came_upper"])


def test_the_picture_has_a_point_and_an_interval_for_every_score():
    axes = plot_actual_to_expected(SUMMARY, Figure().subplots())
    _one, *intervals, points = axes.lines
    assert list(points.get_xdata()) == [1.1, 3.0, 0.9]
    assert [next(iter(line.get_xdata())) for line in intervals] == [0.5, 1.5, 0.4]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "constant, first",
        "gbm, first",
        "constant, second",
    ]
    assert "95 % interval" in axes.get_xlabel()
