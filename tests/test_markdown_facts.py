"""Markdown never changes facts: numbers, addresses, names and products stay as the model wrote them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.entities import assert_telegram_takes, covered
from telegram.markdown import markdown


def shown(source: str) -> str:
    text, entities = markdown(source)
    assert_telegram_takes(text, entities)
    return text


def styled(source: str) -> list[tuple[str, str]]:
    text, entities = markdown(source)
    return [(entity["type"], covered(text, entity)) for entity in entities]


# --- Numbers of lists -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "10. Медведь\n9. Волк\n8. Лиса",
        "2. два\n5. пять\n9. девять",
        "1. раз\n1. раз\n1. раз",
        "0. ноль\n007. Бонд",
        "1) раз\n2) два\n4) четыре",
        "3. три\n\nабзац\n\n7. семь",
        "3. три\n\n7. семь",
        "123456789. много\n1234567890. слишком много для списка",
        "2024. Год дракона\n2023. Год кролика",
        "Итоги:\n2. серебро\n1. золото",
        "5.",
        "1. раз\n2.",
        "> 4. в цитате\n> 2. ещё",
        "1.5 кг\n2.5 кг",
        "16.11.2026. Дата",
    ],
)
def test_the_numbers_of_a_list_are_the_model_s(written: str) -> None:
    assert shown(written) == written.replace("> ", "")


def test_the_numbers_of_a_list_in_a_list_are_the_model_s() -> None:
    assert shown("4. раз\n   1. а\n   3. б\n2. два") == "4. раз\n  1. а\n  3. б\n2. два"
    assert shown("- раз\n  1) а\n  5) б") == "• раз\n  1) а\n  5) б"


def test_a_year_that_is_escaped_is_a_year() -> None:
    assert shown(r"1986\. Отличный год") == "1986. Отличный год"


@given(st.lists(st.integers(0, 999_999_999), min_size=1, max_size=8), st.sampled_from(".)"))
def test_any_numbers_are_the_model_s(numbers: list[int], sign: str) -> None:
    written = "\n".join(f"{number}{sign} пункт" for number in numbers)
    assert shown(written) == written


@pytest.mark.parametrize(
    "written", ["-5 °C", "- 5 °C", "+ 3", "+7 (999) 123-45-67", "- 12,5 = 3", "- 40%", "-5\n+3"]
)
def test_a_sign_before_a_number_is_no_bullet(written: str) -> None:
    assert shown(written) == written


def test_a_number_of_things_has_a_bullet() -> None:
    assert shown("- 5 яблок\n- 2024 год") == "• 5 яблок\n• 2024 год"


# --- Addresses and names ----------------------------------------------------------------------

NAMES = [
    "https://github.com/psf/requests/blob/main/src/requests/__init__.py",
    "https://example.org/_next/static_/a.js",
    "https://example.org/*/a*b*c/~~d~~/**/e",
    "https://ru.wikipedia.org/wiki/Ёж_(животное)_и_ещё",
    "https://example.org/?a=$x$&b=_y_&lt=1#__z__",
    "http://localhost:8000/__debug__/",
    "ssh://git@example.org/__x__/_y_.git",
    "www.example.org/_a_/__b__",
    "example.org/_next/static_/a.js",
    "/_next/static_/a.js",
    "first_last_x@example.org",
    "_first_._last_@example.org",
    "src/requests/__init__.py",
    "./__pycache__/_x_.pyc",
    r"C:\Users\_temp_\__init__.py",
    r"\\server\_share_\x",
    "__init__.py",
    "__name__",
    "__main__.py",
    "__all__",
    "obj.__class__.__name__",
    "snake_case_name",
    "my__dunder__var",
    "_private",
    "--dry_run_x",
    "src/*.py,tests/*.py",
    "src/**/*.py,tests/**/*.py",
    "COUNT(*)+SUM(*)",
    "SELECT a.*, b.id FROM t",
    "COUNT(a.*)+COUNT(b.*)",
    "^.*?x.*?$",
    '"*"и"*"',
    '"_"и"_"',
]


@pytest.mark.parametrize("name", NAMES)
def test_an_address_or_a_name_is_never_markup(name: str) -> None:
    assert markdown(name) == (name, [])
    assert markdown(f"см. {name} и {name}, да") == (f"см. {name} и {name}, да", [])
    assert shown(f"- {name}") == f"• {name}"


@pytest.mark.parametrize("name", NAMES)
def test_an_address_or_a_name_in_bold_is_as_it_is(name: str) -> None:
    assert markdown(f"**см. {name} тут**")[0] == f"см. {name} тут"
    assert styled(f"**см. {name} тут**") == [("bold", f"см. {name} тут")]


def test_two_stars_behind_names_are_no_italics() -> None:
    assert markdown("SELECT a.*, b.* FROM t") == ("SELECT a.*, b.* FROM t", [])


def test_words_in_italics_may_end_in_a_full_stop() -> None:
    assert styled("*Важно.* Потом *и это.*, и (*то.*)") == [
        ("italic", "Важно."),
        ("italic", "и это."),
        ("italic", "то."),
    ]


def test_blanks_in_an_address_are_written_as_addresses_have_them() -> None:
    assert markdown("[x](<https://example.org/a b>)")[1][0]["url"] == "https://example.org/a%20b"


def test_an_address_ends_where_its_markup_does() -> None:
    address = "https://example.org/a_b"
    assert styled(f"**{address}**") == [("bold", address)]
    assert styled(f"_{address}_") == [("italic", address)]
    assert shown(f"({address}), «{address}».") == f"({address}), «{address}»."
    assert styled(f"[{address}]({address})") == [("text_link", address)]
    assert markdown("[а_б_в](https://example.org/_a_*b*)")[1][0]["url"] == "https://example.org/_a_*b*"


def test_underscores_around_words_are_still_markup() -> None:
    assert styled("__важно__ и _курсив_") == [("bold", "важно"), ("italic", "курсив")]
    assert styled("__very important__") == [("bold", "very important")]


# --- HTML -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["<br>", "<br/>", "<br />", "<BR>"])
def test_a_break_in_a_cell_is_a_blank(tag: str) -> None:
    table = f"| Шаг | Что |\n|---|---|\n| 1 | Открыть файл{tag}Нажать |"
    assert shown(table) == "Шаг | Что\n----+--------------------\n1   | Открыть файл Нажать"


def test_a_break_in_the_code_of_a_cell_is_code() -> None:
    assert "<br>" in shown("| тег |\n|---|\n| `<br>` |")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("| `a || b` | или |", "a || b | или"),
        ("| `grep x | wc -l` | счёт |", "grep x | wc -l | счёт"),
        (r"| `a \| b` | и `c|d` |", "a | b | и c|d"),
        (r"| a \|\| b | или |", "a || b | или"),
        ("| ` | два |", "` | два"),
        ("| `a | b` |", "`a | b`"),  # already the right number of cells
    ],
)
def test_a_bar_in_code_is_no_border_where_there_would_be_too_many(row: str, told: str) -> None:
    assert " ".join(shown(f"|к|ч|\n|-|-|\n{row}").split("\n")[2].split()) == told


def test_a_bar_in_the_code_of_the_first_row_makes_no_column() -> None:
    assert shown("| `a|b` | что |\n|-|-|\n| 1 | 2 |").split("\n")[0] == "a|b | что"
    assert shown("| a|b | что |\n|-|-|\n| 1 | 2 |").split("\n")[0] == "| a|b | что |"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("H<sub>2</sub>O и 5<sup>2</sup>", "H<sub>2</sub>O и 5<sup>2</sup>"),
        ("<b>x</b> <u>y_1_</u>", "<b>x</b> <u>y_1_</u>"),
        ('<a href="/_x_/*y*">*z*</a>', '<a href="/_x_/*y*">z</a>'),
        ("10&nbsp;кг &lt; 5 &amp; 3 &gt; 2", "10\u00a0кг < 5 & 3 > 2"),
        ("AT&T, a&b, &unknown;", "AT&T, a&b, &unknown;"),
    ],
)
def test_other_html_keeps_its_facts(written: str, expected: str) -> None:
    assert shown(written) == expected


# --- Products and other characters ------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "2*3*4=24",
        "a*b*c",
        "π*r*r",
        "5 * 3 * 2",
        "2*(3+4)*5",
        "(a+b)*c*(d)",
        "(a)*(b)*(c)",
        "x[0]*y[1]*z",
        "2**10",
        "2**3**2",
        "a**b**c",
        "*args, **kwargs",
        "f(*args, **kwargs) и g(*args, **kwargs)",
        "x_1 и x_2",
        "~5~ и ~100 руб.",
        "5~~6~~7",
        "|x|",
        "||x||",
        "#5",
        "#итог",
        "5 # 3",
        ".*foo.*",
        "5 > 3",
        ">5 и <3",
        ">= 5",
        ">>> print(1)",
        "= 5",
        "5!",
        "a^b^c",
        "$5 и $6",
        "Имя: ____ и ____",
        "3 - 2 - 1",
        r"\d+",
    ],
)
def test_what_is_computed_is_as_written(written: str) -> None:
    assert markdown(written) == (written, [])


def test_stars_in_a_word_are_bold_where_nothing_is_multiplied() -> None:
    assert markdown("к**о**рова") == ("корова", [{"type": "bold", "offset": 1, "length": 1}])
    assert styled("**JSON**ом") == [("bold", "JSON")]


def test_an_address_without_text_and_a_text_without_address_are_shown() -> None:
    assert shown("[](https://example.org)") == "https://example.org"
    assert shown("items[0]() и ![x]()") == "items[0]() и ![x]()"


# --- Unfinished answers -----------------------------------------------------------------------


# fmt: off
BEGUN = [
    "#", "##", "## ", "######", ">", "> ", ">>", "> >", "-", "- ", "- -", "> - ", "- \n- ", "*", "**", "***",
    "**\n", "_", "__", "~~", "`", "``", "```", "```\n", "```python", "```python\n\n", "~~~\n",
    "$", "$$", "|", "||",
    "---", "---\n\n", "\u200b",
]
# fmt: on


@pytest.mark.parametrize("begun", BEGUN)
def test_what_has_only_just_begun_is_nothing_yet(begun: str) -> None:
    assert markdown(begun) == ("", [])


@pytest.mark.parametrize("answer", ["5", "!", "—", "?", "`*`", "1.", "👍", "%", "="])
def test_a_short_answer_is_an_answer(answer: str) -> None:
    assert shown(answer) == answer.strip("`")


ANSWER = """## План *на* __день__

