"""Text from runs and files inside Markdown, LaTeX and HTML: what they would take for a sign of their own is escaped.

Everything goes through `vitui.text.safe` first, so no form of output has control characters.
"""

from __future__ import annotations

import html as _html
import math
from collections.abc import Sequence
from typing import Any

from vitui.text import safe

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "'": r"{'}", "`": r"\textasciigrave{}",
    "±": r"$\pm$", "→": r"$\to$", "×": r"$\times$", "–": "--", "…": r"\dots{}", "≈": r"$\approx$",
    "†": r"\textdagger{}", "▲": r"$\uparrow$", "▼": r"$\downarrow$", "△": r"$\nearrow$",
    "▽": r"$\searrow$", "°": r"\textdegree{}", "−": "$-$",
    "★": r"$\star$", "·": r"$\cdot$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "∞": r"$\infty$", "√": r"$\surd$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "δ": r"$\delta$", "ε": r"$\varepsilon$", "η": r"$\eta$",
    "θ": r"$\theta$", "κ": r"$\kappa$", "λ": r"$\lambda$", "μ": r"$\mu$", "π": r"$\pi$", "ρ": r"$\rho$",
    "σ": r"$\sigma$", "τ": r"$\tau$", "φ": r"$\varphi$", "ω": r"$\omega$", "Δ": r"$\Delta$", "Σ": r"$\Sigma$",
}  # fmt: skip

_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|~#&$"})


def latex(text: str) -> str:
    """`text` as LaTeX prints it, with every character that means something to it escaped. Letters stay as they are."""
    return "".join(_LATEX.get(character, character) for character in safe(text)).strip()


def latex_number(text: str) -> str:
    """As `latex`; a minus before a digit is one, and no hyphen."""
    shown = latex(text)
    return f"$-${shown[1:]}" if shown[:1] == "-" and shown[1:2].isdigit() else shown


def foreign(text: str) -> bool:
    """Whether a LaTeX source has letters that only LuaLaTeX and XeLaTeX print: none of Latin with its accents."""
    return any(ord(character) > 0x17F and character not in "–—‘’“”…•€™" for character in text)


def ampersands(cells: Sequence[str]) -> str:
    """A row of a tabular from cells that are LaTeX."""
    # A row that begins with [ would be taken for the optional argument of the line break before it.
    return " & ".join(f"{{{cell}}}" if cell.startswith("[") else cell for cell in cells) + r" \\"


def markdown(text: str) -> str:
    """Safe for a cell of a table: what Markdown or HTML would take for a sign of its own is escaped."""
    return safe(text).translate(_MARKDOWN)


def pipes(cells: Sequence[str], *, raw: bool = False) -> str:
    """A row of a Markdown table. `raw`: the cells are Markdown already."""
    return "| " + " | ".join(cell if raw else markdown(cell) for cell in cells) + " |"


def html(text: str) -> str:
    """Safe in the content and in quoted attributes of HTML."""
    return _html.escape(safe(text), quote=True)


def json_value(value: Any) -> Any:
    """NaN and infinities are no JSON: as in the journal, they become strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return [json_value(item) for item in value] if isinstance(value, list) else value
