"""Photos and files with a question: which model gets them, in what form, and what the bot refuses."""

import base64
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from bot_api.failures import Kind
from support.asking_bot import AGAIN, reply, told
from support.harness import CATALOGUE, Harness, Message, Person
from support.openrouter_replies import answer, model_entry, status
from support.registry_people import (
    FIRST,
    GEMMA,
    SECOND,
    asked,
    begin,
    begin_elsewhere,
    by_model,
    listed,
    refresh,
    seen,
)

NewBot = Callable[..., Harness]
PHOTO = b"\xff\xd8\xff\xe0 a photo"
PDF = b"%PDF-1.7 a document"
FREE_PARSER = [{"id": "file-parser", "pdf": {"engine": "cloudflare-ai"}}]
TOO_LARGE = 20 * 2**20 + 1


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot at openrouter.ai: the active model reads text only, the third one also reads images."""
    with Harness(tmp_path_factory.mktemp("bot")) as harness:
        yield begin(harness, *listed(FIRST, SECOND), _seeing(GEMMA))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot at its owner's own server, where models read text only."""
    with Harness(tmp_path_factory.mktemp("elsewhere")) as harness:
        yield begin_elsewhere(harness, *listed(FIRST, SECOND))


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """A question unique to the test."""
    return str(request.node.name)


def _seeing(key: str) -> dict[str, Any]:
    return model_entry(key, CATALOGUE[key], inputs=["text", "image"])


def data_url(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def image(data: bytes = PHOTO, mime: str = "image/jpeg") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": data_url(mime, data)}}


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def last(bot: Harness, question: str) -> Any:
    """Return the content of the last message that the model got with a question."""
    return asked(bot, question)[-1].body["messages"][-1]["content"]


def file_asked(bot: Harness, person: Person, question: str, data: bytes, name: str) -> Message:
    """Send a file with a question, and return the answer's last message."""
    said = bot.server.send_file(data, name, caption=f"/ask {question}", user_id=person.id)
    return person.answer_to(said)[-1]


def refusal(bot: Harness, person: Person, data: bytes, name: str) -> str:
    """Send a file with a question, and return the text of the bot's reply."""
    said = bot.server.send_file(data, name, caption="/ask что это?", user_id=person.id)
    return str(bot.reply_to(said)["text"])


# ---- Photos ---------------------------------------------------------------------------------


def test_a_photo_with_a_question_goes_to_a_model_that_sees(bot: Harness, anna: Person, question: str) -> None:
    said = bot.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=anna.id)
    (message,) = anna.answer_to(said)
    (request,) = asked(bot, question)
    assert request.body["model"] == GEMMA
    assert last(bot, question) == [words(question), image()]
    assert "plugins" not in request.body
    assert message["text"].endswith(f"; модель: {GEMMA}; {FIRST} не видит картинок)")
    assert anna.says("/model").startswith(f"Текущая активная модель: {CATALOGUE[FIRST]}")


def test_if_the_active_model_sees_it_gets_the_photo_itself(bot: Harness, anna: Person, question: str) -> None:
    anna.says(f"/model {GEMMA}")
    said = bot.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=anna.id)
    (message,) = anna.answer_to(said)
    anna.says("/model 1")
    assert message["text"].endswith(f" мс; модель: {GEMMA})")


def test_a_model_that_does_not_see_is_asked_as_ever_without_a_photo(
    bot: Harness, anna: Person, question: str
) -> None:
    (message,) = anna.asks_model(question)
    assert message["text"].endswith(f" мс; модель: {FIRST})")


@pytest.mark.parametrize("command", ["/ask ", ""])
def test_a_reply_to_a_photo_asks_about_it(bot: Harness, anna: Person, command: str) -> None:
    question = f"что тут? {command}".strip()
    photo = bot.server.send_photo(PHOTO, user_id=anna.id)
    reply(anna, photo, f"{command}{question}")
    assert last(bot, question) == [words(question), image()]