1. Встать в **7:00** и `код`
   - [ ] чай за $5
2. Формула \\(\\frac{a}{b}\\) и $x^2$

> Цитата с [ссылкой](https://example.org/a_b)
> > и ещё

| a | b |
|---|--:|
| x<br>y | 1 |

```python
print("*")
```

$$
E = mc^2
$$
---
![кот](https://example.org/k.png) ~~нет~~ конец"""


def test_every_half_of_an_answer_can_be_sent() -> None:
    for end in range(len(ANSWER) + 1):
        text, entities = markdown(ANSWER[:end])
        assert_telegram_takes(text, entities)
        assert text == text.strip()


# --- Nothing is lost --------------------------------------------------------------------------

WORD = st.from_regex(r"[а-щa-z0-9]{1,8}", fullmatch=True)
AROUND = [
    "{}",
    "**{}**",
    "*{}*",
    "_{}_",
    "~~{}~~",
    "`{}`",
    "[{}](https://example.org)",
    "({})",
    "«{}»",
    "<b>{}</b>",
    "$ {}",
]
BEFORE = [
    "",
    "# ",
    "> ",
    "> > ",
    "- ",
    "* ",
    "1. ",
    "- [ ] ",
    "    ",
    "| ",
    ">>>",
    "```\n",
    "\\",
    "<div>",
    "[^1]: ",
]
AFTER = [
    "\n",
    "\n\n",
    " ",
    "  \n",
    "\\\n",
    " |\n|---|\n",
    "\n---\n",
    "\n===\n",
    "\n```\n",
    "\n$$\n",
    "\n\\[\n",
]


@given(
    st.lists(
        st.tuples(st.sampled_from(BEFORE), st.sampled_from(AROUND), WORD, st.sampled_from(AFTER)), max_size=12
    )
)
def test_every_word_is_there_in_order(pieces: list[tuple[str, str, str, str]]) -> None:
    source = "".join(before + around.format(f"ъ{word}ъ") + after for before, around, word, after in pieces)
    text, entities = markdown(source)
    assert_telegram_takes(text, entities)
    assert re.findall("ъ[^ъ]*ъ", text) == re.findall("ъ[^ъ]*ъ", source)


@given(st.integers(1, 60), st.sampled_from(["> ", "- ", "1. ", "> - ", "[", "*", "**a "]))
def test_what_stands_deep_inside_is_there(depth: int, mark: str) -> None:
    assert "слово" in shown(mark * depth + "слово")
