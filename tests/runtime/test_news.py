"""News for the watcher: in order, bounded, and it wakes."""

from __future__ import annotations

import threading

from loginward.core.facts import AccountFacts
from loginward.runtime import news as module
from loginward.runtime.news import Learnt, News, Stirred
from tests.doubles.moving import NOW

ANN = AccountFacts(account_id="id-ann", name="ann", read_at=NOW)


def test_what_came_is_taken_once_and_in_order():
    news = News()
    news.stirred("id-bob")
    news.learnt(ANN, ANN)
    assert news.is_waiting
    assert news.take() == (Stirred("id-bob"), Learnt(ANN, ANN))
    assert not news.is_waiting
    assert news.take() == ()


def test_whoever_waits_is_woken():
    news, woken = News(), []
    waiting = threading.Thread(target=lambda: woken.append(news.wait(10)))
    waiting.start()
    news.wake()
    waiting.join(10)
    assert woken == [True]
    assert not News().wait(0)


def test_a_flood_makes_the_oldest_go(monkeypatch):
    """The next poll finds what they would have told."""
    monkeypatch.setattr(module, "_MOST", 3)
    news = News()
    for n in range(5):
        news.stirred(f"id-{n}")
    assert news.take() == (Stirred("id-2"), Stirred("id-3"), Stirred("id-4"))
