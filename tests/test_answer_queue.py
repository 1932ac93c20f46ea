"""The order of questions: waiting, stopped early, dropped, or left without a thread."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import support.openrouter_replies as replies
from support.asking_bot import STOP, Steps, dialogue, new_group, next_answer
from support.harness import FOOTER, Harness, Message, Person
from support.openrouter_replies import answer
from support.registry_people import asked, buttons, seen

pytestmark = pytest.mark.usefixtures("telegrams_pace")
NewBot = Callable[..., Harness]
Waiting = tuple[Harness, Message, Message]
SHORT_OF_THREADS = Path(__file__).parent / "support" / "short_of_threads.py"


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """A question unique to the test, so that its answers can be scripted."""
    return str(request.node.name)


def standing(bot: Harness, said: Message) -> Message:
    """Wait for the message in which an answer will grow, and return it."""
    place = said["chat"]["id"], said["message_id"]
    return bot.wait(lambda: bot.server.replies_to(*place))[0]


def left(bot: Harness) -> int:
    with closing(sqlite3.connect(bot.db_path)) as conn:
        return int(conn.execute("SELECT count(*) FROM updates WHERE state = 'new'").fetchone()[0])


# ---- Stopped before the answer begins -------------------------------------------------------


def test_stop_works_from_the_moment_that_its_button_stands(bot: Harness, anna: Person, question: str) -> None:
    bot.server.fail(
        "sendMessage", "hang", chat_id=anna.id, hold_s=1
    )  # the bot does not know yet that the message was sent
    message = standing(bot, bot.server.say(f"/ask {question}", user_id=anna.id))
    assert anna.press(message, STOP) == "Останавливаю."
    assert seen(bot, message, "становлено")["text"] == "Остановлено."
    assert not asked(bot, question)


def test_somebody_else_cannot_stop_it_then_either(
    bot: Harness, anna: Person, boris: Person, question: str
) -> None:
    group = new_group()
    bot.server.fail("sendMessage", "hang", chat_id=group, hold_s=1)
    message = standing(bot, bot.server.say(f"/ask {question}", user_id=anna.id, chat_id=group))
    assert boris.press(message, STOP) == "Это ответ на чужой вопрос."
    assert "остановлено" not in seen(bot, message, "мс; модель")["text"]


def test_a_made_up_stop_for_what_is_no_question_says_that_it_is_over(
    bot: Harness, anna: Person, question: str
) -> None:
    (message,) = anna.asks_model(question)
    for data in ("stop:1", f"stop:{10**17}"):
        assert anna.press(message, data=data) == "Уже закончено."


# ---- A reply to an answer that is still growing ---------------------------------------------


def test_a_reply_to_an_answer_that_grows_goes_on_with_the_whole_of_it(
    bot: Harness, anna: Person, boris: Person, question: str
) -> None:
    steps = bot.answers[question] = Steps("Раз, ", "два, три")
    message = anna.asks(f"/ask {question}")
    steps.next()
    seen(bot, message, "Раз,")
    said = bot.server.say(f"{question}!", user_id=anna.id, reply_to=message["message_id"])
    waiting = standing(bot, said)
    assert waiting["text"].startswith("⏳")
    assert buttons(waiting) == [STOP]
    boris.asks_model(f"{question}?")  # a later question from somebody else does not wait
    assert not asked(bot, f"{question}!")
    steps.next()
    steps.next()
    anna.answer_to(said)
    (request,) = asked(bot, f"{question}!")
    assert dialogue(request) == [question, "Раз, два, три", f"{question}!"]


def test_such_a_reply_can_be_stopped_while_it_waits(bot: Harness, anna: Person, question: str) -> None:
    steps = bot.answers[question] = Steps("Раз, ", "два, три")
    message = anna.asks(f"/ask {question}")
    steps.next()
    seen(bot, message, "Раз,")
    said = bot.server.say(f"{question}!", user_id=anna.id, reply_to=message["message_id"])
    anna.press(standing(bot, said), STOP)
    assert seen(bot, standing(bot, said), "становлено")["text"] == "Остановлено."
    steps.next()
    steps.next()
    seen(bot, message, "мс; модель")
    assert not asked(bot, f"{question}!")


def test_a_button_pressed_as_soon_as_it_appears_finds_the_whole_answer(
    bot: Harness, anna: Person, question: str
) -> None:
    bot.answers[question] = answer("Раз, два,", finish="length")
    bot.server.fail("editMessageText", "hang", chat_id=anna.id, hold_s=1)  # shown, but the bot does not know
    message = seen(bot, anna.asks(f"/ask {question}"), "мс; модель")
    assert anna.press(message, "📝 В заметки") == "В заметках: #1"
    anna.press(message, "➡️ Продолжить")
    next_answer(bot, message)
    assert [m["content"] for m in bot.ai.questions[-1].body["messages"][1:3]] == [question, "Раз, два,"]


# ---- Somebody is removed --------------------------------------------------------------------


def owner_and_guest(bot: Harness) -> tuple[Person, Person]:
    """Make person 1 the owner and person 2 a guest by invitation; return both."""
    owner, guest = bot.person(1), bot.person(2)
    code = bot.wait(lambda: re.search(r"/start (\S+)\n", "".join(bot.out)))
    owner.says(f"/start {code[1]}")
    link = re.search(r"/start (\S+)", owner.says("/invite"))
    assert link
    guest.says(f"/start {link[1]}")
    return owner, guest


def test_whoever_is_removed_while_a_question_begins_does_not_get_it_asked(
    new_bot: NewBot, question: str
) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    owner, anna = owner_and_guest(bot)
    bot.server.fail("sendMessage", "hang", chat_id=anna.id, hold_s=4)  # Telegram already shows «⏳»
    message = anna.asks(f"/ask {question}")
    owner.says(f"/remove {anna.id}")
    assert seen(bot, message, "становлено")["text"] == "Остановлено."
    assert bot.ai.questions == []


def test_whoever_is_removed_has_no_questions_any_more(new_bot: NewBot, question: str) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    owner, anna = owner_and_guest(bot)
    bot.answers |= {f"{question} {n}": replies.hang(replies.chunk("слово ")) for n in range(3)}
    messages = [anna.asks(f"/ask {question} {n}") for n in range(3)]
    bot.ai.wait(lambda: len(bot.ai.questions) == 2)
    assert "больше не пользуется" in owner.says(f"/remove {anna.id}")
    for message in messages:
        assert "становлено" in seen(bot, message, "становлено")["text"]
    bot.ai.wait(lambda: len(bot.ai.closed_by_client) == 2)
    bot.wait(lambda: not left(bot))
    assert len(bot.ai.questions) == 2, "what waited is not asked"


# ---- The end of the process -----------------------------------------------------------------


def test_a_bot_that_stops_ends_what_runs_and_begins_nothing_that_waits(
    new_bot: NewBot, question: str
) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.ai.hold()
    said = [bot.server.say(f"/ask {question} {n}", user_id=anna.id) for n in range(3)]
    anna.says("/note_count")  # its answer means that everything before it was received
    bot.ai.wait(lambda: bot.ai.in_flight == 2)
    process = bot.process
    assert process
    process.terminate()
    bot.wait(lambda: "До следующего запуска ждут вопросов: 1" in bot.log)
    bot.ai.release()
    assert bot.exit_code() == 0
    assert len(bot.ai.questions) == 2
    assert left(bot) == 1
    bot.start()
    for message in said:
        assert FOOTER.search(anna.answer_to(message)[-1]["text"])
    assert len(bot.ai.questions) == 3


# ---- Many people at once --------------------------------------------------------------------


def test_no_more_than_a_hundred_questions_run_and_a_note_is_kept_meanwhile(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.ai.hold()
    people = [bot.person() for _ in range(60)]
    said = [bot.server.say(f"/ask {n}", user_id=person.id) for person in people for n in (1, 2)]
    bot.wait(lambda: all(bot.server.replies_to(m["chat"]["id"], m["message_id"]) for m in said))
    bot.ai.wait(lambda: bot.ai.in_flight == 100)
    assert bot.person().says("/note_add мысль") == "Заметка #1 сохранена."
    assert bot.ai.in_flight == len(bot.ai.questions) == 100
    bot.ai.release()
    bot.wait(lambda: not left(bot))
    assert len(bot.ai.questions) == 120


# ---- No thread ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short_of_threads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Waiting]]:
    """For each prefix of thread names, a bot that cannot start such threads, and its two questions."""
    with ExitStack() as stack:
        waiting = {}
        for prefix in ("ask-", "openrouter"):  # both at once, because the bot retries only after a while
            bot = stack.enter_context(Harness(tmp_path_factory.mktemp("short")))
            waiting[prefix] = bot, *_without_a_thread(bot, prefix)
        yield waiting


def _without_a_thread(bot: Harness, prefix: str) -> tuple[Message, Message]:
    shortage = bot.folder / "shortage"
    bot.launch(str(shortage), prefix, script=SHORT_OF_THREADS)
    anna = bot.person()
    anna.says("/note_count")
    shortage.touch()
    message = seen(bot, anna.asks("/ask что"), "Вопрос не потерян")
    assert message["text"].startswith("⏳ ")
    assert buttons(message) == [STOP]
    stopped = anna.asks("/ask как")
    assert anna.press(stopped, STOP) == "Останавливаю."
    assert left(bot)
    shortage.unlink()
    return message, stopped


@pytest.mark.parametrize("prefix", ["ask-", "openrouter"])
def test_without_a_thread_a_question_waits_and_says_so(
    short_of_threads: dict[str, Waiting], prefix: str
) -> None:
    bot, message, stopped = short_of_threads[prefix]
    assert seen(bot, message, "мс; модель")["text"].startswith("Вы спросили: что")
    assert seen(bot, stopped, "Остановлено.")
    bot.wait(lambda: not left(bot))


def test_without_a_thread_the_bot_stops_at_once_and_asks_at_the_next_start(
    new_bot: NewBot, tmp_path: Path, question: str
) -> None:
    bot, shortage = new_bot(STOP_TIMEOUT="60"), tmp_path / "shortage"
    shortage.touch()
    bot.launch(str(shortage), "ask-", script=SHORT_OF_THREADS)
    anna = bot.person()
    said = bot.server.say(f"/ask {question}", user_id=anna.id)
    seen(bot, standing(bot, said), "Вопрос не потерян")
    bot.stop(timeout=30)
    assert left(bot) == 1
    bot.start()
    (message,) = anna.answer_to(said)
    assert message["text"].startswith(f"Вы спросили: {question}")
