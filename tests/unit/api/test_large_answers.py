"""Large answers: few at a time, in pages and parts."""

import asyncio
from datetime import timedelta

import pytest

from forewarn.ports.history import RollUp
from forewarn.testing.api_examples import NOW, model_card, rejected, stretch
from forewarn_api.http.answer_limit import AnswerLimitMiddleware

HEAVY = {"type": "http", "method": "GET", "path": "/api/v1/rejected"}


class Answers:
    """An application whose answers take until they are let go; counts how many are made at a time."""

    def __init__(self):
        self.go = asyncio.Event()
        self.begun = asyncio.Semaphore(0)
        self.now = self.most = self.made = 0

    async def __call__(self, scope, receive, send):
        self.now += 1
        self.most = max(self.most, self.now)
        self.begun.release()
        await self.go.wait()
        self.now -= 1
        self.made += 1


async def nothing(*_):
    return {}


async def test_few_large_answers_are_made_at_a_time_and_small_ones_never_wait():
    app = Answers()
    limited = AnswerLimitMiddleware(app, is_large=lambda scope: scope["path"] == HEAVY["path"], at_once=2)
    asked = [asyncio.create_task(limited(HEAVY, nothing, nothing)) for _ in range(6)]
    await app.begun.acquire()
    await app.begun.acquire()
    small = asyncio.create_task(limited({**HEAVY, "path": "/livez"}, nothing, nothing))
    await app.begun.acquire()
    app.go.set()
    await asyncio.gather(*asked, small)
    assert (app.most, app.made) == (3, 7)


async def test_a_request_that_waits_too_long_gets_503():
    app = Answers()
    limited = AnswerLimitMiddleware(app, is_large=lambda _: True, at_once=1, patience_s=0.01)
    first = asyncio.create_task(limited(HEAVY, nothing, nothing))
    await app.begun.acquire()
    sent = []

    async def send(message):
        sent.append(message)

    await limited(HEAVY, nothing, send)
    assert sent[0]["status"] == 503
    app.go.set()
    await first


@pytest.fixture
def paged(platform, monkeypatch):
    """A history of ten readings that is handed out as the database would."""
    whole = stretch(values=[float(n) for n in range(10)])

    async def history(query):
        platform.history.queries.append(query)
        rows = [n for n, ts in enumerate(whole.ts) if query.start <= ts < query.end]
        kept = rows[: query.max_points]
        part = stretch(values=[float(n) for n in kept])
        following = whole.ts[rows[query.max_points]] if len(rows) > query.max_points else None
        object.__setattr__(part, "ts", tuple(whole.ts[n] for n in kept))
        object.__setattr__(part, "next_start", following)
        return part

    monkeypatch.setattr(platform.history, "history", history)
    monkeypatch.setattr("forewarn_api.routes.state._MOST_NUMBERS", 3 * 12)
    return {"from": NOW.isoformat(), "to": (NOW + timedelta(minutes=1)).isoformat(), "columns": "flow_m3_h"}


def test_a_page_of_very_many_numbers_is_shorter_and_says_where_to_go_on(client, paged):
    answer = client.get("/api/v1/assets/P-101/history", params={**paged, "max_points": 8}).json()
    assert len(answer["ts"]) == 3
    assert answer["next_from"] == (NOW + timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(("asked", "lines"), [(8, 8), (100, 10), (2, 2)])
def test_a_file_is_made_of_such_pages_and_has_all_lines(client, platform, paged, asked, lines):
    params = {**paged, "max_points": asked, "format": "csv"}
    text = client.get("/api/v1/assets/P-101/history", params=params).text.splitlines()
    assert text[0].startswith("ts,count,flow_m3_h")
    assert len(text) == 1 + lines
    assert len({line.partition(",")[0] for line in text[1:]}) == lines
    assert max(query.max_points for query in platform.history.queries) <= 3
    assert {query.roll_up for query in platform.history.queries[1:]} <= {RollUp.RAW}


def test_a_refused_message_is_put_together_of_pieces(client, platform):
    platform.history.refused = (rejected(original=bytes(range(256)) * 40 + b"end"),)
    answer = client.get("/api/v1/rejected/readings.raw/3/17").json()
    assert answer["rejected"] == platform.history.refused[0].model_dump(mode="json")


def test_cards_come_in_pages_of_a_bounded_size(client, platform, monkeypatch):
    for n in range(5):
        platform.live.take_model(f"P-10{n}/twin", model_card(f"P-10{n}"))
    size = len(model_card("P-100").model_dump_json())
    monkeypatch.setattr("forewarn_api.routes.platform.MAX_ANSWER_BYTES", 2 * size + size // 2)
    seen, cursor = [], None
    while True:
        page = client.get("/api/v1/models", params={} if cursor is None else {"cursor": cursor}).json()
        assert len(page["items"]) <= 3
        seen += [card["asset_id"] for card in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"P-10{n}" for n in range(5)]
    assert client.get("/api/v1/models", params={"cursor": "bm90IGpzb24="}).status_code == 422
