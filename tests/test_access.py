"""Nobody gets in without the owner's permission, and nobody reaches another person's data."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from support.harness import Harness, Message, Person, name_of

NewBot = Callable[..., Harness]
GROUP = -1001
STRANGER_ID = 987_654_321
OWNER_ONLY = "Это может только владелец бота."
SECRET = "STRANGERS-SECRET"


def printed_codes(bot: Harness) -> list[str]:
    """Return the codes from the links on standard output, oldest first."""
    return re.findall(r"https://t\.me/zametochnik_bot\?start=([\w-]+)", "".join(bot.out))


def newest_code(bot: Harness) -> str:
    """Wait until the newest link is also printed as a line to type, and return its code."""
    code = bot.wait(lambda: printed_codes(bot))[-1]
    bot.wait(lambda: f"/start {code}\n" in "".join(bot.out))
    return code


def invited(owner: Person, name: str = "Гость") -> Person:
    """Let a new person in with an invitation from the owner."""
    guest = owner.bot.person(name=name)
    assert guest.says(f"/start {invitation(owner)}").startswith("Привет!")
    return guest


def invitation(owner: Person) -> str:
    said = owner.says("/invite")
    found = re.search(r"https://t\.me/zametochnik_bot\?start=([\w-]+)", said)
    assert found
    assert f"/start {found[1]}" in said
    return found[1]


def is_refused(text: str, person: Person) -> bool:
    return "личный бот" in text and str(person.id) in text and "\n" not in text


def stays_unanswered(bot: Harness, *messages: Message) -> bool:
    """Return whether the bot has seen the messages and answered none of them."""
    bot.wait(lambda: not bot.server.pending)
    inside = bot.person(1)
    inside.says("/note_count")  # its answer means that everything before it was processed
    return not any(bot.server.replies_to(m["chat"]["id"], m["message_id"]) for m in messages)


def everything_stored(bot: Harness) -> str:
    """Return all rows of the database as text."""
    with closing(sqlite3.connect(bot.db_path)) as conn:
        return "\n".join(conn.iterdump())


def files_contain(bot: Harness, text: str) -> bool:
    """Return whether any file written by the bot contains a text, plain or as backslash escapes."""
    escaped = text.encode("ascii", "backslashreplace")
    files = [path for path in bot.folder.rglob("*") if path.is_file()]
    assert bot.db_path in files
    contents = [path.read_bytes() for path in files]
    return any(form in content for content in contents for form in (text.encode(), escaped))


def claimed(bot: Harness) -> Harness:
    """Start a bot and make person 1 its owner by the one-time link."""
    bot.start()
    assert bot.person(1, "Владелец").says(f"/start {newest_code(bot)}").startswith("Привет!")
    return bot


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot that belongs to person 1."""
    with Harness(tmp_path_factory.mktemp("owned"), ALLOWED_USERS="") as bot:
        yield claimed(bot)


@pytest.fixture
def owner(owned: Harness) -> Person:
    """The owner, with the first model active."""
    person = owned.person(1)
    person.says("/model 1")
    return person


# ---- The one-time link ----------------------------------------------------------------------


def test_whoever_uses_the_link_is_the_owner_and_the_link_is_dead(owned: Harness, owner: Person) -> None:
    assert owner.says("/model 2").startswith("Активная модель переключена")
    boris = owned.person()
    assert is_refused(boris.says(f"/start {printed_codes(owned)[0]}"), boris)


