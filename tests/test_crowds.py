"""Crowds of strangers do not delay the owner, and nobody gets in by guessing."""

import re
from collections.abc import Callable

from support.harness import Harness, Person

NewBot = Callable[..., Harness]
GUESSES = 20  # within one minute, after a quiet period


def owned(bot: Harness) -> tuple[Harness, Person]:
    """Start a bot and make person 1 its owner with the link that it prints."""
    bot.start()
    bot.wait(lambda: any("/start " in line for line in bot.out))
    code = re.findall(r"/start ([\w-]+)", "".join(bot.out))[-1]
    owner = bot.person(1, "Владелец")
    assert owner.says(f"/start {code}").startswith("Привет!")
    return bot, owner


def invitation(owner: Person) -> str:
    found = re.search(r"/start ([\w-]+)", owner.says("/invite"))
    assert found
    return found[1]


def test_the_owner_waits_for_no_stranger(new_bot: NewBot) -> None:
    bot, owner = owned(new_bot(ALLOWED_USERS=""))
    for stranger in range(2000, 4000):
        bot.server.say("привет", user_id=stranger)
    assert owner.says("/note_add мысль") == "Заметка #1 сохранена."
    told = [call for call in bot.server.calls_of("sendMessage") if call.params["chat_id"] >= 2000]
    assert 0 < len(told) <= 100


def test_guesses_are_few_and_then_not_even_a_right_one_counts(new_bot: NewBot) -> None:
    bot, owner = owned(new_bot(ALLOWED_USERS=""))
    code = invitation(owner)
    for stranger in range(2000, 2000 + GUESSES + 1):
        bot.server.say(f"/start {code[:-1]}{stranger}", user_id=stranger)
    guest = bot.person()
    assert "Слишком много попыток" in guest.says(f"/start {code}")
    assert owner.says("/note_count") == "Заметок: 0."


def test_the_link_of_an_owner_to_be_says_so_when_guesses_are_spent(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    for stranger in range(2000, 2000 + GUESSES + 1):
        bot.server.say(f"/start wrong{stranger}", user_id=stranger)
    assert "Слишком много попыток" in bot.person().says("/start wrong")


def test_a_few_wrong_codes_keep_nobody_out(new_bot: NewBot) -> None:
    bot, owner = owned(new_bot(ALLOWED_USERS=""))
    code = invitation(owner)
    for stranger in range(2000, 2003):
        assert "личный бот" in bot.person(stranger).says("/start xyz")
    assert bot.person().says(f"/start {code}").startswith("Привет!")


def test_half_an_emoji_in_a_name_ends_nothing(new_bot: NewBot) -> None:
    bot, owner = owned(new_bot(ALLOWED_USERS=""))
    guest = bot.person(name="Аня \ud83d")
    assert guest.says(f"/start {invitation(owner)}").startswith("Привет!")
    assert "Аня" in owner.says("/people")
    bot.restart()
    assert guest.says("/note_count") == "Заметок: 0."


def test_a_stranger_learns_that_the_bot_is_nobodys(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    said = bot.person().says("/start")
    assert "ничей" in said
    assert "где его запустили" in said
