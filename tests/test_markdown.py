"""The text and formatting that a person sees for a model's Markdown."""

import re
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.entities import assert_nothing_is_lost, assert_telegram_takes, covered
from telegram.markdown import markdown
from telegram.splitting import split, utf16_len


def seen(markdown_text: str) -> tuple[str, list[tuple[str, ...]]]:
    """Return the text, and for each entity its type, its text, and its link or language."""
    text, entities = markdown(markdown_text)
    assert_telegram_takes(text, entities)
    return text, [(e["type"], covered(text, e), *list(e.values())[3:]) for e in entities]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("**жирный** и *курсив*", "жирный и курсив", [("bold", "жирный"), ("italic", "курсив")]),
        ("~~нет~~, ~100 руб.", "нет, ~100 руб.", [("strikethrough", "нет")]),
        ("вызов `f(x)` 👍", "вызов f(x) 👍", [("code", "f(x)")]),
        ("👍 **👍🏽**", "👍 👍🏽", [("bold", "👍🏽")]),
        (
            "**Шаг 1:**откройте **файл.**Дальше",
            "Шаг 1:откройте файл.Дальше",
            [("bold", "Шаг 1:"), ("bold", "файл.")],
        ),
        ("роман**«Мы»**Замятина", "роман«Мы»Замятина", [("bold", "«Мы»")]),
        ("см.**важно**, (**да**)", "см.важно, (да)", [("bold", "важно"), ("bold", "да")]),
        ("x**-1 + y**-2 и a.**b", "x**-1 + y**-2 и a.**b", []),
        ("**x", "**x", []),
        ("2*3*4 = 24, snake_case_name", "2*3*4 = 24, snake_case_name", []),
    ],
)
def test_words_are_bold_italic_struck_or_code(
    source: str, text: str, entities: list[tuple[str, ...]]
) -> None:
    assert seen(source) == (text, entities)


def test_a_line_break_stays_a_line_break_and_an_empty_line_an_empty_line() -> None:
    assert seen("раз\nдва\n\nтри") == ("раз\nдва\n\nтри", [])


@pytest.mark.parametrize("marks", ["#", "##", "###", "####", "#####", "######"])
def test_a_heading_is_bold_without_decoration(marks: str) -> None:
    assert seen(f"{marks} Итог\nтекст") == ("Итог\nтекст", [("bold", "Итог")])


def test_a_hashtag_is_no_heading() -> None:
    assert seen("#итог") == ("#итог", [])


def test_lists_have_bullets_and_keep_their_numbers() -> None:
    assert seen("- раз\n- два\n  - внутри")[0] == "• раз\n• два\n  • внутри"
    assert seen("3. раз\n4. два")[0] == "3. раз\n4. два"
    assert seen("2024. Год\n\nтекст\n\n2. пункт")[0] == "2024. Год\n\nтекст\n\n2. пункт"


def test_a_task_that_is_done_looks_unlike_one_that_is_not() -> None:
    assert seen("- [x] да\n- [ ] нет")[0] == "✅ да\n☐ нет"


def test_a_quote_is_a_quote_and_a_long_one_is_not_folded() -> None:
    long = "слово " * 60
    assert seen(f"> {long}\n\nответ")[1] == [("blockquote", long.strip())]


def test_a_quote_in_a_quote_is_one_quote() -> None:
    assert seen("> а\n> > б") == ("а\nб", [("blockquote", "а\nб")])


def test_code_is_a_block_with_its_language() -> None:
    assert seen("Вот:\n\n```python\nif x:\n    y()\n```\n\nВсё") == (
        "Вот:\n\nif x:\n    y()\n\nВсё",
        [("pre", "if x:\n    y()", "python")],
    )


def test_what_is_written_behind_the_language_is_not_the_language() -> None:
    assert seen('```js title="a.js"\nx\n```')[1] == [("pre", "x", "js")]


def test_a_diagram_is_a_block_of_code() -> None:
    assert seen("```mermaid\ngraph TD\n```")[1] == [("pre", "graph TD", "mermaid")]


def test_code_that_is_still_being_written_is_already_code() -> None:
    assert seen("```py\nprint(1)\nif")[1] == [("pre", "print(1)\nif", "py")]


def test_code_keeps_its_indent_at_the_beginning_of_a_message() -> None:
    assert seen("```\n    x\n  y\n```") == ("    x\n  y", [("pre", "    x\n  y")])


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_code_in_a_list_has_lines_of_its_own(gap: str) -> None:
    text, entities = seen(f"1. Запустите{gap}   ```sh\n   ls\n   ```{gap}   и смотрите\n2. Всё")
    assert text.replace("\n\n", "\n") == "1. Запустите\nls\nи смотрите\n2. Всё"
    assert entities == [("pre", "ls", "sh")]


