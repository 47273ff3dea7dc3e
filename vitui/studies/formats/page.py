"""The frame of an HTML page that is one file: style within, nothing loaded, light and dark, fit for paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vitui.escaping import html as escaped

_LIGHT: Final = (
    "--paper:#fff;--ink:#1b1f24;--dim:#59636e;--line:#d5d9de;--rule:#1b1f24;--soft:#f5f7f9;"
    "--better:#006aa6;--worse:#a84900;--plain:#59636e;"
    "--c0:#3d3d3d;--c1:#006aa6;--c2:#a84900;--c3:#00704f;--c4:#a83b7b;--c5:#7a6000;--c6:#5e3bb0;--c7:#0a7285"
)
_DARK: Final = (
    "--paper:#0f1318;--ink:#e3e7eb;--dim:#9aa4af;--line:#2b333c;--rule:#e3e7eb;--soft:#171d24;"
    "--better:#56b4e9;--worse:#f0a04b;--plain:#9aa4af;"
    "--c0:#d0d0d0;--c1:#56b4e9;--c2:#e69f00;--c3:#2fbf95;--c4:#e58bc0;--c5:#e8d44d;--c6:#ab93f0;--c7:#57c7d4"
)
PICTURES: Final = (
    "svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:var(--ink)}"
    "svg .dim{fill:var(--dim)}svg .small{font-size:11px}svg .tiny{font-size:9px;font-weight:400}"
    "svg .right{text-anchor:end}svg .mid{text-anchor:middle}"
    "svg .strong{font-weight:650}svg .grid{stroke:var(--line);stroke-width:1}"
    "svg .axis{stroke:var(--dim);stroke-width:1}"
    "svg .better{fill:var(--better);stroke:var(--better)}svg .worse{fill:var(--worse);stroke:var(--worse)}"
    "svg .plain{fill:var(--paper);stroke:var(--plain)}svg .none{fill:none}"
    "svg .fill.better,svg .fill.worse{stroke:none}svg .frame{fill:none;stroke:var(--line)}"
    "svg .base{fill:none;stroke:var(--ink);stroke-width:1.5}"
    + "".join(
        f"svg .c{n}{{stroke:var(--c{n})}}svg .f{n}{{fill:var(--c{n})}}svg text.f{n}{{fill:var(--c{n})}}"
        for n in range(8)
    )
)
"""Style of the pictures; they use the colours of the page."""
_STYLE: Final = (
    f":root{{color-scheme:light dark;{_LIGHT}}}@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main{max-width:1240px;margin:0 auto;padding:40px 28px 64px}"
    "h1{font-size:27px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}"
    "h2{font-size:17px;margin:40px 0 10px}"
    ".question{font-size:17px;margin:0 0 14px;color:var(--dim)}.answer{font-size:16px;margin:0 0 4px;font-weight:600}"
    ".meta{color:var(--dim);font-size:13.5px;margin:0}.text{max-width:46em;margin:14px 0 0}"
    ".scroll{overflow-x:auto}"
    "table{border-collapse:collapse;font-size:13.5px;line-height:1.4;font-variant-numeric:tabular-nums;"
    "border-top:2px solid var(--rule);border-bottom:2px solid var(--rule)}"
    "th,td{padding:6px 10px;text-align:right;vertical-align:top;white-space:nowrap}"
    "thead th{font-weight:600;vertical-align:bottom;white-space:normal;max-width:11em}"
    "thead tr:last-child th{border-bottom:1px solid var(--rule)}"
    "th.group{text-align:center;max-width:none;border-bottom:1px solid var(--line)}"
    "tbody tr+tr td,tbody tr+tr th{border-top:1px solid var(--line)}"
    ".left{text-align:left}.mid{text-align:center}.wide{text-align:left;white-space:normal;min-width:15em;max-width:26em}"
    "tbody th{font-weight:400;text-align:left;white-space:normal;min-width:9em;overflow-wrap:anywhere}"
    "tr.baseline{background:var(--soft)}"
    "b{font-weight:700}.dim,.state{color:var(--dim)}.state{font-style:italic}"
    "td svg{display:block;max-width:none;height:20px}"
    ".better{color:var(--better)}.worse{color:var(--worse)}.sign{display:inline-block;min-width:1.2em}"
    "td.bar{padding-right:4px}td .more{display:block;color:var(--dim);font-size:12.5px}"
    "svg{max-width:100%;height:auto}"
    "figure{margin:0 0 22px}figcaption,.notes{color:var(--dim);font-size:13px;max-width:66em}"
    "figcaption ul,.notes{margin:8px 0 0;padding-left:1.2em}.notes li.unfair{color:var(--worse)}"
    f"{PICTURES}"
    "@media print{@page{size:A4 landscape;margin:12mm}"
    f":root{{color-scheme:light;{_LIGHT}}}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}body{font-size:12px}"
    "table{font-size:10.5px}th,td{padding:4px 6px}.scroll{overflow:visible}thead{display:table-header-group}"
    "td .more{font-size:9.5px}tr,figure{break-inside:avoid}h2{break-after:avoid;margin-top:22px}.wide{min-width:9em}}"
)


def page(title: str, head: Sequence[str], sections: Sequence[tuple[str, str]]) -> str:
    """A whole document. `head`: HTML under the title; `sections`: headings (text) with their HTML.

    Its Content-Security-Policy forbids loading anything, and scripts.
    """
    body = [f"<h1>{escaped(title)}</h1>", *head]
    body += [f"<section>\n<h2>{escaped(heading)}</h2>\n{content}\n</section>" for heading, content in sections]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def alone(picture: str) -> str:
    """A picture as a file of its own, in light colours."""
    style = f"<style>svg{{{_LIGHT};background:var(--paper)}}{PICTURES}</style>"
    head, _, rest = picture.partition(">")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head} xmlns="http://www.w3.org/2000/svg">{style}{rest}\n'
