"""Makes the pictures of the READMEs: dialogues of the bot with the test server, drawn as a chat.

`make pictures` runs it. It takes Chromium, and fonts with Cyrillic and emoji
(Debian: `apt install chromium fonts-dejavu fonts-noto-color-emoji`).
"""

import base64
import html
import itertools
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from support.harness import Harness, Message, Person
from support.openrouter_replies import model_entry, stream
from support.registry_people import OWNER, begin

HERE = Path(__file__).parent
WIDTH = 440  # of chat.css
LARGEST = 150_000  # bytes of a picture
TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
    "spoiler": "span class=spoiler",
}
LINKS = {"url", "text_link", "mention", "hashtag", "bot_command", "email", "text_mention"}
MODELS = [
    model_entry("deepseek/deepseek-chat-v3.1:free", "DeepSeek V3.1 (free)", context_length=163840),
    model_entry("google/gemma-4-31b-it:free", "Gemma 4 31B (free)", inputs=["text", "image"]),
    model_entry(
        "nvidia/nemotron-3-ultra-550b-a55b:free", "Nemotron 3 Ultra (free)", context_length=1_000_000
    ),
    model_entry("cohere/north-mini-code:free", "North Mini Code (free)", context_length=256000),
    model_entry("openrouter/free", "Free Models Router", context_length=200000, inputs=["text", "image"]),
]
UNOFFERED = (2, 3, 4, 6, 8)  # of the bot's own catalogue
QUESTION = "чем list отличается от tuple? таблицей и с примером"
ANSWER = """\
**Список** можно менять, **кортеж** — нет:

| | `list` | `tuple` |
|---|---|---|
| менять | можно | нельзя |
| ключ словаря | нет | да |
| запись | `[1, 2]` | `(1, 2)` |

```python
цены = [120, 95]
цены.append(80)    # список вырос
точка = (55.7, 37.6)
места = {точка: "Москва"}
```

Подробнее — в [учебнике](https://docs.python.org/ru/3/tutorial/datastructures.html)."""


# ---- What is said ---------------------------------------------------------------------------


def notes(anna: Person) -> None:
    """A note is kept, and found by another form of its word."""
    anna.says("к врачу в четверг, кабинет 214 #здоровье")
    anna.says("купить хлеб и молоко")
    anna.says("/note_find врача")


def question(anna: Person) -> None:
    """An answer with a table and code."""
    anna.bot.answers[QUESTION] = stream(*re.split(r"(?<= )", ANSWER), delay=0.02)
    anna.asks_model(QUESTION)


def models(anna: Person) -> None:
    """The list of models, and another one chosen from it."""
    anna.says("/models")
    anna.says("/model gemma")


def stats(anna: Person) -> None:
    """When notes were written, as bars and as a calendar."""
    anna.says("/note_stats 14")
    messages = anna.bot.server.messages
    anna.bot.wait(lambda: any("photo" in message for message in messages(anna.id)), 30)


def a_year_of_notes(anna: Person) -> None:
    """Notes of a year, fewer on one day of the week and more in a busy quarter: what `stats` shows."""
    chance, now = random.Random(7), int(time.time())
    for day in range(360, 0, -1):
        notes_a_day = chance.choice(
            (0, 0, 1) if day % 7 == 0 else (1, 2, 2, 3, 5) if 120 < day < 210 else (0, 1, 1, 2)
        )
        for _ in range(notes_a_day):
            anna.bot.server.say(
                "/note_add полить цветы", user_id=anna.id, date=now - day * 86_400 - chance.randrange(28_800)
            )
    anna.bot.reply_to(anna.bot.server.say("/note_count", user_id=anna.id), timeout=300)


DIALOGUES: list[Callable[[Person], None]] = [notes, question, models, stats]


# ---- A message as HTML ----------------------------------------------------------------------


def drawn(bot: Harness, message: Message) -> str:
    """Return a message with its quotation, photo, text and buttons."""
    whose = "bot" if message["from"]["is_bot"] else "person"
    parts = [quotation(message), photo(bot, message), file(message), text(message), reaction(bot, message)]
    at = f"{datetime.fromtimestamp(message['date']).astimezone():%H:%M}"
    bubble = f"<div class=bubble>{''.join(parts)}<div class=time>{at}</div></div>"
    return f'<div class="message {whose}">{bubble}{buttons(message)}</div>'


def quotation(message: Message) -> str:
    quoted = message.get("reply_to_message")
    return f"<div class=quoted>{html.escape(words(quoted))}</div>" if quoted else ""


