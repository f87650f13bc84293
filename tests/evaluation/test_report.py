"""Reports: whole, closed, and safe whatever things are called."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from sklearn_ser import EGeMAPS, recipes
from sklearn_ser.evaluation import evaluate_by_speaker
from tests.evaluation.helpers import Spy, drawn, evaluation_of

EMPTY = {"meta", "img", "br"}
EVIL = '<script>alert("x")</script>&'


class Page(HTMLParser):
    """Checks that what is opened is closed, and collects what is named."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.values, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.values += [value for name, value in attrs if name in ("src", "href")]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def pictures(page):
    """Return the pictures of a page, each with its width and height."""
    found = []
    for value in page.values:
        head, data = value.split(",")
        assert head == "data:image/png;base64"
        image = base64.b64decode(data)
        assert image.startswith(b"\x89PNG")
        size = (int.from_bytes(image[place : place + 4], "big") for place in (16, 20))
        found.append(tuple(size))
    return found


@pytest.fixture
def plain():
    return evaluation_of(*drawn(np.random.default_rng(0)))


def test_report_of_an_evaluation(corpus, tmp_path, feature_cache):
    evaluation = evaluate_by_speaker(recipes.egemaps_svc(memory=feature_cache), corpus)
    path = evaluation.report(tmp_path / "report.html")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert len(pictures(page)) == 3  # confusions, speakers, embedding
    assert {"html", "head", "style", "body", "h1", "table", "figcaption"} <= {
        *page.tags
    }
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    assert f"{evaluation.ua:.3f}" in page.text
    assert f"{evaluation.interval('ua').low:.3f} to " in page.text
    assert "estimator › svc__C" in page.text
    assert "versions › numpy" in page.text
    assert not re.search(r"https?://|<script|<link|@import", text)


def test_report_without_estimators(plain, tmp_path):
    page = Page(plain.report(tmp_path / "a.html").read_text(encoding="utf-8"))
    assert len(pictures(page)) == 2
    assert "Embedding" not in page.text


def test_report_of_one_speaker(tmp_path):
    one = evaluation_of(["anger", "fear"], ["anger", "fear"], ["a", "a"])
    page = Page(one.report(tmp_path / "a.html").read_text(encoding="utf-8"))
    assert len(pictures(page)) == 1
    assert "1 speaker, 1 fold" in page.text


def test_report_where_the_embedding_cannot_be_drawn(plain, monkeypatch, tmp_path):
    embedded = np.full((60, 3), np.nan)
    monkeypatch.setattr(type(plain), "_representation", lambda self: embedded)
    page = Page(plain.report(tmp_path / "a.html").read_text(encoding="utf-8"))
    assert "It cannot be drawn: embedding contains NaN" in page.text


def test_estimator_of_recordings_has_no_embedding(corpus):
    assert evaluate_by_speaker(Spy(), corpus)._representation() is None
    assert evaluate_by_speaker(egemaps_and_spy(), corpus)._representation().ndim == 2


def egemaps_and_spy():
    from sklearn.pipeline import make_pipeline

    return make_pipeline(EGeMAPS(), Spy())


def test_names_of_the_user_are_escaped(tmp_path):
    truth, predicted, speaker = drawn(np.random.default_rng(0))
    evaluation = evaluation_of(
        np.where(truth == "fear", EVIL, truth),
        np.where(predicted == "fear", EVIL, predicted),
        np.where(speaker == "s1", EVIL, speaker),
        left_out=[EVIL],
        speaker_statistics=EVIL,
    )
    evaluation.settings["<b>"] = {EVIL: EVIL}
    object.__setattr__(evaluation.corpus, "name", EVIL)
    whole = evaluation.report(tmp_path / "a.html").read_text(encoding="utf-8")
    for text in (whole, evaluation._repr_html_()):
        page = Page(text)
        assert "script" not in page.tags
        assert "b" not in page.tags or text is not whole
        assert EVIL in page.text


def test_cautions(tmp_path):
    evaluation = evaluation_of(
        ["anger", "anger", "fear", "fear"],
        ["anger", "anger", "fear", "anger"],
        [*"abaa"],
        left_out=[f"{n}.wav" for n in range(12)],
        speaker_statistics="mean of each speaker",
    )
    text = Page(evaluation._repr_html_()).text
    assert "statistics of the held-out speakers: mean of each speaker." in text
    assert "Left out, without features: 0.wav, " in text
    assert "9.wav, 2 more." in text
    assert "Only the speaker a has fear" in text


def test_summary_has_calibration_where_it_is_known():
    truth = ["anger", "fear"] * 4
    evaluation = evaluation_of(
        *(truth, truth, [*"aabbccdd"]),
        probabilities=np.tile([[0.8, 0.2], [0.4, 0.6]], (4, 1)),
        probability_classes=["anger", "fear"],
    )
    assert "calibration error" in Page(evaluation._repr_html_()).text


def test_summary_has_the_spread_of_several_runs(plain):
    assert "sd over" not in plain._repr_html_()
    right = replace(plain, predicted=plain.truth)
    several = replace(plain, _runs=(plain, right))
    page = several._repr_html_()
    assert "sd over 2 runs" in page
    assert f"{several.spread['ua']:.3f}" in page
