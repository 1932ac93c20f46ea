"""The Markdown that models write: CommonMark with tables, strikethrough and formulas.

``PARSER`` is a CommonMark parser. Our own rules say which text is not markup, find formulas and tables,
and override the library's rules where a quote or a link makes no sense in a chat.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_inline import StateInline, autolink, image, link
from markdown_it.rules_inline.state_inline import Delimiter

from telegram.tables import find_table, line_of

FAR = 1000  # characters to search for the end of a formula or a link
DEEP = 16  # nested levels of quotes and lists (a list takes two); deeper ones are plain text

_WORD = r"[^\W_]"  # a letter or a digit
_IN_ADDRESS = r"[^\s<>\"`|\[\]\\]"
_IN_PATH = r"[^\s<>\"`|\]*]"
_VERBATIM = [
    rf"(?<!{_WORD})(?:[A-Za-z]++://|www\.){_IN_ADDRESS}*(?![*_~.,:;!?'\")]){_IN_ADDRESS}",  # https://a.b/_c_/d
    r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+",  # _name_@a.b
    rf"(?<!{_WORD})[A-Za-z]:\\{_IN_PATH}*",  # C:\Users\_temp_
    rf"(?<!\S)\\\\\w[\w.$-]*\\{_IN_PATH}*",  # \\server\_share_
    r"(?<!\w)__[a-zA-Z0-9]+(?:_[a-zA-Z0-9]+)*__(?!\w)",  # __name__, but not __важно__
    r"(?<=[/\\.:@=-])_+",  # a/_next, .__class
    r"_+(?=[/\\=@-]|[.:]\w)",  # static_/a, __init__.py
    r"(?<=[/\\])\*(?!\*)",  # a/*.py
    r"(?<=/)\*\*(?=/)",  # a/**/b
    r"(?<=\.)\*(?=[\w?$])",  # .*a, .*?
    r"(?<=[A-Za-z0-9_]\.)\*(?=[,;)\]])",  # SELECT a.*, b.*; but not *важно.*
    rf"(?<={_WORD})\*(?={_WORD})",  # 2*3*4
    r"(?<=[0-9A-Za-z])\*\*(?=[0-9A-Za-z])",  # 2**3**4, but not к**о**рова
    r"(?<=[)\]}])\*{1,2}(?=[\w(\[{])",  # (a)*(b)*c
    r"(?<=\()[*_]{1,2}(?=\))",  # COUNT(*)
    r"(?<=[\"'])[*_]{1,2}(?=[\"'])",  # "_"
    rf"(?<={_WORD})~~(?={_WORD})",  # 5~~7
]
_NO_MARKUP = re.compile(rf"(?:{'|'.join(_VERBATIM)}|{_WORD}+|[^\w\n!$&*<\[\]\\`~])++")


def _no_markup(state: StateInline, silent: bool) -> bool:
    """Match text up to the next character that may be markup; URLs, names and products are not."""
    found = _NO_MARKUP.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.append_pending(found[0])
    state.pos = found.end()
    return True


# CommonMark takes these for text: https://github.com/commonmark/commonmark-spec/issues/650
_BESIDE_A_WORD = re.compile(
    rf"(?<=[:.!?…»”。！？：])\*\*(?={_WORD})|"  # **Вывод:**текст
    rf"(?<={_WORD})\*\*(?=[«„“])"  # текст**«слово»**
)


def _bold_beside_a_word(state: StateInline, silent: bool) -> bool:
    """Match ``**`` between punctuation and a word; the library pairs it later, like any other."""
    if silent or not _BESIDE_A_WORD.match(state.src, state.pos):
        return False
    for _ in range(2):
        state.push("text", "", 0).content = "*"
        here = len(state.tokens) - 1
        state.delimiters.append(
            Delimiter(marker=ord("*"), length=2, token=here, end=-1, open=True, close=True)
        )
    state.pos += 2
    return True


# --- Formulas ---------------------------------------------------------------------------------

_CLOSING = {"$$": "$$", r"\(": r"\)", r"\[": r"\]", "$": "$"}
_CLOSING_BLOCK = {opening: _CLOSING[opening] for opening in ("$$", r"\[")}
_ENVIRONMENT = re.compile(
    r"\\begin\{((?:align(?:ed)?|equation|gather(?:ed)?|multline|eqnarray|split|cases|[pbBvV]?matrix)\*?)\}"
)
_MATHS = re.compile(r"[\\^_={}<>+]")


def _formula(state: StateInline, silent: bool) -> bool:
    r"""Match ``$x^2$``, ``$$x^2$$``, ``\(x^2\)`` or ``\[x^2\]`` within a line."""
    src, start = state.src, state.pos
    opening = src[start : start + 2] if src[start : start + 2] in _CLOSING else src[start]
    if opening not in _CLOSING:
        return False
    begin = start + len(opening)
    end = src.find(_CLOSING[opening], begin, min(begin + FAR, state.posMax))
    latex, after = src[begin:end], end + len(opening)
    if end < 0 or not _is_formula(opening, latex, src[start - 1 : start] + src[after : after + 1]):
        return False
    if not silent:
        state.push("formula", "", 0).content = latex
    state.pos = after
    return True


def _is_formula(opening: str, latex: str, around: str = "") -> bool:
    """Return whether it is a formula, and not money or escaped brackets."""
    if opening == "$$":
        return bool(latex.strip(" \n$"))
    if opening != "$":
        return bool(_MATHS.search(latex))
    outside_braces = re.sub(r"\{[^{}]*\}", "{}", latex)
    if latex != latex.strip() or re.search(r"[$\w]", around) or re.search("[\nА-Яа-яЁё]", outside_braces):
        return False
    return bool(_MATHS.search(latex)) or (latex != "" and " " not in latex)


def _formula_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    r"""Match a block that starts a line with ``$$``, ``\[`` or ``\begin{align}``, up to its closing line."""
    environment = _ENVIRONMENT.match(line_of(state, start_line))
    opening = environment[0] if environment else line_of(state, start_line)[:2]
    closing = rf"\end{{{environment[1]}}}" if environment else _CLOSING_BLOCK.get(opening)
    if closing is None or state.is_code_block(start_line):
        return False
    begin = state.bMarks[start_line] + state.tShift[start_line] + len(opening)
    if state.src.find(closing, begin, begin + FAR) < 0:
        return False
    text, line = "", start_line
    while line < end_line and closing not in text[len(opening) :]:
        if not line_of(state, line) or state.sCount[line] < state.blkIndent:
            return False
        text += line_of(state, line) + "\n"
        line += 1
    latex, _, behind = text[len(opening) :].partition(closing)
    if not behind or behind.strip() or not (environment or _is_formula(opening, latex)):
        return False
    if not silent:
        state.line = line
        token = state.push("formula", "", 0)
        token.content = opening + latex + closing if environment else latex
        token.map, token.block = [start_line, line], True
    return True


# --- Quotes and lists -------------------------------------------------------------------------


def _quote(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Match a quote; ``>5`` and ``>= 5`` are comparisons, and ``>>>`` is Python's prompt."""
    is_other = re.match(">(?:\\d|=|>>)", line_of(state, start_line))
    return not is_other and state.level <= DEEP and blockquote(state, start_line, end_line, silent)


def _list(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    return state.level <= DEEP and list_block(state, start_line, end_line, silent)


# --- Links, and the parser --------------------------------------------------------------------

_SCHEME = re.compile("(?:https?|tg|mailto):", re.IGNORECASE)


def _autolink(state: StateInline, silent: bool) -> bool:
    """Match a URL in angle brackets; an email address, as in ``Name <a@b.c>``, stays text."""
    return _SCHEME.match(state.src, state.pos + 1) is not None and autolink(state, silent)


def _link(state: StateInline, silent: bool) -> bool:
    return _is_link_ahead(state) and link(state, silent)


def _image(state: StateInline, silent: bool) -> bool:
    return _is_link_ahead(state) and image(state, silent)


def _is_link_ahead(state: StateInline) -> bool:
    """Return whether a bracket may begin a link; without this check many nested brackets are very slow."""
    return state.src.find("](", state.pos, state.pos + FAR) >= 0


class _Parser(MarkdownIt):
    """A parser that accepts only links a chat can open, and keeps their URLs as written."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return _SCHEME.match(url) is not None

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url.replace(" ", "%20")  # Telegram refuses a URL with a blank

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"maxNesting": DEEP + 4}).enable("strikethrough")
    # HTML and `[1]: https://…` are shown as text, and dashes below a line do not make it a heading.
    parser.disable(["html_block", "reference", "lheading"])
    parser.inline.ruler.at("text", _no_markup)
    parser.inline.ruler.at("autolink", _autolink)
    parser.inline.ruler.at("link", _link)
    parser.inline.ruler.at("image", _image)
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.inline.ruler.before("emphasis", "bold_beside_a_word", _bold_beside_a_word)
    parser.block.ruler.before(
        "fence", "formula", _formula_block, {"alt": ["paragraph", "blockquote", "list"]}
    )
    parser.block.ruler.at("table", find_table, {"alt": ["paragraph"]})
    parser.block.ruler.enable("table")
    parser.block.ruler.at("blockquote", _quote, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "blockquote"]})
    return parser


PARSER = _parser()
PARSER.parse("x")  # the first parse builds the library's rule chains, which is not thread-safe
