"""What a person sees when the bot is killed, when Telegram fails, and when both happen."""

import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

import pytest

import support.openrouter_replies as replies
from bot_api.failures import Kind
from support.harness import Harness, Person

pytestmark = pytest.mark.usefixtures("telegrams_pace")
NewBot = Callable[..., Harness]
BROKEN: list[Kind] = ["reset", "500", "502", "invalid_json", "no_ok"]


def texts(bot: Harness, person: Person) -> list[str]:
    return [message.get("text", "") for message in bot.server.messages(person.id)]


def journal(bot: Harness) -> dict[str, int]:
    """Return the number of updates in each state."""
    with closing(sqlite3.connect(bot.db_path)) as conn:
        return dict(conn.execute("SELECT state, count(*) FROM updates GROUP BY state"))


def known_messages(bot: Harness) -> str:
    """Return the ids of the messages that the journal recorded for the newest update."""
    with closing(sqlite3.connect(bot.db_path)) as conn:
        rows = conn.execute("SELECT answer_ids FROM updates ORDER BY update_id DESC LIMIT 1").fetchall()
    return "".join(ids for (ids,) in rows)


def tries(bot: Harness, method: str, person: Person) -> list[Any]:
    return bot.server.calls_of(method, person.id)


# The bot is killed


def test_a_command_whose_answer_was_under_way_has_its_effect_once_and_its_answer(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.server.fail("sendMessage", "hang", hold_s=None)
    asked = bot.server.say("/note_add мысль", user_id=anna.id)
    bot.wait(lambda: tries(bot, "sendMessage", anna) or bot.server.messages(anna.id))
    bot.kill()
    bot.server.heal()
    bot.start()
    bot.wait(lambda: texts(bot, anna)[-1:] == ["Заметка #1 сохранена."])
    assert bot.reply_to(asked)["text"] == "Заметка #1 сохранена."
    assert anna.says("/note_count") == "Заметок: 1."


def test_commands_are_answered_in_their_order_after_a_kill(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.server.fail("sendMessage", "500", times=None)
    for text in ("/note_add раз", "/note_edit 1 два", "/note_add три", "/note_del 2", "/note_count"):
        bot.server.say(text, user_id=anna.id)
    bot.wait(lambda: not bot.server.pending and tries(bot, "sendMessage", anna))
    bot.kill()
    bot.server.heal()
    bot.start()
    bot.wait(lambda: len(texts(bot, anna)) == 5)
    assert texts(bot, anna) == [
        "Заметка #1 сохранена.",
        "Заметка #1 изменена.",
        "Заметка #2 сохранена.",
        "Заметка #2 удалена.\nтри",
        "Заметок: 1.",
    ]


def test_a_deletion_that_is_taken_up_again_does_not_say_that_there_is_no_such_note(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    anna.says("/note_add мысль")
    bot.server.fail("sendMessage", "500", times=None)
    bot.server.say("/note_del 1", user_id=anna.id)
    bot.wait(lambda: len(tries(bot, "sendMessage", anna)) > 1)
    bot.kill()
    bot.server.heal()
    bot.start()
    bot.wait(lambda: texts(bot, anna)[-1] == "Заметка #1 удалена.\nмысль")
    assert anna.says("/note_del 1") == "Нет заметки #1. Список: /note_list"


def test_a_question_is_answered_after_a_kill_in_the_same_message(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.ai.always(replies.stream("начало ", "конец", hold_after=1))
    asked = bot.server.say("/ask что", user_id=anna.id)
    bot.wait(lambda: "начало" in "".join(texts(bot, anna)))
    bot.kill()
    bot.ai.always(replies.stream("начало ", "конец"))
    bot.start()
    bot.wait(lambda: " мс; " in "".join(texts(bot, anna)))
    (message,) = bot.server.replies_to(anna.id, asked["message_id"])
    assert message["text"].startswith("начало конец\n\n(")
    assert len(texts(bot, anna)) == 1


def test_a_long_answer_goes_on_in_its_messages_and_leaves_none_too_many(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.ai.always(replies.stream("слово " * 800, "ещё " * 10, hold_after=1))
    bot.server.say("/ask много", user_id=anna.id)
    bot.wait(lambda: "," in known_messages(bot))
    bot.kill()
    bot.ai.always(replies.stream("теперь кратко"))
    bot.start()
    bot.wait(lambda: texts(bot, anna)[0].startswith("теперь кратко") and len(texts(bot, anna)) == 1)


def test_an_update_that_is_handed_over_twice_is_answered_once(bot: Harness, anna: Person) -> None:
    anna.says("/note_add раз")
    again = dict(bot.server.find(anna.id, 1))
    number = bot.server.updates.next_id
    bot.server.updates.next_id = number - 1
    bot.server.push({"message": again})
    assert anna.says("/note_count") == "Заметок: 1."
    assert texts(bot, anna) == ["Заметка #1 сохранена.", "Заметок: 1."]


def test_numbers_that_begin_anew_lower_down_are_answered(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.server.updates.next_id = 900_000_000
    bot.start()
    anna = bot.person()
    anna.says("/note_add раз")
    bot.wait(lambda: not bot.server.pending)
    bot.server.updates.next_id = 5
    assert anna.says("/note_add два") == "Заметка #2 сохранена."


# Odd updates

ODD: list[dict[str, Any]] = [
    {},
    {"message": None},
    {"message": "text"},
    {"message": {"from": {"id": 7, "is_bot": False, "first_name": "x"}}},
    {"message": {"from": {"id": 7}, "chat": {"id": 7}, "message_id": 1, "date": 0, "text": 5}},
    {"message": {"from": {"id": "7"}, "chat": [], "text": "/note_add x"}},
    {"callback_query": {"id": "1", "from": {"id": 7}, "data": None}},
    {"callback_query": {"id": "1", "from": {"id": 7}, "message": {"chat": {"id": 7}}, "data": 5}},
    {"poll": {"id": "1"}},
    {"from_the_future": {"from": {"id": 7}, "chat": {"id": 2**70}}},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_update_holds_up_nobody(bot: Harness, anna: Person, odd: dict[str, Any]) -> None:
    bot.server.push(odd)
    assert anna.says("/note_count") == "Заметок: 0."
    bot.wait(lambda: not bot.server.pending)


@pytest.mark.parametrize("date", [0, -5, 1763942400000, 2**62, 2**70, "1763942400", None])
def test_an_odd_date_is_now_and_spoils_no_list(bot: Harness, anna: Person, date: Any) -> None:
    assert anna.says("/note_add мысль", date=date) == "Заметка #1 сохранена."
    assert "мысль" in anna.says("/note_list")
    assert "Всего: 1" in anna.says("/note_stats 1")
    assert "мысль" in anna.exports()


@pytest.mark.parametrize("odd", [{"message_id": 5}, {"message_id": 5, "chat": {"id": 7}}, {"text": 5}, None])
def test_an_odd_message_that_is_replied_to_spoils_no_command(bot: Harness, anna: Person, odd: Any) -> None:
    assert anna.says("/note_count", reply_to_message=odd) == "Заметок: 0."


def test_an_update_that_cannot_be_read_is_put_aside_and_logged(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.server.push({"message": {"from": {"id": 7}, "chat": {"id": 7}}})
    assert bot.person().says("/note_count") == "Заметок: 0."
    bot.wait(lambda: journal(bot).get("parked") == 1)
    bot.wait(lambda: "отложено" in bot.log)
    bot.restart()
    assert journal(bot)["parked"] == 1


# Telegram fails


def test_a_reply_quotes_its_command_and_comes_without_it_if_that_is_gone(bot: Harness, anna: Person) -> None:
    asked = bot.server.say("/note_count", user_id=anna.id)
    assert bot.reply_to(asked)["reply_to_message"]["message_id"] == asked["message_id"]
    bot.server.fail("sendMessage", "500", times=2, chat_id=anna.id)
    gone = bot.server.say("/note_add мысль", user_id=anna.id)
    bot.server.erase(anna.id, gone["message_id"])
    bot.wait(lambda: texts(bot, anna)[-1] == "Заметка #1 сохранена.")


def test_an_answer_comes_although_telegram_fails(bot: Harness) -> None:
    people = {kind: bot.person() for kind in BROKEN}
    for kind, person in people.items():
        bot.server.fail("sendMessage", kind, times=2, chat_id=person.id)
    asked = {kind: bot.server.say("/note_add мысль", user_id=person.id) for kind, person in people.items()}
    for kind, person in people.items():
        assert bot.reply_to(asked[kind])["text"] == "Заметка #1 сохранена.", kind
        assert len(tries(bot, "sendMessage", person)) == 3, kind


def test_a_429_is_waited_out_by_its_chat_alone(bot: Harness, anna: Person, boris: Person) -> None:
    bot.server.fail("sendMessage", "429", chat_id=anna.id, retry_after=2)
    for _ in range(3):
        bot.server.say("/note_count", user_id=anna.id)
    bot.wait(lambda: tries(bot, "sendMessage", anna))
    assert boris.says("/note_count") == "Заметок: 0."
    assert len(tries(bot, "sendMessage", anna)) == 1
    bot.wait(lambda: len(texts(bot, anna)) == 3)
    first, second, *_ = tries(bot, "sendMessage", anna)
    assert 2 <= second.at - first.at < 3


def test_somebody_who_blocked_the_bot_costs_one_call(bot: Harness, anna: Person) -> None:
    anna.says("/note_count")
    bot.server.block(anna.id)
    before = len(tries(bot, "sendMessage", anna))
    bot.server.say("/ask что", user_id=anna.id)
    bot.wait(lambda: len(tries(bot, "sendMessage", anna)) > before)
    bot.wait(lambda: journal(bot).get("new", 0) == 0)
    bot.person().says("/note_count")
    assert len(tries(bot, "sendMessage", anna)) == before + 1
    assert not [question for question in bot.ai.questions if question.question == "что"]


def test_refused_formatting_falls_back_to_plain_text(bot: Harness, anna: Person) -> None:
    bot.server.fail("sendMessage", "entities", chat_id=anna.id)
    message = anna.asks("/note_stats")
    assert message["text"].endswith("Всего: 0")
    assert "pre" not in [entity["type"] for entity in message.get("entities", [])]


# Polling


def test_polling_goes_on_after_trouble(tmp_path_factory: pytest.TempPathFactory) -> None:
    with ExitStack() as stack:
        kinds: list[Kind] = [*BROKEN, "429"]
        bots = {kind: stack.enter_context(Harness(tmp_path_factory.mktemp("bot"))) for kind in kinds}
        for kind, bot in bots.items():
            bot.server.fail("getUpdates", kind, times=2)
            bot.start()
        for kind, bot in bots.items():
            assert bot.person().says("/note_count") == "Заметок: 0.", kind
            assert len([call for call in bot.server.calls_of("getUpdates") if call.failure]) == 2, kind


def test_a_telegram_that_is_away_is_waited_for(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.wait(lambda: bot.server.updates.polled)
    bot.server.stop_listening()
    bot.wait(lambda: "Telegram недоступен" in bot.log)
    bot.server.resume()
    assert bot.person().says("/note_count") == "Заметок: 0."


def test_a_second_copy_elsewhere_is_said_in_words(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.server.fail("getUpdates", "409", times=None)
    bot.start()
    bot.wait(lambda: "другой копии бота" in bot.log)
    assert bot.stop() < 5
    assert bot.log.count("другой копии бота") == 1


def test_a_webhook_that_somebody_set_is_taken_away(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.person().says("/note_count")
    bot.server.updates.webhook = "https://example.org/"
    assert bot.person().says("/note_count") == "Заметок: 0."


def test_a_revoked_token_ends_the_bot_with_a_sentence(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.server.fail("getUpdates", "401", times=None)
    assert bot.exit_code() == 2
    assert "Telegram не принял токен" in bot.log


# Stopping


def test_a_question_under_way_is_finished_before_the_end(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.ai.always(replies.stream("раз ", "два", hold_after=1))
    bot.server.say("/ask что", user_id=anna.id)
    bot.wait(lambda: bot.ai.in_flight == 1)
    assert bot.process
    bot.process.send_signal(signal.SIGTERM)
    bot.wait(lambda: "Останавливаюсь" in bot.log)
    bot.ai.release()
    assert bot.exit_code() == 0
    assert "раз два" in texts(bot, anna)[0]
    assert " мс; " in texts(bot, anna)[0]


def test_a_question_that_takes_too_long_is_answered_after_the_restart(new_bot: NewBot) -> None:
    bot = new_bot(STOP_TIMEOUT="1").start()
    anna = bot.person()
    bot.ai.always(replies.hang())
    asked = bot.server.say("/ask что", user_id=anna.id)
    bot.wait(lambda: bot.ai.in_flight == 1)
    assert 0.9 < bot.stop() < 4
    bot.ai.always(replies.stream("вот"))
    bot.start()
    bot.wait(lambda: "вот" in texts(bot, anna)[0])
    assert len(bot.server.replies_to(anna.id, asked["message_id"])) == 1


def test_a_second_signal_ends_the_bot_at_once(new_bot: NewBot) -> None:
    bot = new_bot(STOP_TIMEOUT="60").start()
    bot.ai.always(replies.hang())
    bot.server.say("/ask что", user_id=1)
    bot.wait(lambda: bot.ai.in_flight == 1)
    assert bot.process
    bot.process.send_signal(signal.SIGINT)
    bot.wait(lambda: "Останавливаюсь" in bot.log)
    started = time.monotonic()
    while bot.process.poll() is None:  # the first signal may not have reached its handler yet
        bot.process.send_signal(signal.SIGINT)
        assert time.monotonic() - started < 30
    assert bot.exit_code() != 0


# Many people at once


def test_two_questions_of_a_person_run_and_five_wait(bot: Harness, anna: Person) -> None:
    bot.ai.hold()
    before = bot.ai.in_flight
    for number in range(8):
        bot.server.say(f"/ask вопрос {number}", user_id=anna.id)
    bot.wait(lambda: len(texts(bot, anna)) == 8)
    assert texts(bot, anna)[-1].startswith("Уже отвечаю на 2 ваших вопроса, и ещё 5 ждут.")
    bot.wait(lambda: bot.ai.in_flight == before + 2)
    bot.ai.release()
    bot.wait(lambda: sum(" мс; " in text for text in texts(bot, anna)) == 7)


def test_questions_that_wait_for_a_model_do_not_hold_up_a_note(bot: Harness, anna: Person) -> None:
    bot.ai.hold()
    askers = [bot.person() for _ in range(20)]
    for asker in askers:
        bot.server.say("/ask что", user_id=asker.id)
        bot.server.say("/ask как", user_id=asker.id)
    bot.wait(lambda: bot.ai.in_flight == 40)
    assert anna.says("/note_add мысль") == "Заметка #1 сохранена."
    bot.ai.release()
    bot.wait(lambda: all(" мс; " in text for asker in askers for text in texts(bot, asker)))
