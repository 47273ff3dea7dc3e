"""Text of runs can neither command the terminal nor upset its columns."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcswidth, wcwidth

from vitui.text import MAX_COMBINING, console_line, safe, strip_escapes, wrapped

nasty = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x07\x00\r\n\t\x9b\x9d\u202e\u2066\u200d\ufe0f\u0301\u0489日👍🏽[]\ud800\U000e0041e"),
    ),
    max_size=60,
)


@given(nasty, st.none() | st.integers(0, 70))
def test_result_is_printable_and_fits(text: str, width: int | None) -> None:
    shown = safe(text, width)
    for character in shown:
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    shown.encode("utf-8")
    if width is not None:
        assert cell_len(shown) <= width


@given(nasty)
def test_cutting_keeps_a_prefix_and_says_so(text: str) -> None:
    whole = safe(text)
    for width in (1, 5, 20):
        cut = safe(text, width)
        if cell_len(whole) <= width:
            assert cut == whole
        else:
            assert cut.endswith("…")
            assert whole.startswith(cut[:-1])


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_is_left_alone(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("abc\u202edef", r"abc\u202edef"),
        ("\x9b2J", r"\x9b2J"),
        ("\ud800", r"\ud800"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("[/bold] [red]x", "[/bold] [red]x"),
        ("naïve café 日本", "naïve café 日本"),
    ],
)
def test_what_is_hidden_becomes_visible(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_marks_do_not_climb() -> None:
    shown = safe("e" + "\u0301" * 50)
    assert shown.count("\u0301") == MAX_COMBINING
    assert safe("\u0301x") == r"\u0301x"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b[32mok\x1b[0m done\r\n", "ok done"),
        ("10%\r 50%\r100%", "100%"),
        ("100%|####|\r", "100%|####|"),
        ("\x1b]0;evil title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\tb", "a       b"),
        ("bell\x07", r"bell\x07"),
    ],
)
def test_console_line_is_what_stood_on_the_screen(line: str, shown: str) -> None:
    assert console_line(line) == shown


@given(nasty)
def test_console_line_never_commands(line: str) -> None:
    shown = console_line(line, 40)
    assert cell_len(shown) <= 40
    assert "\x1b" not in shown and "\r" not in shown and "\n" not in shown


def test_a_huge_line_is_quick_and_short() -> None:
    assert cell_len(console_line("日" * 1_000_000, 100)) <= 100
    assert strip_escapes("\x1b[" + "1;" * 100_000 + "mx") == "x"


@given(nasty | st.text())
def test_terminals_agree_on_every_width(text: str) -> None:
    """As measured in tmux 3.3a: where its widths are not rich's and wcwidth's, a sign is not drawn as it is."""
    shown = safe(text)
    assert cell_len(shown) == sum(wcwidth(character) for character in shown) == wcswidth(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("👍🏽 👩🏿", "👍 👩"),  # tmux gives a skin tone two cells of its own
        ("\U0001f1e9\U0001f1ea", "DE"),
        ("का", r"क\u093e"),  # tmux gives it a cell
        ("\u3164\uffa0\u115f", r"\u3164\uffa0\u115f"),  # nothing to see in two cells
        ("☰㉈", r"\u2630\u3248"),
        ("한", "한"),
    ],
)
def test_signs_of_uncertain_width(text: str, shown: str) -> None:
    assert safe(text) == shown


@example("\xa0", 2, "")
@given(nasty, st.integers(2, 40), st.sampled_from(["", "  "]))
def test_wrapping_loses_nothing_and_fits(text: str, width: int, indent: str) -> None:
    lines = wrapped(safe(text), width + len(indent), indent)
    assert all(cell_len(line) <= width + len(indent) for line in lines)
    assert "".join(lines).replace(" ", "") == safe(text).replace(" ", "")