@pytest.mark.parametrize(
    "written",
    [
        "List<String> и Map<K, V>",
        "<think>мысль</think> ответ",
        "<think>\nмысль\n\n</think>",
        "<div>\nблок\n</div>",
        "<!-- замечание -->",
        "<script>alert(1)</script>",
        "a < b и b > c",
        "Иван <ivan@example.org>",
        "a<br>b",
        "a || b || c",
        "arr[0](x) и Option[T](None)",
        "[1]: https://example.org/a\n[2]: https://example.org/b",
        "[^1]: сноска",
        "<tg-spoiler>тайна</tg-spoiler>",
    ],
)
def test_what_is_no_markdown_is_shown_as_written(written: str) -> None:
    assert seen(written) == (written, [])
    assert seen(f"`{written}`".replace("\n", " "))[0] == written.replace("\n", " ")
    assert seen(f"```\n{written}\n```") == (written, [("pre", written)])
    indented = "\n".join(f"    {line}" if line else "" for line in written.split("\n"))
    assert seen(indented) == (written, [("pre", written)])


def test_markdown_around_html_still_works() -> None:
    assert seen("<b>**жирный**</b>") == ("<b>жирный</b>", [("bold", "жирный")])
    assert seen("<p>\n**жирный** List<**T**>\n</p>") == (
        "<p>\nжирный List<T>\n</p>",
        [("bold", "жирный"), ("bold", "T")],
    )


def test_an_escaped_sign_is_the_sign_and_in_code_stays_escaped() -> None:
    assert seen(r"\<b> \\<b> \*x\* 5\$ \[x\] \(y\)") == (r"<b> \<b> *x* 5$ [x] (y)", [])
    assert seen(r"`\<b> \*x\* \$`") == (r"\<b> \*x\* \$", [("code", r"\<b> \*x\* \$")])


def test_latex_in_code_is_left_alone() -> None:
    assert seen(r"`\(\alpha\)`")[0] == r"\(\alpha\)"
    assert seen("```sh\nsed 's/\\(\\alpha\\)/b/'\n```")[0] == r"sed 's/\(\alpha\)/b/'"


@pytest.mark.parametrize(
    "address", ["https://example.org/a?b=c", "HTTP://example.org", "tg://resolve?domain=x"]
)
def test_a_link_can_be_opened(address: str) -> None:
    assert seen(f"см. [сайт]({address}).") == ("см. сайт.", [("text_link", "сайт", address)])
    assert seen(f"см. <{address}>")[1] == [("text_link", address, address)]


def test_a_link_to_an_address_of_mail_can_be_opened() -> None:
    assert seen("[почта](mailto:a@example.org)")[1] == [("text_link", "почта", "mailto:a@example.org")]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "/etc/passwd", "file:///etc/passwd", "data:text/html,x", "#раздел", ""]
)
def test_a_link_to_anything_else_is_text(address: str) -> None:
    text, entities = seen(f"см. [сюда]({address})")
    assert text == f"см. [сюда]({address})"
    assert entities == []


def test_an_address_without_a_host_is_no_link() -> None:
    assert seen("[сюда](https://)") == ("сюда", [])


def test_a_picture_is_a_link_under_its_description() -> None:
    assert seen("![кот](https://example.org/cat.png)") == (
        "🖼 кот",
        [("text_link", "кот", "https://example.org/cat.png")],
    )
    assert seen("![](https://example.org/cat.png)")[1][0][1:] == (
        "изображение",
        "https://example.org/cat.png",
    )
    assert seen("[![знак](https://a.b/i.png)](https://a.b/c)")[1] == [
        ("text_link", "🖼 знак", "https://a.b/c")
    ]
    assert seen("![👍](tg://emoji?id=5368324170671202286)")[1] == []


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert seen("![x](https://example.org/x.png)\n\n```mermaid\ngraph TD\n```\n\nhttps://example.org")


def test_code_is_not_in_anything_but_a_quote() -> None:
    assert seen("**a `b` c**")[1] == [("bold", "a"), ("code", "b"), ("bold", "c")]
    assert seen("# Функция `f`")[1] == [("bold", "Функция"), ("code", "f")]
    assert seen("[`f`](https://example.org)")[1] == [("text_link", "f", "https://example.org")]
    assert seen("> `f`")[1] == [("blockquote", "f"), ("code", "f")]


def columns(row: str) -> list[int]:
    """Return the screen columns of the vertical bars in a row of a table."""
    wide = re.sub("[日本語👍]", "xx", row)
    return [found.start() for found in re.finditer(r"[|+]", wide)]


def test_a_table_is_aligned_in_monospace() -> None:
    text, entities = seen("| Имя | 日本語 | N |\n|---|---|--:|\n| Пётр 👍 | б | 5 |\n| Аня | 日 | 1500 |\n")
    assert entities == [("pre", text)]
    rows = text.split("\n")
    assert len({tuple(columns(row)) for row in rows}) == 1
    assert rows[2].endswith("|    5")  # numbers are aligned to the right
    assert rows[3].endswith("| 1500")


def test_a_table_right_behind_a_sentence_or_in_a_list_or_a_quote_is_a_table() -> None:
    table = "| a | b |\n|---|---|\n| 日 | c |"
    aligned = "a  | b\n---+--\n日 | c"
    assert seen(f"Вот:\n{table}\nИтак") == (f"Вот:\n{aligned}\nИтак", [("pre", aligned)])
    assert ("pre", aligned) in seen("- пункт\n\n" + "\n".join(f"  {row}" for row in table.split("\n")))[1]
    assert ("pre", aligned) in seen("\n".join(f"> {row}" for row in table.split("\n")))[1]


