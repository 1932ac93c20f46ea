"""What the journal restores: after kills of the process, and when numbers repeat."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import support.openrouter_replies as replies
from bot_api.server import BotApiServer
from in_words import UNEXPECTED
from support.between import Between
from support.fill import fill
from support.harness import FOOTER, Harness, Message, Person
from telegram.updates import updates_in

pytestmark = pytest.mark.usefixtures("telegrams_pace")
NewBot = Callable[..., Harness]
SAVED = "Заметка #{} сохранена."


@pytest.fixture
def between(new_bot: NewBot) -> Iterator[tuple[Harness, Between]]:
    """A bot that has not started, and a relay between it and Telegram."""
    bot = new_bot()
    with Between(bot.server.url) as between:
        bot.settings["TELEGRAM_API_URL"] = between.url
        yield bot, between
        bot.kill()


def sql(bot: Harness, statement: str) -> list[Any]:
    """Run a statement on the database without the bot."""
    with closing(sqlite3.connect(bot.db_path, isolation_level=None)) as conn:
        return conn.execute(statement).fetchall()


def left(bot: Harness) -> int:
    return int(sql(bot, "SELECT count(*) FROM updates WHERE state = 'new'")[0][0])


def texts(bot: Harness, chat_id: int) -> list[str]:
    return [str(message.get("text", "")) for message in bot.server.messages(chat_id)]


def answers(bot: Harness, said: Message) -> list[str]:
    """Return the texts of all messages that reply to this one."""
    quoting = bot.server.replies_to(said["chat"]["id"], said["message_id"])
    return [str(message["text"]) for message in quoting]


def wait_for_calls(bot: Harness, method: str, number: int, chat_id: int | None = None) -> None:
    bot.wait(lambda: len(bot.server.calls_of(method, chat_id)) >= number)


def kill_and_start(bot: Harness) -> None:
    bot.kill()
    bot.server.heal()
    bot.start()


# ---- Kills ----------------------------------------------------------------------------------


def test_an_edit_that_was_answered_into_the_void_still_holds(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    anna.says("/note_add раз")
    bot.server.fail("sendMessage", "hang", times=None)
    bot.server.say("/note_edit 1 два", user_id=anna.id)
    bot.server.say("/note_add три", user_id=anna.id)
    wait_for_calls(bot, "sendMessage", 2, anna.id)
    kill_and_start(bot)
    assert anna.says("/note_count") == "Заметок: 2."
    listed = anna.says("/note_list")
    assert "два" in listed
    assert "три" in listed
    assert "раз" not in listed


def test_a_file_on_its_way_comes_after_a_kill(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    anna.says("/note_add мысль")
    bot.server.fail("sendDocument", "reset", times=None)
    asked = bot.server.say("/note_export", user_id=anna.id)
    wait_for_calls(bot, "sendDocument", 1)
    kill_and_start(bot)
    bot.reply_to(asked)
    assert b"\xd0\xbc\xd1\x8b\xd1\x81\xd0\xbb\xd1\x8c" in bot.server.documents[-1].data


def test_a_kill_between_the_end_of_an_answer_and_its_confirmation(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.server.fail("editMessageText", "hang", times=None, chat_id=anna.id)
    asked = bot.server.say("/ask что", user_id=anna.id)
    wait_for_calls(bot, "editMessageText", 1, anna.id)
    kill_and_start(bot)
    bot.wait(lambda: not left(bot))
    (answer,) = answers(bot, asked)
    assert answer.startswith("Вы спросили: что")
    assert FOOTER.search(answer)


def test_a_question_whose_message_is_not_known_is_answered_all_the_same(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.server.fail("sendMessage", "hang", chat_id=anna.id)
    asked = bot.server.say("/ask что", user_id=anna.id)
    wait_for_calls(bot, "sendMessage", 1, anna.id)
    kill_and_start(bot)
    bot.wait(lambda: not left(bot))
    assert FOOTER.search(answers(bot, asked)[-1])
    assert sql(bot, "SELECT count(*) FROM turns") == [(1,)]


def test_all_seven_questions_of_a_person_are_answered_after_a_kill(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.ai.hold()
    groups = range(-1, -8, -1)  # separate groups, because edits in one chat are rate-limited
    asked = [bot.server.say(f"/ask вопрос {group}", user_id=7, chat_id=group) for group in groups]
    bot.wait(lambda: sql(bot, "SELECT count(*) FROM updates WHERE answer_ids != ''") == [(7,)])
    bot.kill()
    bot.ai.release()
    bot.start()
    bot.wait(lambda: not left(bot))
    for group, question in zip(groups, asked, strict=True):
        (answer,) = answers(bot, question)
        assert answer.startswith(f"Вы спросили: вопрос {group}\n")


def test_a_long_answer_that_is_as_long_again_stands_in_the_same_messages(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    long = "слово " * 800
    bot.ai.next(replies.stream(long, "ещё", hold_after=1))
    bot.server.say("/ask много", user_id=anna.id)
    bot.wait(lambda: "," in "".join(ids for (ids,) in sql(bot, "SELECT answer_ids FROM updates")))
    numbers = [message["message_id"] for message in bot.server.messages(anna.id)]
    bot.kill()
    bot.ai.next(replies.stream(long, "ещё"))
    bot.start()
    bot.wait(lambda: not left(bot))
    assert [message["message_id"] for message in bot.server.messages(anna.id)] == numbers
    assert FOOTER.search(texts(bot, anna.id)[-1])
    assert not any(text.startswith("⏳") for text in texts(bot, anna.id))


def test_a_question_that_cannot_be_asked_any_more_says_so_in_its_message(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.ai.hold()
    asked = bot.server.say("/ask что", user_id=anna.id)
    bot.wait(lambda: bot.ai.in_flight)
    for number in range(1, 11):
        anna.says(f"/model_del {number}")
    bot.kill()
    bot.start()
    bot.wait(lambda: not left(bot))
    assert answers(bot, asked) == ["Список моделей пуст."]


def test_a_command_on_which_the_bot_dies_three_times_is_put_aside(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.server.fail("sendMessage", "hang", times=None, chat_id=7)
    deadly = bot.server.say("/note_count", user_id=7)
    behind = bot.server.say("/note_add мысль", user_id=7)
    for deaths in range(1, 5):
        wait_for_calls(bot, "sendMessage", deaths, 7)
        bot.kill()
        if deaths < 4:  # a fourth death, because the first one hit several updates at once
            bot.launch()
    bot.server.heal()
    bot.start()
    assert bot.reply_to(behind)["text"] == SAVED.format(1)
    assert answers(bot, deadly)[-1] == UNEXPECTED
    bot.wait(lambda: not left(bot))
    assert sql(bot, "SELECT state FROM updates WHERE state != 'done'") == [("parked",)]


def test_what_kills_is_put_aside_although_a_question_is_open(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.ai.hold()
    question = bot.server.say("/ask что", user_id=9)
    bot.wait(lambda: bot.ai.in_flight)
    bot.server.fail("sendMessage", "hang", times=None, chat_id=7)
    deadly = bot.server.say("/note_count", user_id=7)
    for deaths in range(1, 5):
        wait_for_calls(bot, "sendMessage", deaths, 7)
        bot.kill()
        if deaths < 4:
            bot.launch()
    bot.server.heal()
    bot.start()
    bot.wait(lambda: answers(bot, deadly)[-1:] == [UNEXPECTED])
    bot.ai.release()
    bot.wait(lambda: not left(bot))
    assert FOOTER.search(answers(bot, question)[0])
    assert sql(bot, "SELECT count(*) FROM updates WHERE state = 'parked'") == [(1,)]


def export_under_way(bot: Harness) -> Message:
    """Kill the bot while it sends a file, set the update's tries to 5, and start the bot again."""
    fill(bot.db_path, 7, 600, "слово")
    bot.start()
    bot.server.fail("sendDocument", "hang", times=None, chat_id=7)
    asked = bot.server.say("/note_export", user_id=7)
    wait_for_calls(bot, "sendDocument", 1, 7)
    bot.kill()
    sql(bot, "UPDATE updates SET tries = 5 WHERE state = 'new'")
    bot.launch()
    wait_for_calls(bot, "sendDocument", 2, 7)
    return asked


