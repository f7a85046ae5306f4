"""The two public measures, by examples that their sources give or that can be counted by hand."""

from __future__ import annotations

import pytest
from evaluation.text_metrics import references, rouge_scores, shingle_scores


def test_the_same_text_is_perfect_and_no_text_is_nothing() -> None:
    for scored in (shingle_scores, rouge_scores):
        assert scored(["One two three four five."], "One two three four five.") == (1, 1, 1)
        assert scored(["One two three four five."], "") == (0, 0, 0)


def test_shingles_are_runs_of_four_words() -> None:
    # Of five words there are two runs, of six there are three; two are in both.
    precision, recall, f1 = shingle_scores(["one two three four five"], "one two three four five six")
    assert (precision, recall, f1) == (pytest.approx(2 / 3), 1, pytest.approx(0.8))


def test_rouge_takes_the_union_of_common_subsequences() -> None:
    # Lin 2004, section 3.2: w1 w2 w3 w4 w5 against "w1 w2 w6 w7 w8" and "w1 w3 w8 w9 w5" has the union w1 w2 w3 w5.
    precision, recall, _ = rouge_scores(["w1 w2 w3 w4 w5"], "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5")
    assert (precision, recall) == (pytest.approx(4 / 10), pytest.approx(4 / 5))


def test_an_optional_paragraph_may_be_there_or_not() -> None:
    truth = ["[A summary of it.]", "The text of the article."]
    assert set(references(truth)) == {("A summary of it.", "The text of the article."), ("The text of the article.",)}
    for scored in (shingle_scores, rouge_scores):
        assert scored(truth, "The text of the article.")[2] == 1
        assert scored(truth, "A summary of it.\n\nThe text of the article.")[2] == 1


def test_of_many_optional_paragraphs_all_are_there_or_none() -> None:
    assert len(list(references(["[a]"] * 5 + ["b"]))) == 2