def test_a_photo_comes_with_its_caption(bot: Harness, anna: Person, question: str) -> None:
    photo = bot.server.send_photo(PHOTO, caption="Наш двор", user_id=anna.id)
    reply(anna, photo, f"/ask {question}")
    text, part = bot.ai.questions[-1].body["messages"][-1]["content"]
    assert text["text"].startswith("Наш двор")
    assert text["text"].endswith(f"\n{question}")
    assert part == image()


def test_of_an_album_the_first_photo_is_asked_about_and_that_is_said(
    bot: Harness, anna: Person, question: str
) -> None:
    with bot.at_once():
        said = [
            bot.server.send_photo(PHOTO, caption=caption, user_id=anna.id, media_group_id="7")
            for caption in (f"/ask {question}", "", "")
        ]
    assert "модель получила 1 файл из 3" in anna.answer_to(said[0])[-1]["text"].splitlines()[-1]
    assert last(bot, question) == [words(question), image()]


def test_a_photo_without_a_question_is_a_note(bot: Harness, anna: Person) -> None:
    before = len(bot.ai.questions)
    photo = bot.server.send_photo(PHOTO, user_id=anna.id)
    assert bot.reply_to(photo)["text"] == "Заметка #1 сохранена."
    with_a_command = bot.server.send_photo(PHOTO, caption="/ask", user_id=anna.id)
    assert bot.reply_to(with_a_command)["text"] == "Использование: /ask <вопрос>"
    assert len(bot.ai.questions) == before


def test_a_picture_sent_as_a_file_is_seen_as_well(bot: Harness, anna: Person, question: str) -> None:
    file_asked(bot, anna, question, PHOTO, "двор.png")
    assert last(bot, question) == [words(question), image(mime="image/png")]


def test_where_no_model_sees_that_is_said(elsewhere: Harness) -> None:
    anna = elsewhere.person()
    photo = elsewhere.server.send_photo(PHOTO, caption="/ask что тут?", user_id=anna.id)
    assert elsewhere.reply_to(photo)["text"] == (
        "Ни одна из доступных моделей не видит картинок. Список: /models"
    )
    assert not asked(elsewhere, "что тут?")


def test_a_model_that_sees_and_is_gone_is_not_asked(new_bot: NewBot, question: str) -> None:
    bot = begin(new_bot(), *listed(FIRST), _seeing(GEMMA))
    bot.ai.models = listed(FIRST)
    anna = bot.person()
    refresh(bot, anna.asks("/models"))
    photo = bot.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=anna.id)
    assert "не видит картинок" in bot.reply_to(photo)["text"]


# ---- Photos of earlier turns ----------------------------------------------------------------


def test_in_later_turns_a_model_that_does_not_see_is_told_only_that_there_was_a_photo(
    bot: Harness, anna: Person, question: str
) -> None:
    said = bot.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=anna.id)
    (first,) = anna.answer_to(said)
    expected = [f"{question}\n\n[photo.jpg]", f"Вы спросили: {question}", f"{question}!"]
    assert told(anna, f"{question}!", first) == expected
    assert asked(bot, f"{question}!")[0].body["model"] == FIRST


def test_in_later_turns_a_model_that_sees_gets_the_photo_again(
    bot: Harness, anna: Person, question: str
) -> None:
    said = bot.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=anna.id)
    (first,) = anna.answer_to(said)
    anna.says(f"/model {GEMMA}")
    earlier, *_ = told(anna, f"{question}!", first)
    anna.says("/model 1")
    assert earlier == [words(question), image()]


def test_a_file_of_an_earlier_turn_that_is_gone_does_not_end_the_conversation(
    bot: Harness, anna: Person, question: str
) -> None:
    said = bot.server.send_file(b"cats and dogs", "a.txt", caption=f"/ask {question}", user_id=anna.id)
    (first,) = anna.answer_to(said)
    del bot.server.files[said["document"]["file_id"]]
    earlier, _, last_one = told(anna, f"{question}!", first)
    assert (earlier, last_one) == (f"{question}\n\n[a.txt]", f"{question}!")


