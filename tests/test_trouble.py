"""Telegram refuses, hangs up, sends nonsense, or is unreachable: the effect on a person."""

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import Any

import pytest

import support.openrouter_replies as replies
from bot_api.failures import Kind
from bot_api.server import Call
from in_words import UNEXPECTED
from support.between import Between
from support.fill import fill
from support.harness import FOOTER, Harness, Person
from telegram.attachments import NOT_SENT

pytestmark = pytest.mark.usefixtures("telegrams_pace")
NewBot = Callable[..., Harness]
BROKEN: list[Kind] = ["reset", "reset_after", "500", "502", "invalid_json", "no_ok"]
SECOND_COPY = "другой копии бота"


@pytest.fixture(scope="module", autouse=True)
def waiting_bots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Harness]]:
    """Two bots whose getUpdates fails at first; other tests run while they wait."""
    with Harness(tmp_path_factory.mktemp("cut")) as cut, Harness(tmp_path_factory.mktemp("copy")) as copy:
        cut.server.fail("getUpdates", "reset", times=4)
        copy.server.fail("getUpdates", "409")
        yield [bot.start() for bot in (cut, copy)]


@pytest.fixture(scope="module")
def between(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Harness, Between]]:
    """A running bot, and a relay between it and Telegram."""
    with Harness(tmp_path_factory.mktemp("between")) as bot, Between(bot.server.url) as telegram:
        bot.settings["TELEGRAM_API_URL"] = telegram.url
        bot.traceback_expected = True
        yield bot.start(), telegram
        bot.stop()


def sql(bot: Harness, statement: str) -> list[Any]:
    """Run a statement on the database without the bot."""
    with closing(sqlite3.connect(bot.db_path, isolation_level=None)) as conn:
        return conn.execute(statement).fetchall()


def left(bot: Harness) -> int:
    return int(sql(bot, "SELECT count(*) FROM updates WHERE state = 'new'")[0][0])


def texts(bot: Harness, person: Person) -> list[str]:
    return [str(message.get("text", "")) for message in bot.server.messages(person.id)]


def calls(bot: Harness, chat_id: int) -> list[Call]:
    """Return the bot's calls in a chat, in the order of arrival."""
    with bot.server.changed:
        return sorted((c for c in bot.server.calls if c.chat_id == chat_id), key=lambda call: call.at)


def pause_after_429(bot: Harness, chat_id: int) -> float:
    """Return the seconds between a 429 in a chat and the next call."""
    refused = next(call.at for call in calls(bot, chat_id) if call.status == 429)
    return min(call.at for call in calls(bot, chat_id) if call.at > refused) - refused


def gaps(calls: list[Call]) -> list[float]:
    return [later.at - earlier.at for earlier, later in pairwise(calls)]


# ---- A refusal ------------------------------------------------------------------------------


def test_an_answer_that_is_refused_three_times_is_put_aside_and_blocks_nobody(
    between: tuple[Harness, Between],
) -> None:
    bot, telegram = between
    anna, boris = bot.person(), bot.person()
    rule = telegram.refuse("sendMessage", "TEXT_MAKES_NO_SENSE", fragment="Заметка #1", times=9)
    refused = bot.server.say("/note_add мысль", user_id=anna.id)
    after = bot.server.say("/note_count", user_id=anna.id)
    bot.wait(lambda: rule.used)
    assert boris.says("/note_count") == "Заметок: 0."
    assert rule.used == 1
    assert bot.reply_to(after)["text"] == "Заметок: 1."
    assert bot.reply_to(refused)["text"] == UNEXPECTED
    assert rule.used == 3
    rule.times = 0
    bot.wait(lambda: "отложено" in bot.log)
    assert sql(bot, "SELECT count(*) FROM updates WHERE state = 'parked'") == [(1,)]


def test_an_answer_that_is_refused_twice_comes(between: tuple[Harness, Between]) -> None:
    bot, telegram = between
    telegram.refuse("sendMessage", "TEXT_MAKES_NO_SENSE", fragment="Заметок: 0", times=2)
    assert bot.person().says("/note_count") == "Заметок: 0."