def test_long_work_on_which_the_bot_dies_every_time_is_put_aside(new_bot: NewBot) -> None:
    bot = new_bot()
    deadly = export_under_way(bot)
    kill_and_start(bot)
    bot.wait(lambda: answers(bot, deadly) == [UNEXPECTED])  # sent after the update was parked
    assert sql(bot, "SELECT count(*) FROM updates WHERE state = 'parked'") == [(1,)]


def test_long_work_in_an_orderly_stop_is_not_suspected(new_bot: NewBot) -> None:
    bot = new_bot(STOP_TIMEOUT="1")
    asked = export_under_way(bot)
    bot.server.heal()
    bot.stop()
    bot.start()
    bot.wait(lambda: not left(bot))
    assert answers(bot, asked)[0].startswith("Готово. Заметок: 600")


def test_long_work_that_gets_further_is_suspected_less(new_bot: NewBot) -> None:
    bot = new_bot()
    export_under_way(bot)
    bot.kill()
    sql(bot, "UPDATE updates SET tries = 5 WHERE state = 'new'")
    bot.server.heal()
    bot.start()
    bot.wait(lambda: not left(bot))
    assert sql(bot, "SELECT max(tries) FROM updates") == [(5,)]


def test_deaths_among_many_count_against_nobody(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.server.fail("sendMessage", "reset", times=None)
    asked = [bot.server.say("/note_count", user_id=user_id) for user_id in (7, 8)]
    for _ in range(4):
        before = [len(bot.server.calls_of("sendMessage", chat)) for chat in (7, 8)]
        for chat, calls in zip((7, 8), before, strict=True):
            wait_for_calls(bot, "sendMessage", calls + 2, chat)
        bot.kill()
        bot.launch()
    bot.server.heal()
    assert [bot.reply_to(message)["text"] for message in asked] == ["Заметок: 0."] * 2


def test_an_orderly_stop_counts_against_nobody(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.server.fail("sendMessage", "hang", times=None, chat_id=7)
    asked = bot.server.say("/note_count", user_id=7)
    wait_for_calls(bot, "sendMessage", 1, 7)
    bot.kill()
    for calls in range(2, 5):
        bot.launch()
        wait_for_calls(bot, "sendMessage", calls, 7)
        bot.stop()
    bot.server.heal()
    bot.start()
    bot.wait(lambda: not left(bot))
    assert UNEXPECTED not in answers(bot, asked)


def stop_while_the_file_is_locked(bot: Harness, after: Callable[[], object]) -> None:
    """Lock the file, wait for a condition and for the bot to block on the file, stop it, and unlock."""
    with closing(sqlite3.connect(bot.db_path, isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        bot.wait(after)
        with bot.server.changed:  # nothing visible shows when the bot begins to wait
            bot.server.changed.wait_for(lambda: False, timeout=0.7)
        assert bot.process
        bot.process.terminate()


def test_a_stop_while_a_command_is_taken_up_is_orderly(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.server.fail("sendMessage", "reset", times=None, chat_id=7)
    asked = bot.server.say("/note_count", user_id=7)
    wait_for_calls(bot, "sendMessage", 1, 7)
    bot.kill()
    bot.server.heal()
    bot.server.fail("sendMessage", "hang", chat_id=7, hold_s=0.3)
    bot.launch()
    bot.reply_to(asked)
    stop_while_the_file_is_locked(bot, lambda: True)
    assert bot.exit_code() == 0
    assert bot.start().person(7).says("/note_count") == "Заметок: 0."


def test_a_stop_while_a_command_is_received_lets_a_question_end(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.ai.hold()
    question = bot.server.say("/ask что", user_id=7)
    bot.wait(lambda: bot.ai.in_flight)
    bot.wait(lambda: bot.server.updates.polled)
    polls = len(bot.server.calls_of("getUpdates"))
    command = bot.server.say("/note_count", user_id=8)
    stop_while_the_file_is_locked(bot, lambda: len(bot.server.calls_of("getUpdates")) > polls)
    bot.ai.release()
    assert bot.exit_code() == 0
    assert FOOTER.search(answers(bot, question)[0])
    bot.start()
    assert bot.reply_to(command)["text"] == "Заметок: 0."


# ---- Numbers that repeat --------------------------------------------------------------------


def test_what_was_not_confirmed_comes_again_and_is_answered_once(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.wait(lambda: bot.server.updates.polled)
    bot.server.fail("getUpdates", "reset", times=None)
    asked = bot.server.say("/note_add мысль", user_id=anna.id)
    assert bot.reply_to(asked)["text"] == SAVED.format(1)
    bot.wait(lambda: not left(bot))
    assert bot.server.pending == 1
    kill_and_start(bot)
    assert anna.says("/note_count") == "Заметок: 1."
    assert len(answers(bot, asked)) == 1


def test_what_got_lost_on_its_way_to_the_bot_comes_again(bot: Harness, anna: Person) -> None:
    anna.says("/note_count")
    bot.wait(lambda: bot.server.updates.polled)
    for text in ("/note_add раз", "/note_add два"):  # the second is delivered over a connection that breaks
        bot.server.fail("getUpdates", "reset_after")
        bot.reply_to(bot.server.say(text, user_id=anna.id))
    assert anna.says("/note_count") == "Заметок: 2."


def test_a_number_that_telegram_gives_anew_after_some_weeks_is_another_update(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    first = bot.server.updates.next_id
    anna.says("/note_add раз")
    bot.wait(lambda: not left(bot))
    bot.stop()
    sql(bot, "UPDATE updates SET received_at = received_at - 20 * 86400")
    bot.server.updates.next_id = first
    bot.start()
    assert anna.says("/note_add два") == SAVED.format(2)


def test_the_number_of_an_update_put_aside_may_come_again_too(new_bot: NewBot) -> None:
    bot = new_bot().start()
    number = bot.server.updates.next_id
    bot.server.push({"message": {"from": {"id": 7}, "chat": {"id": 7}}})
    bot.wait(lambda: sql(bot, "SELECT 1 FROM updates WHERE state = 'parked'"))
    bot.stop()
    sql(bot, "UPDATE updates SET received_at = received_at - 20 * 86400")
    bot.server.updates.next_id = number
    bot.start()
    assert bot.person().says("/note_add мысль") == SAVED.format(1)


def test_another_bot_on_the_same_file_counts_from_one_again(tmp_path: Path) -> None:
    with Harness(tmp_path) as first:
        first.start()
        assert first.person(7).says("/note_add раз") == SAVED.format(1)
    second = Harness(tmp_path)  # a new bot from BotFather has its own numbers for messages and updates
    second.server = BotApiServer("654321:OTHER")
    second.server.updates.next_id = 500_000
    with second:
        second.start()
        assert second.person(7).says("/note_add два") == SAVED.format(2)
        assert second.person(7).says("/note_count") == "Заметок: 2."


def test_the_same_numbers_from_another_bot_are_no_repetition(tmp_path: Path) -> None:
    with Harness(tmp_path) as first:
        first.start()
        first.person(7).says("/note_count")
    second = Harness(tmp_path)
    second.server = BotApiServer("654321:OTHER")
    with second:
        second.start()
        assert second.person(8).says("/note_count") == "Заметок: 0."


# ---- Invalid updates ------------------------------------------------------------------------


def note(number: int, chat_id: int, text: str = "/note_add мысль") -> str:
    """Return an update as Telegram writes it; the text may contain JSON escapes."""
    person = {"id": chat_id, "is_bot": False, "first_name": "x"}
    message = {"message_id": number, "date": 1_763_942_400, "from": person}
    body = json.dumps(message | {"chat": {"id": chat_id, "type": "private"}, "text": "TEXT"})
    return f'{{"update_id":{number},"message":{body.replace("TEXT", text)}}}'


ODD_IDS = ["[7]", "{}", "null", '"7"', "7.5", "1e400", "true", "99999999999999999999"]
NONE_AT_ALL = [
    "null", "5", '"text"', "[]", "{}", '{"update_id":null}', '{"update_id":"7"}', '{"update_id":7.5}',
    '{"update_id":-7}', '{"update_id":1e400}', '{"update_id":99999999999999999999,"message":{}}',
]  # fmt: skip


def test_what_is_no_update_holds_up_neither_its_batch_nor_what_follows(
    between: tuple[Harness, Between],
) -> None:
    bot, telegram = between
    for chat_id in (7, 8, 9):
        bot.server.chat(chat_id)
    telegram.hand_over(note(1, 7), *NONE_AT_ALL, note(2, 8))
    bot.start()
    bot.wait(lambda: texts(bot, 7) and texts(bot, 8))
    assert texts(bot, 7) == texts(bot, 8) == [SAVED.format(1)]
    assert bot.person(9).says("/note_count") == "Заметок: 0."
    bot.wait(lambda: "update" in bot.log.lower() or "бновлен" in bot.log)  # the log mentions it


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "text"]), inner)
    ),
)
FIELDS = [
    (),
    *((name,) for name in ("message_id", "date", "from", "chat", "text", "entities", "sender_chat", "photo")),
    *((name,) for name in ("reply_to_message", "quote", "forward_origin", "media_group_id", "document")),
    *(("from", name) for name in ("id", "is_bot", "first_name")),
    *(("chat", name) for name in ("id", "type")),
]


@given(st.sampled_from(FIELDS), ANYTHING)
def test_whatever_a_field_holds_an_update_is_read_or_put_aside(path: tuple[str, ...], value: object) -> None:
    body: dict[str, Any] = json.loads(note(1, 7))
    *outer, last = ("message", *path)
    place = body
    for name in outer:
        place = place[name]
    place[last] = value
    (update,), sound = updates_in([body])
    assert sound
    assert update.number == 1


def test_an_id_that_is_none_ends_nothing(between: tuple[Harness, Between]) -> None:
    bot, telegram = between
    bot.server.chat(8)
    odd = [note(number, 7).replace('"id": 7', f'"id": {odd}') for number, odd in enumerate(ODD_IDS, 1)]
    telegram.hand_over(*odd, note(90, 8))
    bot.start()
    bot.wait(lambda: texts(bot, 8) == [SAVED.format(1)])


@pytest.mark.parametrize("result", ['["x"]', '[{"update_id":"7"}]', '"text"'])
def test_batches_without_any_update_are_not_asked_for_without_a_pause(
    between: tuple[Harness, Between], result: str
) -> None:
    bot, telegram = between
    rule = telegram.answer("getUpdates", f'{{"ok":true,"result":{result}}}', times=100_000)
    bot.start()
    began = len(bot.server.calls)
    bot.wait(lambda: rule.used)
    asked = bot.server.say("/note_count")  # delivered once getUpdates is answered properly
    with bot.server.changed:
        bot.server.changed.wait_for(lambda: len(bot.server.calls) > began + 50, timeout=0.7)
    spun, rule.times = rule.used, 0
    bot.reply_to(asked)
    assert spun < 40


@pytest.mark.parametrize(
    "text",
    [r"/note_add \ud83d", r"/note_find \ud83d", r"/ask \udc00", r"\ud83d", r"/\ud83d", r"/note_add a\u0000b"],
)
def test_half_a_character_hurts_only_its_own_message(between: tuple[Harness, Between], text: str) -> None:
    bot, telegram = between
    bot.traceback_expected = True
    bot.server.chat(7)
    telegram.hand_over(note(1, 7, text), note(2, 8), note(3, 7, "/note_count"))
    bot.server.chat(8)
    bot.start()
    bot.wait(lambda: texts(bot, 8) == [SAVED.format(1)])
    bot.wait(lambda: texts(bot, 7)[-1:] and texts(bot, 7)[-1].startswith("Заметок: "))
    bot.wait(lambda: not left(bot))
