"""The report: one HTML file that opens anywhere, with everything in it."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; }
body { padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin-top: 2rem; }
.lead, figcaption { opacity: .75; margin-top: 0; }
img { max-width: 100%; border-radius: 6px; }
figure { margin: 0; }
.plot { background: #fff; border-radius: 6px; padding: .4rem; }
.plot svg { width: 100%; height: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
th, td { vertical-align: top; font-variant-numeric: tabular-nums; }
code { background: var(--soft); padding: .05rem .3rem; border-radius: 4px; word-break: break-all; }
"""


@dataclass(frozen=True)
class Row:
    """One figure of a table: its name, its value as text, and what it means."""

    name: str
    value: str
    meaning: str = ""


@dataclass(frozen=True)
class Page:
    """What a report shows.

    `animation` is an animated WebP, `plots` map a caption to SVG text, `tables` a heading to rows.
    """

    title: str
    lead: str
    animation: bytes
    animation_caption: str
    plots: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)


def render_page(page: Page) -> str:
    """Return the report as one self-contained HTML document."""
    picture = base64.b64encode(page.animation).decode("ascii")
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{html.escape(page.title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{html.escape(page.title)}</h1><p class='lead'>{html.escape(page.lead)}</p>",
        f"<figure><img alt='{html.escape(page.animation_caption)}'",
        f" src='data:image/webp;base64,{picture}'>",
        f"<figcaption>{html.escape(page.animation_caption)}</figcaption></figure>",
    ]
    for caption, svg in page.plots.items():
        parts.append(f"<h2>{html.escape(caption)}</h2><div class='plot'>{svg}</div>")
    for heading, rows in page.tables.items():
        parts.append(f"<h2>{html.escape(heading)}</h2><table>{''.join(map(_row, rows))}</table>")
    parts.append("</body></html>\n")
    return "".join(parts)


def _row(row: Row) -> str:
    """Return one table row; long hexadecimal values are set as code."""
    value = html.escape(row.value)
    if len(row.value) >= 40 and " " not in row.value:
        value = f"<code>{value}</code>"
    name, meaning = html.escape(row.name), html.escape(row.meaning)
    return f"<tr><th>{name}</th><td>{value}</td><td>{meaning}</td></tr>"