def test_an_answer_whose_message_takes_no_edit_comes_at_its_end_in_a_new_one(
    between: tuple[Harness, Between],
) -> None:
    bot, telegram = between
    anna = bot.person()
    rule = telegram.refuse("editMessageText", "MESSAGE_MAKES_NO_SENSE", fragment="Растёт", times=99)
    bot.answers["рост"] = replies.stream("Растёт ", "и выросло", hold_after=1)
    waiting = anna.asks("/ask рост")
    bot.wait(lambda: rule.used)
    assert texts(bot, anna) == [waiting["text"]], "a draft is not worth a new message"
    bot.ai.release()
    bot.wait(lambda: len(texts(bot, anna)) == 2)
    assert FOOTER.sub("", texts(bot, anna)[1]) == "Растёт и выросло"
    bot.wait(lambda: not left(bot))


def test_a_chat_where_the_bot_may_not_write_costs_no_other_one(between: tuple[Harness, Between]) -> None:
    bot, telegram = between
    rights = telegram.refuse("sendMessage", "not enough rights to send text messages to the chat")
    silent, anna = bot.person(), bot.person()
    bot.server.say("/note_count", user_id=silent.id)
    bot.wait(lambda: rights.used == 1)
    assert anna.says("/note_count") == "Заметок: 0."
    bot.wait(lambda: not left(bot))
    assert not texts(bot, silent)


def test_where_reactions_are_forbidden_words_tell_of_an_edit(between: tuple[Harness, Between]) -> None:
    bot, telegram = between
    anna = bot.person()
    said = bot.server.say("купить хлеб", user_id=anna.id)
    bot.reply_to(said)
    telegram.refuse("setMessageReaction", "REACTION_INVALID")
    bot.server.edit(said, "купить соль")
    bot.wait(lambda: texts(bot, anna)[-1] == "Заметка #1 исправлена.")


def test_where_files_are_forbidden_words_say_so(between: tuple[Harness, Between]) -> None:
    bot, telegram = between
    anna = bot.person()
    assert (
        "сохранена" in bot.reply_to(bot.server.send_photo(b"JPEG", caption="двор", user_id=anna.id))["text"]
    )
    telegram.refuse("sendPhoto", "not enough rights to send photos to the chat", times=2)
    bot.server.say("/note 1", user_id=anna.id)
    _, gone, card = bot.wait(lambda: found if len(found := texts(bot, anna)) == 3 else None)
    assert gone == f"{NOT_SENT} 🖼 фото"
    assert card.endswith("двор")
    bot.server.say("/note_stats", user_id=anna.id)
    bot.wait(lambda: texts(bot, anna)[-1].startswith("Всего заметок: 1"))
    telegram.refuse("sendDocument", "CHAT_SEND_DOCS_FORBIDDEN")
    assert str(anna.says("/note_export")).startswith("Telegram не принял файл notes.txt")
    fill(bot.db_path, anna.id, 600)
    telegram.refuse("sendDocument", "CHAT_SEND_DOCS_FORBIDDEN")
    begun = anna.asks("/note_export")
    bot.wait(lambda: "Telegram не принял файл" in texts(bot, anna)[-1])
    assert bot.server.messages(anna.id)[-1]["message_id"] == begun["message_id"], "in its place"
    bot.wait(lambda: not left(bot))


@pytest.mark.parametrize(("code", "description"), [(404, "Not Found: method not found"), (403, "Forbidden")])
def test_a_server_that_knows_of_no_webhooks_is_polled_all_the_same(
    new_bot: NewBot, code: int, description: str
) -> None:
    bot = new_bot()
    with Between(bot.server.url) as telegram:
        bot.settings["TELEGRAM_API_URL"] = telegram.url
        body = {"ok": False, "error_code": code, "description": description}
        telegram.answer("deleteWebhook", json.dumps(body), status=code, times=99)
        bot.launch()
        assert bot.person().says("/note_count") == "Заметок: 0."
        bot.stop()


def test_somebody_who_blocks_the_bot_in_the_middle_of_an_answer_costs_nothing_more(bot: Harness) -> None:
    anna = bot.person()
    bot.answers["долго"] = replies.repeat(replies.chunk("слово "), delay=0.05)
    asked = bot.server.say("/ask долго", user_id=anna.id)
    bot.wait(lambda: "слово" in texts(bot, anna)[-1] if texts(bot, anna) else None)
    bot.server.block(anna.id)
    bot.ai.wait(lambda: "долго" in [request.question for request in bot.ai.closed_by_client])
    bot.wait(lambda: not left(bot))
    assert [call.status for call in calls(bot, anna.id)].count(403) == 1
    assert bot.server.replies_to(anna.id, asked["message_id"])


