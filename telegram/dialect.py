"""The Markdown that models write: CommonMark with tables, strikethrough and formulas.

A parser of CommonMark, with three rules of our own that find tables and formulas, and one that
says which text is no markup: an address, a file's name or a product stays as it is written.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_inline import StateInline, autolink, image, link

FAR = 1000  # letters, in which the other half of a formula or a link is looked for, not in all the answer
DEEP = 16  # levels of quotes and lists in each other (a list has two); what is deeper is text

_ADDRESS = r"""
    (?<![^\W_]) (?:[A-Za-z]++://|www\.) [^\s<>"`|\[\]\\]* [^\s<>"`|\[\]\\*_~.,:;!?'")]
  | (?<![\w.+-]) [\w.+-]++ @ [\w-]+ (?:\.[\w-]+)+
"""
_FILE = r"""
    (?<![^\W_]) [A-Za-z]: \\ [^\s<>"`|*\]]*          # C:\Users\_temp_
  | (?<!\S) \\\\ \w [\w.$-]* \\ [^\s<>"`|*\]]*       # \\server\share
  | (?<=[/\\.:@=-]) _+                               # /_next/static, .__init__
  | _+ (?= [/\\=@-] | [.:]\w )                       # static_/, __init__.py
  | (?<=[/\\]) \* (?!\*) | (?<=/) \*\* (?=/) | (?<=\.) \* (?=\w)  # src/**/*.py, .*
  | (?<!\w) __ [a-zA-Z0-9]+ (?:_[a-zA-Z0-9]+)* __ (?!\w)   # __name__
"""
_PRODUCT = r"""
    (?<= [^\W_] ) \* (?= [^\W_] )                    # 2*3*4, but not к**о**рова
  | (?<= [0-9A-Za-z] ) \*\* (?= [0-9A-Za-z] )        # 2**3**2
  | (?<= [)\]}] ) \*{1,2} (?= [\w(\[{] )             # (a)*(b)*c
  | (?<= [^\W_] ) ~~ (?= [^\W_] )
  | (?<=\() [*_]{1,2} (?=\)) | (?<=["']) [*_]{1,2} (?=["'])   # COUNT(*), "_"
"""
_NO_MARKUP = re.compile(
    rf"(?: {_ADDRESS} | {_FILE} | {_PRODUCT} | [^\W_]+ | [^\w\n!$&*<\[\]\\`~] )++", re.VERBOSE
)


def _no_markup(state: StateInline, silent: bool) -> bool:
    """Text up to the next sign that may be markup."""
    found = _NO_MARKUP.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.append_pending(found[0])
    state.pos = found.end()
    return True


# --- Formulas ---------------------------------------------------------------------------------

_CLOSING = {"$$": "$$", r"\(": r"\)", r"\[": r"\]", "$": "$"}
_MATHS = re.compile(r"[\\^_={}<>+]")


def _formula(state: StateInline, silent: bool) -> bool:
    r"""Find ``$x^2$``, ``$$x^2$$``, ``\(x^2\)`` or ``\[x^2\]`` in a line."""
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
    """Return whether it is a formula, and not money or brackets that are escaped."""
    if opening == "$$":
        return bool(latex.strip(" \n$"))
    if opening != "$":
        return bool(_MATHS.search(latex))
    outside_braces = re.sub(r"\{[^{}]*\}", "{}", latex)
    if latex != latex.strip() or re.search(r"[$\w]", around) or re.search("[\nА-Яа-яЁё]", outside_braces):
        return False
    return bool(_MATHS.search(latex)) or (latex != "" and " " not in latex)


def _formula_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    r"""Find ``$$`` or ``\[`` at the beginning of a line, with its other half at the end of one."""
    opening = _line(state, start_line)[:2]
    if opening not in ("$$", r"\[") or state.is_code_block(start_line):
        return False
    begin = state.bMarks[start_line] + state.tShift[start_line] + 2
    if state.src.find(_CLOSING[opening], begin, begin + FAR) < 0:
        return False
    text, line = "", start_line
    while line < end_line and _CLOSING[opening] not in text[2:]:
        if not _line(state, line) or state.sCount[line] < state.blkIndent:
            return False
        text += _line(state, line) + "\n"
        line += 1
    latex, _, behind = text[2:].partition(_CLOSING[opening])
    if not behind or behind.strip() or not _is_formula(opening, latex):
        return False
    if not silent:
        state.line = line
        token = state.push("formula", "", 0)
        token.content, token.map, token.block = latex, [start_line, line], True
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()


# --- Tables, quotes, lists --------------------------------------------------------------------

_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")


def _table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Find a table; its token has the cells of all rows and of the rule, with none left out.

    The library's own rule drops the cells of a row that is longer than the first one.
    """
    if start_line + 1 >= end_line or state.is_code_block(start_line):
        return False
    head, rule = _line(state, start_line), _line(state, start_line + 1)
    if "|" not in head or not _RULE.fullmatch(rule) or len(_cells(head)) != len(_cells(rule)):
        return False
    if silent:
        return True
    line = start_line + 2
    while line < end_line and "|" in _line(state, line) and state.sCount[line] >= state.blkIndent:
        line += 1
    token = state.push("table", "", 0)
    token.map = [start_line, line]
    rows = [head, *(_line(state, row) for row in range(start_line + 2, line))]
    token.meta = {"rows": [_cells(row) for row in rows], "rule": _cells(rule)}
    state.line = line
    return True


def _cells(row: str) -> list[str]:
    """Return the cells of a row between its bars, but for bars that are escaped."""
    cells = re.split(r"(?<!\\)\|", row.removeprefix("|"))
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return [cell.replace(r"\|", "|").strip() for cell in cells]


def _quote(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Find a quote; ``>5`` and ``>= 5`` are comparisons, and ``>>>`` is the prompt of Python."""
    is_other = re.match(">(?:\\d|=|>>)", _line(state, start_line))
    return not is_other and state.level <= DEEP and blockquote(state, start_line, end_line, silent)


def _list(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    return state.level <= DEEP and list_block(state, start_line, end_line, silent)


# --- Links, and the parser -------------------------------------------------------------------------------


_SCHEME = re.compile("(?:https?|tg|mailto):", re.IGNORECASE)


def _autolink(state: StateInline, silent: bool) -> bool:
    """Find an address in angle brackets; around one of mail, as in ``Name <a@b.c>``, they are text."""
    return _SCHEME.match(state.src, state.pos + 1) is not None and autolink(state, silent)


def _link(state: StateInline, silent: bool) -> bool:
    return _is_link_ahead(state) and link(state, silent)


def _image(state: StateInline, silent: bool) -> bool:
    return _is_link_ahead(state) and image(state, silent)


def _is_link_ahead(state: StateInline) -> bool:
    """Return whether a bracket may begin a link; the library tries each one with all brackets in it."""
    return state.src.find("](", state.pos, state.pos + FAR) >= 0


class _Parser(MarkdownIt):
    """The parser that knows the links a chat can open, and their addresses as they are written."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return _SCHEME.match(url) is not None

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"maxNesting": DEEP + 4}).enable("strikethrough")
    # HTML is shown, and so is `[1]: https://…`; dashes below a line of text make no heading of it.
    parser.disable(["html_block", "reference", "lheading"])
    parser.inline.ruler.at("text", _no_markup)
    parser.inline.ruler.at("autolink", _autolink)
    parser.inline.ruler.at("link", _link)
    parser.inline.ruler.at("image", _image)
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.block.ruler.before(
        "fence", "formula", _formula_block, {"alt": ["paragraph", "blockquote", "list"]}
    )
    parser.block.ruler.at("table", _table, {"alt": ["paragraph"]})
    parser.block.ruler.enable("table")
    parser.block.ruler.at("blockquote", _quote, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "blockquote"]})
    return parser


PARSER = _parser()
PARSER.parse(
    " "
)  # The library builds its chains of rules when first used, and not for several threads at once.