def photo(bot: Harness, message: Message) -> str:
    if "photo" not in message:
        return ""
    data = bot.server.files[message["photo"][-1]["file_id"]].data
    return f'<img class=photo src="data:image/png;base64,{base64.b64encode(data).decode()}">'


def file(message: Message) -> str:
    name = message.get("document", {}).get("file_name")
    return f"<div class=file>📎 {html.escape(name)}</div>" if name else ""


def reaction(bot: Harness, message: Message) -> str:
    found = bot.server.reactions.get((message["chat"]["id"], message["message_id"]), [])
    return "".join(f"<span class=reaction>{one['emoji']}</span>" for one in found)


def buttons(message: Message) -> str:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    drawn_rows = (
        "".join(f"<div class=button>{html.escape(one['text'])}</div>" for one in row) for row in rows
    )
    return "".join(f"<div class=row>{row}</div>" for row in drawn_rows)


def words(message: Message) -> str:
    return str(message.get("text") or message.get("caption") or "…")


def text(message: Message) -> str:
    """Return the text with its entities, which count in UTF-16 and lie within each other or apart."""
    if "text" not in message and "caption" not in message:
        return ""
    units = words(message).encode("utf-16-le")
    entities = message.get("entities") or message.get("caption_entities") or []
    marks: dict[int, list[str]] = {}
    for entity in sorted(entities, key=lambda one: (one["offset"], -one["length"])):
        if entity["type"] in TAGS or entity["type"] in LINKS:
            tag = TAGS.get(entity["type"], "a")
            marks.setdefault(entity["offset"], []).append(f"<{tag}>")
            marks.setdefault(entity["offset"] + entity["length"], []).insert(0, f"</{tag.split()[0]}>")
    places = [0, *sorted(marks), len(units) // 2]
    pieces = [
        html.escape(units[2 * begin : 2 * end].decode("utf-16-le"))
        for begin, end in itertools.pairwise(places)
    ]
    written = pieces[0] + "".join(
        "".join(marks[at]) + piece for at, piece in zip(sorted(marks), pieces[1:], strict=True)
    )
    # A block has its own line: the line ends around it would make empty ones.
    written = re.sub(r"\n?(<(?:pre|blockquote)>)|(</(?:pre|blockquote)>)\n?", r"\1\2", written)
    return f"<div class=text>{written}</div>"


# ---- The picture ----------------------------------------------------------------------------


def picture(page: Path, target: Path) -> None:
    """Draw a page as high as it is, half as fine again as its pixels."""
    dumped = chromium("--dump-dom", f"--window-size={WIDTH},800", str(page))
    height = re.search(r"<title>(\d+)</title>", dumped)
    assert height, dumped
    size = f"--window-size={WIDTH},{height[1]}"
    chromium(f"--screenshot={target}", size, "--force-device-scale-factor=1.5", str(page))
    assert target.stat().st_size < LARGEST, f"{target.name}: {target.stat().st_size} bytes"


def chromium(*arguments: str) -> str:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        sys.exit("It takes Chromium: apt install chromium fonts-dejavu fonts-noto-color-emoji")
    general = ("--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu")
    done = subprocess.run([program, *general, *arguments], capture_output=True, encoding="utf-8", check=True)
    return done.stdout


def page_of(bot: Harness, said: list[Message]) -> str:
    """Return messages as a page; its title is its height."""
    messages = "\n".join(drawn(bot, message) for message in said)
    style = (HERE / "chat.css").read_text("utf-8")
    measuring = "<script>document.title = document.getElementById('chat').offsetHeight</script>"
    return (
        f"<!doctype html><meta charset=utf-8><style>{style}</style><div id=chat>{messages}</div>{measuring}"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Harness(Path(folder), ALLOWED_USERS=str(OWNER)) as bot:
        begin(bot, *MODELS)
        anna = bot.person(OWNER, name="Анна")
        for number in UNOFFERED:
            anna.says(f"/model_del {number}")
        for dialogue in DIALOGUES:
            if dialogue is stats:
                a_year_of_notes(anna)
            chat = bot.server.chats[anna.id].messages
            before = len(chat)
            dialogue(anna)
            page = Path(folder) / f"{dialogue.__name__}.html"
            page.write_text(page_of(bot, list(chat.values())[before:]), "utf-8")
            picture(page, HERE / f"{dialogue.__name__}.png")


if __name__ == "__main__":
    main()
