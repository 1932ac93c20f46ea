"""@bot in any chat: a person's own notes, pasted unchanged."""

import json
from collections.abc import Callable
from typing import Any

from bot_api.inline import pasted, shown
from support.harness import Harness, Person
from support.registry_people import seen

Json = dict[str, Any]


def types(person: Person, text: str, offset: str = "") -> Json:
    """Type a query after the bot's name, and return what the bot offers."""
    query = person.bot.server.inline(person.id, text, offset)
    return person.bot.wait(lambda: person.bot.server.inline_answers.get(query))


def test_a_word_offers_the_notes_in_which_it_stands(anna: Person) -> None:
    anna.says("/note_add купить хлеб\nи молоко")
    anna.says("/note_add позвонить маме")
    answer = types(anna, "хлеб")
    assert shown(answer) == ["купить хлеб… — #1 и молоко"]
    assert pasted(answer["results"][0]) == ("купить хлеб\nи молоко", [])
    assert (answer["is_personal"], answer["cache_time"]) == (True, 0)


def test_nothing_typed_offers_the_newest_notes(anna: Person) -> None:
    anna.says("/note_add раз")
    anna.says("/note_add два")
    assert shown(types(anna, "")) == ["два — #2", "раз — #1"]


def test_more_than_a_page_goes_on(anna: Person) -> None:
    for number in range(1, 46):
        anna.says(f"/note_add мысль {number}")
    found: list[str] = []
    offset, pages = "", 0
    while pages == 0 or offset:
        answer = types(anna, "мысль", offset)
        found += [result["title"] for result in answer["results"]]
        offset, pages = answer["next_offset"], pages + 1
    assert found == [f"мысль {number}" for number in range(45, 0, -1)]
    assert pages == 3


def test_a_page_that_was_made_up_is_the_first(anna: Person) -> None:
    anna.says("/note_add мысль")
    assert shown(types(anna, "", "²")) == shown(types(anna, "", "-7")) == ["мысль — #1"]


def test_others_notes_are_not_offered(anna: Person, boris: Person) -> None:
    anna.says("/note_add тайна")
    assert types(boris, "тайна")["results"] == []


def test_a_stranger_gets_an_empty_list(new_bot: Callable[..., Harness]) -> None:
    bot = new_bot(ALLOWED_USERS="1").start()
    bot.person(1).says("/note_add тайна")
    assert types(bot.person(2), "тайна")["results"] == []
    assert bot.server.messages(2) == []
    assert len(types(bot.person(1), "тайна")["results"]) == 1


def test_formatting_is_pasted(bot: Harness, anna: Person) -> None:
    bold = {"type": "bold", "offset": 0, "length": 5}
    link = {"type": "text_link", "offset": 6, "length": 6, "url": "https://example.com/"}
    import_notes(bot, anna, {"text": "важно ссылка", "entities": [bold, link]})
    assert pasted(types(anna, "важно")["results"][0]) == ("важно ссылка", [bold, link])


FILES = {
    "photo": ("photo", "photo_file_id"),
    "document": ("document", "document_file_id"),
    "voice": ("voice", "voice_file_id"),
    "video": ("video", "video_file_id"),
    "audio": ("audio", "audio_file_id"),
    "animation": ("mpeg4_gif", "mpeg4_file_id"),
    "sticker": ("sticker", "sticker_file_id"),
}


def test_a_file_is_pasted_with_its_text(bot: Harness, anna: Person) -> None:
    kept = {kind: bot.server.keep(kind, "план.bin", b"data")["file_id"] for kind in FILES}
    texts = {kind: "" if kind == "sticker" else "подпись" for kind in FILES}
    notes = [{"text": texts[kind], "files": [_file(kind, kept[kind])]} for kind in FILES]
    import_notes(bot, anna, *notes)
    newest_first = types(anna, "")["results"]
    for kind, result in zip(FILES, reversed(newest_first), strict=True):
        made, field = FILES[kind]
        assert (result["type"], result[field]) == (made, kept[kind])
        assert pasted(result)[0] == texts[kind]


def test_a_file_that_telegram_has_lost_spoils_nothing(bot: Harness, anna: Person) -> None:
    import_notes(bot, anna, {"text": "с файлом", "files": [_file("photo", "gone")]})
    anna.says("/note_add без файла")
    answer = types(anna, "")
    assert [pasted(result)[0] for result in answer["results"]] == ["без файла", "с файлом"]


def test_what_is_too_long_to_paste_is_its_beginning(bot: Harness, anna: Person) -> None:
    photo = _file("photo", bot.server.keep("photo", "a.jpg", b"data")["file_id"])
    import_notes(bot, anna, {"text": "слово " * 3000}, {"text": "буква " * 500, "files": [photo]})
    text, _ = pasted(types(anna, "слово")["results"][0])
    assert len(text) <= 4096
    assert text.endswith(" …")
    text, _ = pasted(types(anna, "буква")["results"][0])
    assert len(text) <= 1024


def test_half_a_date_finds_nothing_and_hurts_nobody(anna: Person) -> None:
    anna.says("/note_add мысль")
    assert types(anna, "от:32.01.2026")["results"] == []
    assert len(types(anna, "мысль")["results"]) == 1


def test_of_what_is_typed_quickly_the_newest_is_answered(bot: Harness, anna: Person) -> None:
    anna.says("/note_add мысль")
    queries = [bot.server.inline(anna.id, "мысль"[:length]) for length in range(1, 6)]
    newest = bot.wait(lambda: bot.server.inline_answers.get(queries[-1]))
    assert shown(newest) == ["мысль — #1"]


def test_queries_are_not_kept(new_bot: Callable[..., Harness]) -> None:
    bot = new_bot().start()
    anna = bot.person(1001)
    anna.says("/note_add мысль")
    types(anna, "мысль")
    bot.wait(lambda: not bot.server.pending)  # otherwise Telegram would rightly send it again
    bot.kill()
    unanswered = len(bot.server.calls_of("answerInlineQuery"))
    bot.start()
    anna.says("/note_count")
    assert len(bot.server.calls_of("answerInlineQuery")) == unanswered


def test_where_it_is_off_the_log_says_how_to_switch_it_on(new_bot: Callable[..., Harness]) -> None:
    bot = new_bot()
    bot.server.inline_mode = False
    bot.start().person().says("/note_count")
    bot.wait(lambda: "/setinline" in bot.log)


def _file(kind: str, file_id: str) -> Json:
    return {"kind": kind, "file_id": file_id, "name": "план.bin"}


def import_notes(bot: Harness, person: Person, *records: Json) -> None:
    """Give a person notes through an import."""
    whole = [{"number": n, "created_at": 1_700_000_000 + n, **record} for n, record in enumerate(records, 1)]
    data = json.dumps({"program": "Заметочник", "version": 1, "notes": whole}, ensure_ascii=False).encode()
    sent = bot.server.send_file(data, "notes.json", user_id=person.id)
    offer = seen(bot, bot.reply_to(sent), "Добавить?", 30)
    person.press(offer, 0)
    seen(bot, offer, f"Добавлено: {len(records)}.", 30)