def test_a_question_asked_again_has_its_photo(bot: Harness, anna: Person, question: str) -> None:
    said = bot.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=anna.id)
    (message,) = anna.answer_to(said)
    anna.press(message, AGAIN)
    bot.ai.wait(lambda: len(asked(bot, question)) == 2)
    first, second = (request.body for request in asked(bot, question))
    assert first == second


def test_a_photo_in_reply_to_an_answer_goes_on_with_the_conversation(
    bot: Harness, anna: Person, question: str
) -> None:
    (first,) = anna.asks_model(question)
    number = first["message_id"]
    said = bot.server.send_photo(PHOTO, caption=f"{question}!", user_id=anna.id, reply_to=number)
    assert anna.answer_to(said)[0]["text"].endswith(f"; модель: {GEMMA}; {FIRST} не видит картинок)")
    (request,) = asked(bot, f"{question}!")
    told_before = [message["content"] for message in request.body["messages"][1:-1]]
    assert told_before == [question, f"Вы спросили: {question}"]
    assert last(bot, f"{question}!") == [words(f"{question}!"), image()]


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot whose models all read images."""
    with Harness(tmp_path_factory.mktemp("seeing")) as harness:
        yield begin(harness, *(_seeing(key) | {"context_length": 12_000} for key in (FIRST, SECOND, GEMMA)))


def downloads(bot: Harness) -> list[str]:
    return [call.params["file_id"] for call in bot.server.calls_of("getFile")]


def talk_of_photos(bot: Harness, person: Person, question: str, count: int, answer_text: str = "") -> Message:
    """Ask about `count` photos in one conversation, and return the last answer."""
    message: Message | None = None
    for number in range(count):
        asked_now = f"{question} {number}"
        if answer_text:
            bot.answers[asked_now] = answer(answer_text)
        caption = asked_now if message else f"/ask {asked_now}"
        number_of = message["message_id"] if message else None
        said = bot.server.send_photo(PHOTO, caption=caption, user_id=person.id, reply_to=number_of)
        message = person.answer_to(said)[-1]
    assert message
    return message


def test_each_earlier_photo_is_fetched_once_however_many_models_are_asked(
    seeing: Harness, question: str
) -> None:
    anna = seeing.person()
    last_answer = talk_of_photos(seeing, anna, question, 5)
    before = len(downloads(seeing))
    seeing.answers[f"{question}!"] = by_model({FIRST: status(503), SECOND: status(503)})
    told_last = reply(anna, last_answer, f"{question}!")
    assert len(asked(seeing, f"{question}!")) == 3
    fetched = downloads(seeing)[before:]
    assert len(fetched) == len(set(fetched)) == 5
    assert told_last[-1]["text"].endswith(f"{SECOND} недоступна: 503)")


def test_what_does_not_fit_is_not_fetched(seeing: Harness, question: str) -> None:
    anna = seeing.person()
    last_answer = talk_of_photos(seeing, anna, question, 4, "слово " * 600)  # each a quarter of 12,000 tokens
    before = len(downloads(seeing))
    reply(anna, last_answer, f"{question}!")
    (request,) = asked(seeing, f"{question}!")
    sent = [m for m in request.body["messages"] if isinstance(m["content"], list)]
    assert 0 < len(sent) < 4
    assert len(downloads(seeing)) - before == len(sent)


def test_a_model_that_does_not_see_needs_no_photo_fetched(bot: Harness, anna: Person, question: str) -> None:
    last_answer = talk_of_photos(bot, anna, question, 2)
    before = len(downloads(bot))
    told(anna, f"{question}!", last_answer)
    assert len(downloads(bot)) == before


def test_a_text_file_too_long_for_the_model_is_not_fetched_again(seeing: Harness, question: str) -> None:
    anna = seeing.person()
    seeing.ai.next(answer("да"), answer("и это"))
    message = file_asked(seeing, anna, question, "ё".encode() * 200_000, "роман.txt")
    before = len(downloads(seeing))
    reply(anna, message, f"{question}!")
    assert "ёё" not in str(asked(seeing, f"{question}!")[0].body["messages"])
    assert len(downloads(seeing)) == before


def test_a_question_can_be_stopped_while_its_file_is_fetched(
    bot: Harness, anna: Person, question: str
) -> None:
    bot.server.fail("getFile", "hang", hold_s=8)
    said = bot.server.send_file(b"some words", "a.txt", caption=f"/ask {question}", user_id=anna.id)
    message = bot.reply_to(said)
    bot.wait(lambda: [call.failure for call in bot.server.calls_of("getFile")][-1:] == ["hang"])
    anna.press(message, "⏹ Стоп")
    assert seen(bot, message, "становлено", timeout=7.5)["text"] == "Остановлено."
    assert not asked(bot, question)


# ---- Text files -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_a_text_file_is_read_whatever_wrote_it(bot: Harness, anna: Person, code: str) -> None:
    text = "Ёлка, ель и «ёж».\nВторая строка"
    file_asked(bot, anna, f"кратко, {code}", text.encode(code), "лес.txt")
    (request,) = (r for r in bot.ai.questions if f"кратко, {code}" in r.question)
    assert request.body["model"] == FIRST
    assert request.question.startswith(f"кратко, {code}\n")
    assert request.question.endswith(f"лес.txt:\n{text}")


@pytest.mark.parametrize(
    ("name", "mime"),
    [("таблица.csv", "text/csv"), ("код.py", "text/x-python"), ("ответ.json", "application/json"),
     ("заметки.md", ""), ("журнал.LOG", "application/octet-stream")],
)  # fmt: skip
def test_every_usual_kind_of_text_is_read(bot: Harness, anna: Person, name: str, mime: str) -> None:
    said = bot.server.send_file(b"some words", name, mime=mime, user_id=anna.id)
    question = bot.server.say(f"/ask о чём {name}?", user_id=anna.id, reply_to=said["message_id"])
    assert not bot.reply_to(question)["text"].startswith("Такие файлы")
    bot.ai.wait(lambda: any(request.question.startswith(f"о чём {name}?") for request in bot.ai.questions))
    assert bot.ai.questions[-1].question.endswith("some words")


def test_a_text_file_stays_in_the_conversation(bot: Harness, anna: Person, question: str) -> None:
    message = file_asked(bot, anna, question, b"cats and dogs", "a.txt")
    earlier, *_ = told(anna, f"{question}!", message)
    assert "cats and dogs" in earlier


# ---- PDF ------------------------------------------------------------------------------------


def test_at_openrouter_a_pdf_is_parsed_by_the_free_engine(bot: Harness, anna: Person, question: str) -> None:
    message = file_asked(bot, anna, question, PDF, "договор.pdf")
    (request,) = asked(bot, question)
    assert request.headers["host"] == "openrouter.ai"
    assert request.body["plugins"] == FREE_PARSER
    file = {"filename": "договор.pdf", "file_data": data_url("application/pdf", PDF)}
    assert last(bot, question) == [words(question), {"type": "file", "file": file}]
    assert message["text"].endswith(f" мс; модель: {FIRST})")


def test_the_free_engine_is_named_as_long_as_the_pdf_is_in_the_conversation(
    bot: Harness, anna: Person, question: str
) -> None:
    message = file_asked(bot, anna, question, PDF, "договор.pdf")
    earlier, *_ = told(anna, f"{question}!", message)
    assert "договор.pdf" in str(earlier)
    assert asked(bot, f"{question}!")[0].body["plugins"] == FREE_PARSER


def test_elsewhere_a_pdf_is_not_sent_and_that_is_said(elsewhere: Harness, question: str) -> None:
    message = file_asked_elsewhere(elsewhere, question)
    assert message["text"] == "PDF читает только openrouter.ai. Пришлите текст файлом .txt или сообщением."
    assert not asked(elsewhere, question)


def file_asked_elsewhere(bot: Harness, question: str) -> Message:
    said = bot.server.send_file(PDF, "a.pdf", caption=f"/ask {question}", user_id=bot.person().id)
    return seen(bot, bot.reply_to(said), "PDF")


def test_elsewhere_a_text_file_is_read(elsewhere: Harness, question: str) -> None:
    file_asked(elsewhere, elsewhere.person(), question, b"some words", "a.txt")
    (request,) = (r for r in elsewhere.ai.questions if question in r.question)
    assert request.question.endswith("some words")
    assert "plugins" not in request.body


# ---- What the bot refuses -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.png"])
def test_more_than_20_mb_are_refused_in_words(bot: Harness, anna: Person, name: str) -> None:
    before = len(bot.server.calls_of("getFile"))
    assert "20 МБ" in refusal(bot, anna, bytes(TOO_LARGE), name)
    assert len(bot.server.calls_of("getFile")) == before


def test_20_mb_are_read(bot: Harness, anna: Person, question: str) -> None:
    file_asked(bot, anna, question, PDF + bytes(20 * 2**20 - len(PDF)), "a.pdf")
    assert len(last(bot, question)[1]["file"]["file_data"]) > 4 * (20 * 2**20) // 3


@pytest.mark.parametrize("name", ["архив.zip", "песня.mp3", "таблица.xlsx", "безымянный"])
def test_a_file_of_another_kind_is_refused_in_words(bot: Harness, anna: Person, name: str) -> None:
    text = refusal(bot, anna, b"PK\x03\x04", name)
    assert text == "Такие файлы модели не читают. Пришлите фото, PDF или текстовый файл."


@pytest.mark.parametrize("kind", ["voice", "video"])
def test_a_question_that_comes_with_a_recording_is_not_asked_without_it(
    bot: Harness, anna: Person, question: str, kind: Literal["voice", "video"]
) -> None:
    before = len(bot.ai.questions)
    said = bot.server.send_media(kind, caption=f"/ask {question}", user_id=anna.id)
    assert bot.reply_to(said)["text"].startswith("Такие файлы модели не читают.")
    assert len(bot.ai.questions) == before


def test_a_reply_to_such_a_file_is_refused_as_well(bot: Harness, anna: Person) -> None:
    archive = bot.server.send_file(b"PK\x03\x04", "архив.zip", user_id=anna.id)
    for text in ("/ask что там?", "что там?"):
        assert anna.says(text, reply_to=archive["message_id"]).startswith("Такие файлы модели не читают.")


def test_a_file_that_telegram_does_not_give_out_is_an_error_in_words_and_can_be_asked_again(
    bot: Harness, anna: Person, question: str
) -> None:
    photo = bot.server.send_photo(PHOTO, user_id=anna.id)
    kept = dict(bot.server.files)
    bot.server.files.clear()
    said = bot.server.say(f"/ask {question}", user_id=anna.id, reply_to=photo["message_id"])
    failed = seen(bot, bot.reply_to(said), "Telegram не отдал файл.")
    assert not asked(bot, question)
    bot.server.files.update(kept)
    anna.press(failed, AGAIN)
    bot.ai.wait(lambda: asked(bot, question))
    assert last(bot, question) == [words(question), image()]


@pytest.mark.parametrize("kind", ["reset", "500", "502", "429"])
def test_trouble_with_the_download_is_an_error_in_words(bot: Harness, anna: Person, kind: Kind) -> None:
    bot.server.fail("getFile", kind)
    said = bot.server.send_photo(PHOTO, caption=f"/ask сбой {kind}", user_id=anna.id)
    message = seen(bot, bot.reply_to(said), "Telegram не отдал файл.")
    assert message["text"] == "Telegram не отдал файл. Пришлите его ещё раз."


def test_a_model_that_refuses_the_photo_after_all_is_replaced_by_another_that_sees(
    new_bot: NewBot, question: str
) -> None:
    other = "openrouter/free"
    bot = begin(new_bot(), *listed(FIRST), _seeing(GEMMA), _seeing(other))
    bot.ai.always(status(404, "No endpoints found that support image input"), model=GEMMA)
    bot.ai.always(answer("вижу"), model=other)
    anna = bot.person()
    said = bot.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=anna.id)
    assert anna.answer_to(said)[0]["text"].startswith("вижу")
