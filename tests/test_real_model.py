"""The bot with a real language model: tests the protocol of a real server, not the content of answers."""

import re
import time
from collections.abc import Callable, Iterator

import pytest

from openrouter_client import chat_once
from support import real_model
from support.harness import FOOTER, Harness, Message, Person
from support.openrouter_settings import point_at
from support.real_model import NAME, RealModel
from support.registry_people import buttons, seen

STORY = "Tell me a long story about a sailor and the sea."

WAIT_S = 60  # for an answer: a small machine writes ten words a second

NewBot = Callable[..., Harness]


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    if reason := real_model.missing():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def model() -> Iterator[RealModel]:
    with RealModel() as running:
        yield running


@pytest.fixture(scope="module")
def bot(model: RealModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot that uses the model, with answers of at most 60 tokens."""
    with Harness(tmp_path_factory.mktemp("bot"), MAX_TOKENS="60") as harness:
        yield begin(harness, model)


def begin(bot: Harness, model: RealModel) -> Harness:
    """Start a bot that uses the model, and wait until it lists the model."""
    bot.settings["OPENROUTER_BASE_URL"] = model.base_url
    somebody = bot.start().person()
    while NAME not in somebody.says("/model"):
        assert len(bot.server.calls) < 1000, bot.log
    return bot


def begin_story(bot: Harness, somebody: Person) -> Message:
    """Ask for a long story, and return its message when it shows the first words."""
    message = somebody.asks(f"/ask {STORY}")
    place = somebody.id, message["message_id"]
    bot.wait(lambda: not bot.server.find(*place)["text"].startswith("⏳"), WAIT_S)
    return message


def test_the_registry_lists_it_and_it_is_active(bot: Harness) -> None:
    shown = bot.person().says("/models")
    assert f"★ 11. {NAME} [{NAME}]" in shown
    assert shown.count("⚠ недоступна") == 9  # of the catalogue, on the first page


def test_an_answer_grows_and_ends_with_the_footer(bot: Harness) -> None:
    somebody = bot.person()
    [message] = somebody.asks_model(STORY, WAIT_S)
    footer = FOOTER.search(message["text"])
    assert footer
    assert footer["model"] == NAME
    edits = [call.params["text"] for call in bot.server.calls_of("editMessageText", somebody.id)]
    drafts = [text for text in edits if not text.startswith("⏳") and not FOOTER.search(text)]
    assert drafts


def test_an_answer_cut_by_max_tokens_says_so_and_can_be_continued(bot: Harness) -> None:
    somebody = bot.person()
    [message] = somebody.asks_model(STORY, WAIT_S)
    assert "ответ неполный" in message["text"]
    somebody.press(message, "➡️ Продолжить")
    more = bot.wait(lambda: bot.server.messages(somebody.id)[1:])[0]
    assert FOOTER.search(seen(bot, more, "мс; модель", WAIT_S)["text"])


def test_a_reply_goes_on_with_the_conversation(bot: Harness) -> None:
    somebody = bot.person()

    def tokens() -> int:
        told = re.search(r"токенов (\d+)", somebody.says("/usage"))
        assert told
        return int(told[1])

    counts = [tokens()]
    [message] = somebody.asks_model("My name is Anna. What is a ship?", WAIT_S)
    counts.append(tokens())
    said = bot.server.say("What is a ship?", user_id=somebody.id, reply_to=message["message_id"])
    assert FOOTER.search(somebody.answer_to(said, WAIT_S)[-1]["text"])
    counts.append(tokens())
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    assert second > first  # the model also read the first question and its answer


def test_a_question_longer_than_its_context_gets_a_clear_sentence(bot: Harness) -> None:
    [message] = bot.person().asks_model("слово " * 670, WAIT_S)
    assert message["text"].startswith("Ошибка: [400] ")
    assert "длиннее, чем помещается в модель" in message["text"]


def test_stop_keeps_what_has_come_and_frees_the_model(new_bot: NewBot, model: RealModel) -> None:
    bot = begin(new_bot(MAX_TOKENS="1500"), model)
    somebody = bot.person()
    message = begin_story(bot, somebody)
    assert model.is_busy()
    pressed = time.monotonic()
    somebody.press(message, "⏹ Стоп")
    while model.is_busy():
        assert time.monotonic() - pressed < 3
    message = seen(bot, message, "остановлено")
    assert FOOTER.search(message["text"])
    assert buttons(message) == ["🔁 Ещё раз", "📝 В заметки", "🤖 Другая модель"]


def test_without_streaming_it_answers_as_well(model: RealModel, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, model.base_url)
    text, latency_ms = chat_once(
        [{"role": "user", "content": "Hi"}], model=NAME, max_tokens=20, timeout_s=WAIT_S
    )
    assert text.strip()
    assert latency_ms > 0


def test_a_server_that_dies_in_the_middle_leaves_what_has_come(new_bot: NewBot) -> None:
    with RealModel() as model:
        bot = begin(new_bot(), model)
        message = begin_story(bot, bot.person())
        model.kill()
    text = seen(bot, message, "Ошибка")["text"]
    assert re.fullmatch(r".+\n\nОшибка: \[503\] Соединение с сервисом оборвалось\..*", text, re.DOTALL)