def test_cells_of_a_table_hold_text_only_and_lose_none_of_it() -> None:
    rows = [
        "| **x** `y` | - |",
        "| > 5 | --- |",
        "|| a\\|b\u2028$$y$$ |",
        "| [z](https://z.org) | $x^2$ | ещё |",
    ]
    text, _ = seen("\n".join(["| a | b |", "|---|---|", *rows]))
    assert text.split("\n") == [
        "a                 | b     |",
        "------------------+-------+----",
        "x y               | -     |",
        "> 5               | ---   |",
        "                  | a|b y |",
        "z (https://z.org) | x²    | ещё",
    ]


def test_bars_without_a_rule_below_are_no_table() -> None:
    assert seen("a | b\nc | d") == ("a | b\nc | d", [])
    assert seen("```\n| a |\n|---|\n```") == ("| a |\n|---|", [("pre", "| a |\n|---|")])


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"\(\frac{a}{b}\)", "a/b"),
        (r"$\alpha \le \beta^2$", "α ≤ β²"),
        (r"\(\sqrt{x} \neq \infty\)", "√x̅ ≠ ∞"),
        ("$x$", "x"),
        ("$a < b$", "a < b"),
        (r"$v_{\text{ср}}$", "v_(ср)"),
    ],
)
def test_a_formula_is_readable(source: str, shown: str) -> None:
    assert seen(f"где {source} — это") == (f"где {shown} — это", [("code", shown)])


def test_a_formula_on_its_own_line_is_a_block() -> None:
    assert seen("Итак:\n\n$$\nE = mc^2\n$$\n\nвсё") == ("Итак:\n\nE = mc²\n\nвсё", [("pre", "E = mc²")])
    assert seen("Итак:\n\n\\[\n\\frac{a}{b}\n\\]")[1] == [("pre", "a/b")]
    assert seen("где $$x^2$$ — площадь")[1] == [("code", "x²")]


@pytest.mark.parametrize(
    "written",
    [
        "от $5 до $6",
        "$5/шт или $7",
        "5$/шт, а скидка 10$",
        "стоит $10, а не 20$!",
        "$HOME/bin:$PATH",
        "в $ и €",
        "цены: $$$$",
    ],
)
def test_money_is_no_formula(written: str) -> None:
    assert seen(written) == (written, [])


def test_half_a_character_and_invisible_signs_do_no_harm() -> None:
    assert seen("a\ud83d b\x00c\r\nd \ufdd0")[0] == "a\ufffd b c\nd"
    assert seen("\ud83d\ude00")[0] == "😀"


@pytest.mark.parametrize("nothing", ["", "  \n\n ", "```\n```", "```", "``` ```", ">", "#", "\x00"])
def test_nothing_to_show_is_an_empty_text(nothing: str) -> None:
    text, entities = markdown(nothing)
    assert not text.strip("`#>")
    assert entities == []


FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇷🇺"

# fmt: off
MARKS = [
    "**", "*", "_", "__", "~~", "~", "`", "``", "```", "```py\n", "\n", "\n\n", " ", "    ", "\t", "> ", "- ",
    "1. ", "- [ ] ", "# ", "###### ", "---\n", "===\n", "|", "||", "| a | b |\n|--|-:|\n", "\\|", "[", "](",
    "](https://a.b/c)", "![", "![](", "]:", "[1]: ", "<", "<b>", "</b>", "<!--", "-->", "<?", "<https://x.y>",
    "&lt;", "&#0;", "$", "$$", "$5", "\\(", "\\)", "\\[", "\\]", "\\alpha", "\\frac{a}{b}", "{", "}", "^",
    "\\", "слово", "word", "日本", "x_1", ".", "!", "5", "😀", FAMILY, FLAG, "e\u0301",
    "\ud83d", "\x00", "\r", "\u200b", "\u2028",
]
# fmt: on
ALMOST_MARKDOWN = st.one_of(st.lists(st.sampled_from(MARKS), max_size=40).map("".join), st.text(max_size=60))


@given(ALMOST_MARKDOWN, st.integers(2, 60))
def test_whatever_a_model_writes_telegram_takes(source: str, limit: int) -> None:
    text, entities = markdown(source)
    assert_telegram_takes(text, entities)
    assert not re.search("[\ufdd0-\ufdef]", text)
    parts = split(text, entities, limit)
    for part in parts:
        assert part.text.strip()
        assert utf16_len(part.text) <= limit
        assert_telegram_takes(part.text, part.entities)
    assert_nothing_is_lost(text, parts)


@given(
    st.lists(st.from_regex(r"[a-zа-я0-9<>=|:/.,!?()]*[a-zа-я0-9]", fullmatch=True), min_size=1, max_size=12)
)
def test_every_word_of_a_plain_paragraph_is_there(words: list[str]) -> None:
    assert seen("Итак: " + " ".join(words))[0].split() == ["Итак:", *words]