def test_the_newest_code_counts_and_none_is_printed_once_there_is_an_owner(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    first = newest_code(bot)
    bot.stop()
    bot.out.clear()
    bot.start()
    second = newest_code(bot)
    assert first != second
    anna, boris = bot.person(), bot.person()
    assert "ничей" in boris.says(f"/start {first}")
    assert anna.says(f"/start {second}").startswith("Привет!")
    bot.stop()
    bot.out.clear()
    bot.start()
    assert anna.says("/note_count") == "Заметок: 0."
    assert printed_codes(bot) == []


def test_the_code_on_disk_and_in_the_log_is_only_a_hash(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    code = newest_code(bot)
    assert not files_contain(bot, code)
    owner = bot.person(1)
    owner.says(f"/start {code}")
    guests = invitation(owner)
    assert not files_contain(bot, guests)
    bot.stop()
    assert not files_contain(bot, code)
    assert code not in "".join(bot.err)


@pytest.mark.parametrize("wrong", ["abc", "A" * 24, "", "%", "' OR 1=1 --", "я" * 24, "x" * 64])
def test_a_wrong_code_lets_nobody_in(owned: Harness, wrong: str) -> None:
    boris = owned.person()
    assert is_refused(boris.says(f"/start {wrong}"), boris)


def test_a_code_works_in_a_private_chat_only(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    code = newest_code(bot)
    anna, boris = bot.person(), bot.person()
    overheard = bot.server.say(f"/start {code}", user_id=boris.id, chat_id=GROUP)
    assert anna.says(f"/start {code}").startswith("Привет!")
    assert bot.server.replies_to(GROUP, overheard["message_id"]) == []


def test_a_code_in_forwarded_words_lets_nobody_in(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    anna, boris = bot.person(), bot.person()
    words = f"/start {newest_code(bot)}"
    assert "ничей" in bot.reply_to(bot.server.forward(words, user_id=boris.id))["text"]
    assert anna.says(words).startswith("Привет!")


def test_without_an_owner_nobody_is_served(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    anna = bot.person()
    assert "ничей" in anna.says("/note_add мысль")
    assert bot.ai.questions == []


# ---- Strangers ------------------------------------------------------------------------------


def test_a_stranger_is_told_once_in_an_hour(owned: Harness) -> None:
    stranger = owned.person()
    assert is_refused(stranger.says("привет"), stranger)
    again = [owned.server.say(text, user_id=stranger.id) for text in ("алло", "/start x", "/note_add x")]
    assert stays_unanswered(owned, *again)
    other = owned.person()
    assert is_refused(other.says("и я"), other)  # once for each person


def test_nothing_of_a_stranger_is_stored_sent_or_logged(new_bot: NewBot) -> None:
    bot = claimed(new_bot(ALLOWED_USERS=""))
    stranger = bot.person(STRANGER_ID, "Незнакомец")
    stranger.says(f"/note_add {SECRET} тайна")
    for text in (f"/ask {SECRET}", f"/start {SECRET}", f"/note_find {SECRET}"):
        bot.server.say(text, user_id=STRANGER_ID)
    sent = bot.server.say(SECRET, user_id=STRANGER_ID)
    bot.server.edit(sent, f"{SECRET} исправлено")
    bot.server.send_photo(b"JPEG", caption=f"/ask {SECRET}", user_id=STRANGER_ID)
    bot.server.say(f"/ask {SECRET}", user_id=STRANGER_ID, chat_id=GROUP)
    assert stays_unanswered(bot, sent)
    assert bot.ai.questions == []
    traces = (SECRET, "тайна", "Незнакомец", str(STRANGER_ID))
    stored = everything_stored(bot)
    assert [trace for trace in traces if trace in stored or files_contain(bot, trace)] == []
    bot.stop()
    assert [trace for trace in traces if files_contain(bot, trace)] == []
    assert SECRET not in bot.log


def test_a_stranger_in_a_group_gets_no_answer_and_members_do(owned: Harness, owner: Person) -> None:
    quiet = [
        owned.server.say("/note_count", user_id=STRANGER_ID, chat_id=GROUP),
        owned.server.say("/ask@zametochnik_bot привет", user_id=STRANGER_ID, chat_id=GROUP),
        owned.server.join(user_id=STRANGER_ID, chat_id=GROUP),
    ]
    assert owner.says("/note_count", chat_id=GROUP) == "Заметок: 0."
    assert stays_unanswered(owned, *quiet)


def test_a_stranger_cannot_press_a_button(owned: Harness, owner: Person) -> None:
    (answer,) = owner.asks_model("привет", chat_id=GROUP)
    stranger = owned.person()
    assert "личный бот" in stranger.press(answer, "📝 В заметки")
    owned.server.press(GROUP, answer["message_id"], data="use:1.3", user_id=stranger.id)
    assert owner.says("/note_count") == "Заметок: 0."
    assert name_of(1) in owner.says("/model")


def test_updates_without_a_person_are_passed_over(owned: Harness) -> None:
    channel = {"id": -100555, "type": "channel", "title": "Канал"}
    owned.server.push({"channel_post": {"message_id": 1, "chat": channel, "date": 1, "text": SECRET}})
    owned.server.push(
        {"message": {"message_id": 2, "chat": channel, "sender_chat": channel, "date": 1, "text": SECRET}}
    )
    owned.server.push(
        {"inline_query": {"id": "1", "from": {"id": STRANGER_ID}, "query": SECRET, "offset": ""}}
    )
    assert stays_unanswered(owned)
    assert SECRET not in everything_stored(owned)


# ---- ALLOWED_USERS --------------------------------------------------------------------------


def test_only_the_listed_people_are_let_in_and_the_first_is_the_owner(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS=" 11, 12,13 ").start()
    first, second, third, fourth = (bot.person(number) for number in (11, 12, 13, 14))
    assert second.says("/note_count") == third.says("/note_count") == "Заметок: 0."
    assert is_refused(fourth.says("/note_count"), fourth)
    assert second.says("/model 2") == OWNER_ONLY
    assert first.says("/model 2").startswith("Активная модель переключена")
    assert printed_codes(bot) == []
    assert ".env" in first.says("/invite")


def test_with_a_star_everybody_is_let_in_and_the_start_warns_of_it(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="*").start()
    anna, boris = bot.person(), bot.person()
    assert anna.says("/note_count") == boris.says("/note_count") == "Заметок: 0."
    assert anna.says("/model 2").startswith("Активная модель переключена")
    assert boris.says("/model 3").startswith("Активная модель переключена")
    assert any("WARNING" in line and "ALLOWED_USERS" in line for line in bot.err)
    assert printed_codes(bot) == []


def test_a_list_in_another_form_is_refused_at_the_start(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="@anna, 12")
    bot.launch()
    assert bot.exit_code() == 2
    assert "ALLOWED_USERS" in bot.log


# ---- Inviting and removing ------------------------------------------------------------------


def test_an_invitation_lets_one_person_in(owned: Harness, owner: Person) -> None:
    code = invitation(owner)
    anna, boris = owned.person(name="Анна"), owned.person(name="Борис")
    assert anna.says(f"/start {code}").startswith("Привет!")
    assert is_refused(boris.says(f"/start {code}"), boris)
    assert anna.says("/note_add мысль") == "Заметка #1 сохранена."
    assert anna.says("/model 2") == OWNER_ONLY


def test_an_invitation_lasts_for_a_day(owned: Harness, owner: Person) -> None:
    code = invitation(owner)
    with closing(sqlite3.connect(owned.db_path)) as conn, conn:
        ((expires_at,),) = conn.execute("SELECT max(expires_at) FROM codes").fetchall()
        assert expires_at == pytest.approx(time.time() + 86_400, abs=60)
        conn.execute("UPDATE codes SET expires_at = ?", (int(time.time()) - 1,))
    anna = owned.person()
    assert is_refused(anna.says(f"/start {code}"), anna)


def test_the_owner_using_an_invitation_does_not_lose_the_bot(owner: Person) -> None:
    code = invitation(owner)
    assert owner.says(f"/start {code}").startswith("Привет!")
    assert owner.says("/people").count("★") == 1


def test_the_people_are_listed_and_removed_by_button(owner: Person) -> None:
    anna, boris = invited(owner, "Анна Б."), invited(owner, "Борис Б.")
    people = owner.asks("/people")
    for part in ("★ Владелец", "Анна Б.", str(anna.id), "Борис Б.", str(boris.id)):
        assert part in people["text"]
    assert "Анна Б." in owner.press(people, f"Убрать: Анна Б. ({anna.id})")
    assert is_refused(anna.says("/note_count"), anna)
    assert boris.says("/note_count") == "Заметок: 0."
    assert "Анна Б." not in owner.says("/people")


def test_a_removed_persons_notes_stay_and_come_back_with_them(new_bot: NewBot) -> None:
    bot = claimed(new_bot(ALLOWED_USERS=""))
    owner = bot.person(1)
    anna = invited(owner, "Анна")
    anna.says("/note_add важная мысль")
    assert "Анна" in owner.says(f"/remove {anna.id}")
    assert is_refused(anna.says("/note_list"), anna)
    bot.wait(lambda: not bot.server.pending)  # otherwise Telegram would send it again after the restart
    bot.restart()
    assert is_refused(anna.says("/note_list"), anna)
    assert anna.says(f"/start {invitation(owner)}").startswith("Привет!")
    assert "важная мысль" in anna.says("/note_list")


@pytest.mark.parametrize("who", ["1", "5555", "0", "-1", "abc", "²", "9" * 30, ""])
def test_nobody_else_can_be_removed(owner: Person, who: str) -> None:
    said = owner.says(f"/remove {who}")
    assert said.startswith(("Среди гостей нет", "Использование: /remove <id>"))
    assert owner.says("/people").count("★") == 1


@pytest.mark.parametrize(
    "command", ["/invite", "/people", "/remove 1", "/model 2", "/model_add x", "/model_del 2"]
)
def test_a_guest_does_not_do_what_is_the_owners(owner: Person, command: str) -> None:
    anna = invited(owner)
    assert anna.says(command) == OWNER_ONLY


def test_a_guest_is_not_shown_what_is_the_owners(owner: Person) -> None:
    anna = invited(owner)
    for command in ("/invite", "/people", "/remove"):
        assert command in owner.says("/help")
        assert command not in anna.says("/help")
    assert "\n\nВладельцу:\n  /model_add <ключ> — добавить модель\n" in owner.says("/help")


def test_a_guest_may_look_at_the_models(owner: Person) -> None:
    anna = invited(owner)
    assert name_of(1) in anna.says("/model")
    assert "10. " in anna.says("/models")


@pytest.mark.parametrize("data", ["remove:1001", "use:1.3", "refresh:", "paid:3"])
def test_a_guest_does_not_press_what_is_the_owners(owner: Person, data: str) -> None:
    anna = invited(owner)
    shown = anna.asks("/models")
    assert anna.press(shown, data=data) == OWNER_ONLY
    assert name_of(1) in owner.says("/model")
    assert anna.says("/note_count") == "Заметок: 0."
