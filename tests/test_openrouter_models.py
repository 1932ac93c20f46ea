"""What a service offers, which models are free, and what a key may still do today."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import support.openrouter_replies as replies
from openrouter_client import KeyInfo, OpenRouterError, RemoteModel, fetch_models, key_info
from support.fake_openrouter import FakeOpenRouter
from support.openrouter_replies import model_entry
from support.openrouter_settings import KEY, point_at


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenRouter]:
    """A server reached as openrouter.ai: the fake acts as the proxy and answers itself."""
    with FakeOpenRouter() as server:
        proxy = server.base_url.removesuffix("/api/v1")
        point_at(monkeypatch, "http://openrouter.ai/api/v1", proxy=proxy)
        yield server


def listed(fake: FakeOpenRouter, *entries: Any) -> dict[str, RemoteModel]:
    fake.models = list(entries)
    return {model.key: model for model in fetch_models()}


def usable(models: list[RemoteModel]) -> list[str]:
    return [model.key for model in models if model.free and model.usable]


def test_the_free_models_that_chat_are_told_from_the_others(fake: FakeOpenRouter) -> None:
    models = fetch_models()
    assert usable(models) == [
        "deepseek/deepseek-chat-v3.1:free",
        "google/gemma-4-31b-it:free",
        "nvidia/nemotron-3-ultra-550b-a55b:free",
        "cohere/north-mini-code:free",
        "openrouter/free",
    ]
    assert len(models) == len(fake.models)


def test_a_model_is_described_as_its_service_does(fake: FakeOpenRouter) -> None:
    found = listed(fake, model_entry("a/b:free", " A\n B ", context_length=8192, inputs=["text", "image"]))
    assert found["a/b:free"] == RemoteModel(
        key="a/b:free",
        label="A B",
        context_length=8192,
        inputs=frozenset({"text", "image"}),
        free=True,
        usable=True,
    )


def test_a_paid_model_is_found_and_known_as_paid(fake: FakeOpenRouter) -> None:
    found = listed(fake, model_entry("openai/gpt-6-luna", "Luna", price="0.00000125"))
    assert found["openai/gpt-6-luna"].usable
    assert not found["openai/gpt-6-luna"].free


@pytest.mark.parametrize(
    ("key", "pricing", "free"),
    [
        ("a/b:free", {"prompt": "0", "completion": "0"}, True),
        ("a/b:free", {"prompt": "0.000", "completion": 0}, True),
        ("openrouter/free", {}, True),
        ("a/b:free", {"prompt": "0", "completion": "0.0000001"}, False),
        ("a/b:free", {"prompt": "-1", "completion": "-1"}, False),
        ("a/b:free", {"prompt": "0"}, False),
        ("a/b:free", {"prompt": "nothing", "completion": "NaN"}, False),
        ("a/b:free", None, False),
        ("a/b:free", {"prompt": "0", "completion": "0", "request": "0.01"}, False),
        ("a/b:free", {"prompt": "0", "completion": "0", "image": "0.001"}, False),
        ("a/b:free", {"prompt": "0", "completion": "0", "internal_reasoning": "-1"}, False),
        ("a/b:free", {"prompt": "0", "completion": "0", "overrides": [{"prompt": "0.1"}]}, False),
        ("a/b:free", {"prompt": "0", "completion": "0", "request": "0", "image": None}, True),
        ("a/b:free", {"prompt": "0", "completion": "0", "web_search": "0.02", "discount": 0.5}, True),
        ("a/b:free", {"prompt": "0", "completion": "0", "overrides": [{"prompt": "0"}, 5]}, True),
        ("stealth/alpha", {"prompt": "0", "completion": "0"}, False),
        ("openrouter/auto", {"prompt": "0", "completion": "0"}, False),
    ],
)
def test_free_is_what_is_named_and_priced_so(
    fake: FakeOpenRouter, key: str, pricing: object, free: bool
) -> None:
    assert listed(fake, model_entry(key, "A", pricing=pricing))[key].free is free


@pytest.mark.parametrize(("days", "still"), [(-1, False), (0, True), (30, True)])
def test_a_model_is_offered_until_its_last_day(fake: FakeOpenRouter, days: int, still: bool) -> None:
    last_day = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    found = listed(fake, model_entry("a/b:free", "A", expiration_date=last_day))
    assert found["a/b:free"].usable is still


def test_what_gives_no_text_or_takes_none_is_not_for_chatting(fake: FakeOpenRouter) -> None:
    found = listed(
        fake,
        model_entry("a/decides:free", "A", outputs=["decisions"]),
        model_entry("a/paints:free", "A", outputs=["image"]),
        model_entry("a/hears:free", "A", inputs=["audio"]),
        model_entry("a/mute:free", "A", outputs=[]),
        model_entry("a/deaf:free", "A", inputs=[]),
        model_entry("a/odd:free", "A", outputs=[5]),
        model_entry("a/both:free", "A", outputs=["image", "text"]),
    )
    assert usable(list(found.values())) == ["a/both:free"]


def test_another_service_offers_everything_it_lists(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(monkeypatch, fake.base_url)
    bare = {"id": "llama3.2:1b", "object": "model", "created": 1, "owned_by": "library"}
    found = listed(fake, bare, model_entry("x/paid", "X", price="1"))
    assert usable(list(found.values())) == ["llama3.2:1b", "x/paid"]
    assert found["llama3.2:1b"].label == "llama3.2:1b"
    assert found["llama3.2:1b"].context_length is None
    assert found["llama3.2:1b"].inputs == {"text"}


def test_a_relay_that_tells_what_is_free_is_believed(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the bot would use paid models, and let guests use them."""
    point_at(monkeypatch, fake.base_url)
    dear = {"prompt": "0", "completion": "0", "request": "0.01"}
    found = listed(
        fake,
        model_entry("a/b:free", "A"),
        model_entry("x/paid", "X", price="1"),
        model_entry("x/y:free", "Y", pricing=dear),
    )
    assert usable(list(found.values())) == ["a/b:free"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("  \n ", "a/b:free"),
        ("\u200b\u2060", "a/b:free"),
        ("\u3164", "a/b:free"),
        ("Ла\x00ма \u202eабв", "Лама абв"),
        ("Лама \U0001f468\u200d\U0001f467 **3**", "Лама \U0001f468\u200d\U0001f467 **3**"),
        ("х" * 101, "х" * 99 + "…"),
        ("х" * 100, "х" * 100),
    ],
)
def test_a_name_can_stand_on_a_button(fake: FakeOpenRouter, name: str, label: str) -> None:
    assert listed(fake, model_entry("a/b:free", name))["a/b:free"].label == label


