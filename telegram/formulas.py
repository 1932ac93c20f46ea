r"""LaTeX from models as readable text: ``\frac{a}{b} \le x^2`` becomes ``a/b ≤ x²``.

Unknown commands are shown as written, so nothing is lost.
"""

import re

_SIGNS = r"""
    alpha α, beta β, gamma γ, delta δ, epsilon ε, varepsilon ε, zeta ζ, eta η, theta θ, vartheta ϑ, iota ι,
    kappa κ, lambda λ, mu μ, nu ν, xi ξ, pi π, rho ρ, sigma σ, varsigma ς, tau τ, upsilon υ, phi φ, varphi φ,
    chi χ, psi ψ, omega ω, Gamma Γ, Delta Δ, Theta Θ, Lambda Λ, Xi Ξ, Pi Π, Sigma Σ, Upsilon Υ, Phi Φ, Psi Ψ,
    Omega Ω, hbar ℏ, ell ℓ, infty ∞, partial ∂, nabla ∇, prime ′, degree °, angle ∠, triangle △, emptyset ∅,
    varnothing ∅, sum ∑, prod ∏, int ∫, iint ∬, iiint ∭, oint ∮,
    pm ±, mp ∓, times ×, div ÷, cdot ·, ast ∗, star ⋆, circ ∘, bullet •, oplus ⊕, otimes ⊗, setminus ∖,
    le ≤, leq ≤, leqslant ≤, ge ≥, geq ≥, geqslant ≥, lt <, gt >, ne ≠, neq ≠, ll ≪, gg ≫, approx ≈, sim ∼,
    simeq ≃, cong ≅, equiv ≡, propto ∝, parallel ∥, perp ⊥, mid |, in ∈, notin ∉, ni ∋, subset ⊂, subseteq ⊆,
    supset ⊃, supseteq ⊇, cup ∪, cap ∩, forall ∀, exists ∃, nexists ∄, neg ¬, lnot ¬, land ∧, wedge ∧, lor ∨,
    vee ∨, therefore ∴, because ∵, to →, rightarrow →, longrightarrow →, leftarrow ←, gets ←, uparrow ↑,
    downarrow ↓, leftrightarrow ↔, mapsto ↦, Rightarrow ⇒, Longrightarrow ⇒, implies ⇒, Leftarrow ⇐, iff ⇔,
    Leftrightarrow ⇔, rightleftharpoons ⇌, ldots …, dots …, cdots ⋯, vdots ⋮, ddots ⋱,
    langle ⟨, rangle ⟩, lfloor ⌊, rfloor ⌋, lceil ⌈, rceil ⌉, lvert |, rvert |, vert |, lVert ‖, rVert ‖,
    Vert ‖, lbrace {, rbrace }, backslash \
"""
_SPACES = dict.fromkeys([",", ";", ":", " ", "quad", "qquad"], " ")
_SIZES = dict.fromkeys(["!", "left", "right", "big", "Big", "bigl", "bigr", "limits", "displaystyle"], "")
_SIGN_OF = dict(pair.split() for pair in _SIGNS.split(",")) | _SPACES | _SIZES | {"\\": "\n", "|": "‖"}

_FRACTIONS = {"frac", "dfrac", "tfrac", "cfrac"}
_STYLES = {"text", "textbf", "textit", "textrm", "mathrm", "mathbf", "mathit", "mathsf", "mathcal", "mathop"}
_STYLES |= {"mbox", "operatorname", "boldsymbol", "boxed", "underbrace", "overbrace", "ce"}
_ACCENTS = {"vec": "\u20d7", "hat": "\u0302", "bar": "\u0305", "overline": "\u0305", "dot": "\u0307"}
_ACCENTS |= {"ddot": "\u0308", "tilde": "\u0303", "underline": "\u0332"}
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_BRACKETS = {"pmatrix": "()", "bmatrix": "[]", "Bmatrix": "{}", "vmatrix": "||", "Vmatrix": "‖‖"}
_BRACKETS |= {"cases": "{ "}
_DOUBLE_STRUCK = str.maketrans("NZQRCPE", "ℕℤℚℝℂℙ𝔼")
_SUPERSCRIPTS = str.maketrans(
    "0123456789+-=()abcdefghijklmnoprstuvwxyz∘°′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ°°′"
)
_SUBSCRIPTS = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")