def test_a_surplus_message_that_is_gone_already_spoils_no_answer(new_bot: NewBot) -> None:
    bot = new_bot().start()
    people = [bot.person(), bot.person()]
    bot.answers["много"] = replies.stream("слово " * 800, "ещё", hold_after=1)
    for person in people:
        bot.server.say("/ask много", user_id=person.id)
    bot.wait(lambda: sql(bot, "SELECT count(*) FROM updates WHERE answer_ids LIKE '%,%'") == [(2,)])
    bot.kill()
    first, second = people
    bot.server.erase(first.id, bot.server.messages(first.id)[-1]["message_id"])
    bot.server.fail("deleteMessage", "reset_after", chat_id=second.id)
    bot.answers["много"] = replies.answer("теперь кратко")
    bot.start()
    bot.wait(lambda: not left(bot))
    for person in people:
        (text,) = texts(bot, person)
        assert text.startswith("теперь кратко\n\n(")
    assert sql(bot, "SELECT DISTINCT state FROM updates") == [("done",)]


# ---- Too many requests ----------------------------------------------------------------------


def test_after_a_429_for_an_edit_nothing_at_all_goes_to_that_chat(bot: Harness) -> None:
    anna, boris = bot.person(), bot.person()
    bot.server.fail("editMessageText", "429", chat_id=anna.id, retry_after=2)
    bot.server.say("/ask что", user_id=anna.id)
    bot.wait(lambda: [call for call in calls(bot, anna.id) if call.status == 429])
    counted = bot.server.say("/note_count", user_id=anna.id)
    assert boris.says("/note_count") == "Заметок: 0."
    assert not bot.server.replies_to(anna.id, counted["message_id"])
    bot.reply_to(counted)
    assert 2 <= pause_after_429(bot, anna.id) < 3
    bot.wait(lambda: FOOTER.search(texts(bot, anna)[0]))


def test_a_call_that_was_under_way_does_not_end_the_wait_after_a_429(bot: Harness) -> None:
    anna = bot.person()
    bot.answers["долго"] = replies.stream(*["слово "] * 30, delay=0.1)
    bot.server.fail("editMessageText", "hang", chat_id=anna.id, hold_s=0.5)
    bot.server.say("/ask долго", user_id=anna.id)
    bot.wait(lambda: bot.server.calls_of("editMessageText", anna.id))
    bot.server.fail("sendMessage", "429", chat_id=anna.id, retry_after=2)
    bot.reply_to(bot.server.say("/note_count", user_id=anna.id))
    bot.wait(lambda: FOOTER.search(texts(bot, anna)[0]))
    assert pause_after_429(bot, anna.id) >= 2


def test_a_429_for_the_polling_is_waited_out(bot: Harness) -> None:
    anna = bot.person()
    bot.wait(lambda: bot.server.updates.polled)
    bot.server.fail("getUpdates", "429", retry_after=2)
    anna.says("/note_count")  # ends the running poll
    assert anna.says("/note_count") == "Заметок: 0."
    polls = bot.server.calls_of("getUpdates")
    refused = next(n for n, call in enumerate(polls) if call.status == 429)
    assert (
        2 <= polls[refused + 1].at - polls[refused].at < 40
    )  # a poll is recorded at its start, and it is long


# ---- Broken connections ---------------------------------------------------------------------


def test_the_end_of_an_answer_comes_although_edits_fail(bot: Harness) -> None:
    people = [bot.person() for _ in BROKEN]
    for kind, person in zip(BROKEN, people, strict=True):
        bot.server.fail("editMessageText", kind, chat_id=person.id)
        bot.server.say("/ask что", user_id=person.id)
    bot.wait(lambda: all(FOOTER.search("".join(texts(bot, person))) for person in people))
    assert [len(texts(bot, person)) for person in people] == [1] * len(people)


@pytest.mark.parametrize("kind", ["reset", "502"])
def test_a_file_comes_whole_although_sending_it_fails(bot: Harness, anna: Person, kind: Any) -> None:
    anna.says("/note_add мысль")
    bot.server.fail("sendDocument", kind, chat_id=anna.id)
    assert "мысль" in anna.exports()