@pytest.mark.parametrize("key", ["Gemma 3 (local)", "модель", "/models/llama 3.gguf"])
def test_a_server_of_ones_own_names_its_models_as_it_likes(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    point_at(monkeypatch, fake.base_url)
    assert listed(fake, {"id": key})[key].usable


def test_the_whole_list_is_asked_for_in_one_request(fake: FakeOpenRouter) -> None:
    fetch_models()
    assert [(request.method, request.path, request.query) for request in fake.requests] == [
        ("GET", "/api/v1/models", {})
    ]
    assert fake.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_the_list_needs_no_key(fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY")
    assert fetch_models()
    assert "authorization" not in fake.requests[0].headers
    monkeypatch.setenv("OPENROUTER_API_KEY", "ключ")
    with pytest.raises(OpenRouterError, match="OPENROUTER_API_KEY"):
        fetch_models()


def test_entries_that_are_none_are_skipped_and_doubles_count_once(fake: FakeOpenRouter) -> None:
    good = {**model_entry("a/b:free", "A", architecture=None, context_length="many"), "name": 7}
    wrong: list[Any] = [
        None,
        5,
        {},
        {"id": 5},
        {"id": ""},
        {"id": "x" * 201},
        {"id": "a\n"},
        {"id": " "},
        {"id": "a\x00b"},
    ]
    wrong += [{"id": "a\tb"}, {"id": ["a/b"]}]
    found = listed(fake, *wrong, good, good)
    assert list(found) == ["a/b:free"]
    assert found["a/b:free"].context_length is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ODD = st.fixed_dictionaries(
    {"id": st.just("a/b:free") | JSON},
    optional={
        "name": JSON,
        "context_length": JSON,
        "expiration_date": JSON,
        "pricing": JSON | st.dictionaries(st.sampled_from(["prompt", "completion"]), JSON),
        "architecture": JSON
        | st.dictionaries(st.sampled_from(["input_modalities", "output_modalities"]), JSON),
    },
)


@given(entries=st.lists(ODD, max_size=3))
def test_no_entry_however_odd_breaks_the_reading(fake: FakeOpenRouter, entries: list[dict[str, Any]]) -> None:
    for model in listed(fake, *entries).values():
        assert model.key
        assert "text" in model.inputs or not model.usable


@pytest.mark.parametrize("listing", [{"data": {}}, {"data": None}, {}, [], "x", 5, {"error": "x"}])
def test_a_listing_that_is_none_is_an_error(fake: FakeOpenRouter, listing: object) -> None:
    fake.always(replies.body(listing), path="/models")
    with pytest.raises(OpenRouterError) as caught:
        fetch_models()
    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        (replies.status(500), 500),
        (replies.html(502), 502),
        (replies.body(b'{"data": ['), 502),
        (replies.reset(), 503),
        (replies.hang(headers=False), 504),
        (replies.repeat(b" "), 504),
    ],
)
def test_a_listing_that_does_not_come_is_an_error(
    fake: FakeOpenRouter, behaviour: replies.Behaviour, status: int
) -> None:
    fake.always(behaviour, path="/models")
    with pytest.raises(OpenRouterError) as caught:
        fetch_models(timeout_s=0.3)
    assert caught.value.status == status
    assert "одель" not in caught.value.msg  # no model was asked


def test_a_listing_beyond_all_measure_is_not_read_to_the_end(fake: FakeOpenRouter) -> None:
    fake.always(replies.body({"data": ["x" * 1_000_000] * 18}), path="/models")
    with pytest.raises(OpenRouterError, match="16 МБ"):
        fetch_models()
    fake.always(replies.body({"data": ["x" * 1_000_000] * 15}), path="/models")
    assert fetch_models() == []


def test_a_key_tells_what_is_left_of_the_day(fake: FakeOpenRouter) -> None:
    assert key_info() == KeyInfo(used=12, limit=50, remaining=38)
    assert fake.requests[0].path == "/api/v1/key"


@pytest.mark.parametrize("daily", [None, {}, {"used": "12", "limit": True, "remaining": -1}])
def test_what_a_key_does_not_tell_is_unknown(fake: FakeOpenRouter, daily: object) -> None:
    fake.key = {"free_model_daily_requests": daily}
    assert key_info() == KeyInfo(None, None, None)


def test_a_wrong_key_and_a_missing_one_are_told_apart(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.always(replies.status(401, "User not found."), path="/key")
    with pytest.raises(OpenRouterError, match="отклонён"):
        key_info()
    monkeypatch.delenv("OPENROUTER_API_KEY")
    with pytest.raises(OpenRouterError, match="Отсутствует"):
        key_info()