_KNOWN = {*_SIGN_OF, *_FRACTIONS, *_STYLES, *_ACCENTS, "sqrt", "mathbb", "begin", "end", "binom"}

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_NAME = re.compile(r"\\[A-Za-z]+")


def readable(latex: str) -> str:
    """Return a formula, given without its delimiters, as text; with several lines if it has rows."""
    tokens = _TOKEN.findall(latex)[::-1]  # reversed, so that pop() takes the next one
    try:
        text = _until("", tokens)
    except RecursionError:  # thousands of nested brackets; unreadable anyway
        return latex
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()


def _until(end: str, tokens: list[str]) -> str:
    """Return the text up to the item `end`, or all of it if `end` is missing, as in half an answer."""
    text, apart = "", False
    while tokens and (item := tokens.pop()) != end:
        was_apart, apart = apart, item[1:] in _FRACTIONS or _is_name(item, tokens)
        piece = _piece(item, tokens)
        if (apart or was_apart) and item not in "^_" and re.fullmatch(r"\w[\w(√]", text[-1:] + piece[:1]):
            text += " "  # "1 1/2" must not become "11/2", nor "sin x" "sinx"
        text += piece
    return text


def _is_name(item: str, tokens: list[str]) -> bool:
    """Return whether a command is just a word without an argument, as in ``\\sin x``."""
    return bool(_NAME.fullmatch(item)) and item[1:] not in _KNOWN and tokens[-1:] != ["{"]


def _argument(tokens: list[str]) -> str:
    while tokens and tokens[-1].isspace():
        tokens.pop()
    return _piece(tokens.pop(), tokens) if tokens else ""


def _piece(item: str, tokens: list[str]) -> str:
    if item == "{":
        return _until("}", tokens)
    if item == "^":
        return _script("^", _argument(tokens), _SUPERSCRIPTS)
    if item == "_":
        return _script("_", _argument(tokens), _SUBSCRIPTS)
    if item[0] == "\\" and len(item) > 1:
        return _command(item[1:], tokens)
    return " " if item in "&~" or item.isspace() else item


def _script(sign: str, text: str, small: dict[int, int]) -> str:
    if all(ord(char) in small for char in text):
        return text.translate(small)
    return sign + (text if len(text) == 1 else f"({text})")


def _command(name: str, tokens: list[str]) -> str:
    if name in _SIGN_OF:
        return _SIGN_OF[name]
    if name in _FRACTIONS:
        return _bracketed(_argument(tokens), r"\w+") + "/" + _bracketed(_argument(tokens), r"\d+|\w\W?")
    if name in _STYLES:
        return _argument(tokens)
    if name in _ACCENTS:
        return "".join(char + _ACCENTS[name] for char in _argument(tokens))
    if name == "mathbb":
        return _argument(tokens).translate(_DOUBLE_STRUCK)
    if name == "sqrt":
        return _root(tokens)
    if name == "binom":
        return f"C({_argument(tokens)}, {_argument(tokens)})"
    if name in ("begin", "end"):
        brackets = _BRACKETS.get(_argument(tokens), "  ")
        return brackets[0] if name == "begin" else brackets[1]
    if tokens[-1:] == ["{"]:
        return f"\\{name}{{{_argument(tokens)}}}"
    return name if name.isalpha() else name[-1]


def _root(tokens: list[str]) -> str:
    degree = ""
    if tokens[-1:] == ["["]:
        tokens.pop()
        degree = _until("]", tokens)
    radicand = _argument(tokens)
    root = _ROOTS.get(degree) or _script("^", degree, _SUPERSCRIPTS) + "√"
    return root + (radicand + "\u0305" if len(radicand) == 1 else f"({radicand})")


def _bracketed(text: str, single: str) -> str:
    return text if re.fullmatch(single, text) else f"({text})"