def test_an_answer_that_arrived_unconfirmed_has_its_effect_once(bot: Harness, anna: Person) -> None:
    bot.server.fail("sendMessage", "reset_after", chat_id=anna.id)
    anna.says("/note_add мысль")
    assert anna.says("/note_count") == "Заметок: 1."


def test_a_button_works_although_its_answer_cannot_be_shown(bot: Harness, anna: Person) -> None:
    message = anna.asks("/models")
    bot.server.fail("answerCallbackQuery", "reset")
    bot.server.press(anna.id, message["message_id"], 2)
    bot.wait(lambda: "★ 3. " in bot.server.find(anna.id, message["message_id"])["text"])
    anna.says("/model 1")


def test_an_answer_that_ended_while_telegram_was_away_is_there_afterwards(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.ai.hold()
    bot.server.say("/ask что", user_id=anna.id)
    bot.wait(lambda: bot.ai.in_flight)
    bot.server.stop_listening()
    bot.ai.release()
    bot.wait(lambda: "Не доставлено" in bot.log)
    bot.server.resume()
    bot.wait(lambda: FOOTER.search(texts(bot, anna)[0]))
    assert len(texts(bot, anna)) == 1


@pytest.mark.parametrize(("age", "given_up"), [(86_400 + 60, True), (86_400 - 600, False)])
def test_what_could_not_be_answered_for_a_day_is_given_up(
    new_bot: NewBot, age: int, *, given_up: bool
) -> None:
    bot = new_bot().start()
    bot.server.fail("sendMessage", "reset", times=None)
    asked = bot.server.say("/note_add мысль", user_id=7)
    bot.wait(lambda: bot.server.calls_of("sendMessage"))
    bot.kill()
    sql(bot, f"UPDATE updates SET received_at = received_at - {age}")
    before = len(bot.server.calls_of("sendMessage"))
    bot.start()
    bot.wait(lambda: len(bot.server.calls_of("sendMessage")) > before)
    bot.wait(lambda: left(bot) == (not given_up))
    bot.server.heal()
    bot.wait(lambda: "сутки" in bot.log if given_up else bot.server.replies_to(7, asked["message_id"]))
    assert ("сутки" in bot.log) is given_up
    assert bot.person(7).says("/note_count") == "Заметок: 1."


def test_an_old_command_is_answered_if_telegram_lets_it(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.server.fail("sendMessage", "reset", times=None)
    asked = bot.server.say("/note_count", user_id=7)
    bot.wait(lambda: bot.server.calls_of("sendMessage"))
    bot.kill()
    sql(bot, "UPDATE updates SET received_at = received_at - 200000")
    bot.server.heal()
    bot.start()
    assert bot.reply_to(asked)["text"] == "Заметок: 0."


# ---- Nonsense -------------------------------------------------------------------------------

NONSENSE = {
    "no parameters": '{"ok":false,"error_code":500,"description":"Oops","parameters":null}',
    "no words": '{"ok":false,"error_code":500,"description":null}',
    "a code in letters": '{"ok":false,"error_code":"409","description":"Conflict"}',
    "deep": '{"ok":true,"result":' + "[" * 100_000 + "]" * 100_000 + "}",
    "null": "null",
    "a result that is none": '{"ok":true,"result":null}',
}


def goes_on_polling(bot: Harness) -> bool:
    """Wait until the bot polls again or exits; return whether it still runs."""
    process = bot.process
    assert process
    bot.server.wait(lambda: bot.server.updates.polled or process.poll() is not None)
    return process.poll() is None


def test_nonsense_instead_of_updates_ends_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    with ExitStack() as stack:
        bots = {name: stack.enter_context(Harness(tmp_path_factory.mktemp("bot"))) for name in NONSENSE}
        for name, bot in bots.items():
            bot.traceback_expected = True  # the assertion below explains a failure better
            telegram = stack.enter_context(Between(bot.server.url))
            telegram.answer("getUpdates", NONSENSE[name])
            bot.settings["TELEGRAM_API_URL"] = telegram.url
            bot.launch()
        goes_on = {name: goes_on_polling(bot) for name, bot in bots.items()}
        for bot in bots.values():
            bot.kill()
    assert goes_on == dict.fromkeys(NONSENSE, True)


def test_nonsense_about_a_message_holds_up_only_that(between: tuple[Harness, Between]) -> None:
    bot, telegram = between
    said = []
    for nonsense in NONSENSE.values():
        person = bot.person()
        telegram.answer("sendMessage", nonsense, fragment=f"chat_id={person.id}&")
        bot.server.say("/note_add мысль", user_id=person.id)
        said.append(bot.server.say("/note_count", user_id=person.id))
    assert {bot.reply_to(message)["text"] for message in said} == {"Заметок: 1."}


# ---- Polling --------------------------------------------------------------------------------


def test_a_bot_that_cannot_reach_telegram_stops_when_it_is_told_to(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.server.fail("getMe", "reset", times=None)
    bot.launch()
    bot.wait(lambda: "недоступен" in bot.log)
    assert bot.stop(signal.SIGINT) < 2


def test_pauses_between_failed_polls_grow_and_trouble_is_said_once(waiting_bots: list[Harness]) -> None:
    bot = waiting_bots[0]
    assert bot.person().says("/note_count") == "Заметок: 0."
    pauses = gaps(bot.server.calls_of("getUpdates")[:5])
    assert pauses == sorted(pauses)
    assert pauses[0] < 2
    assert max(pauses) < 15.5
    assert len({round(pause / 2**n, 3) for n, pause in enumerate(pauses)}) > 1  # random, not all in step
    assert bot.log.count("недоступен") == 1


def test_after_another_copy_was_heard_of_the_bot_goes_on(waiting_bots: list[Harness]) -> None:
    bot = waiting_bots[1]
    assert bot.person().says("/note_count") == "Заметок: 0."
    (pause, *_) = gaps(bot.server.calls_of("getUpdates"))
    assert 5 <= pause < 31
    assert bot.log.count(SECOND_COPY) == 1


WEBHOOK = "Conflict: can't use getUpdates method while webhook is active"


TOO_MANY = {
    "error_code": 429,
    "description": "Too Many Requests: retry after 0",
    "parameters": {"retry_after": 0},
}
PASSED_OVER: dict[str, tuple[dict[str, Any], str]] = {  # an answer to getUpdates, and the bot's log line
    "a webhook that stays": ({"ok": False, "error_code": 409, "description": WEBHOOK}, "Снимаю его"),
    "429 without a time": ({"ok": False} | TOO_MANY, "недоступен"),
    "an object": ({"ok": True, "result": {"update_id": 1}}, "не обновления"),
    "a text": ({"ok": True, "result": "обновлений нет"}, "не обновления"),
    "a list of nothing": ({"ok": True, "result": [1, None, [], {"update_id": -1}]}, "не обновления"),
}


def three_pauses(bot: Harness, telegram: Between, answer: dict[str, Any]) -> float:
    """Answer polls this way until three more came, stop that, and return the seconds they took."""
    bot.person().says("/note_count")
    rules = [
        telegram.answer(method, json.dumps(answer), status=answer.get("error_code", 200), times=10_000)
        for method in ("getUpdates", "deleteWebhook")
    ]
    bot.server.say("/note_count", user_id=bot.person().id)  # ends the running poll
    bot.wait(lambda: rules[0].used)
    begun, before = time.monotonic(), rules[0].used
    bot.wait(lambda: rules[0].used >= before + 3)
    telegram.rules.clear()
    return time.monotonic() - begun


def test_what_does_not_pass_is_asked_for_ever_more_rarely(tmp_path_factory: pytest.TempPathFactory) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(len(PASSED_OVER)) as pool:
        waits = {}
        for name, (answer, _) in PASSED_OVER.items():
            bot = stack.enter_context(Harness(tmp_path_factory.mktemp("bot")))
            telegram = stack.enter_context(Between(bot.server.url))
            bot.settings["TELEGRAM_API_URL"] = telegram.url
            waits[name] = bot, pool.submit(three_pauses, bot.start(), telegram, answer)
        for name, (bot, seconds) in waits.items():
            assert seconds.result() > 0.7, name  # 0.25, 0.5, 1, each up to a quarter less
            assert bot.person().says("/note_count") == "Заметок: 0.", name
            assert bot.log.count(PASSED_OVER[name][1]) == 1, name
            bot.stop()
