"""The report of a bake as a page: what was generated, what was baked, how far they are apart."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .checks import Check, Verdict, failed

STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --good: #2e8b57; --bad: #c0392b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1120px; margin: 2rem auto 4rem; }
body { padding: 0 1.2rem; }
h1 { font-size: 1.55rem; margin: 0 0 .1rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
.lead, .small, figcaption { opacity: .75; margin: 0 0 .5rem; }
.small, figcaption { font-size: .87rem; }
.badge { display: inline-block; color: #fff; border-radius: 1rem; padding: .1rem .8rem; }
.good { background: var(--good); } .bad { background: var(--bad); }
.shots { display: grid; grid-template-columns: 7.5rem repeat(5, 1fr); gap: .5rem; }
.shots { align-items: center; font-size: .85rem; }
.shots b { font-weight: 600; } .shots img { width: 100%; display: block; border-radius: 5px; }
.shots .head { opacity: .75; align-self: end; line-height: 1.25; }
.two { display: grid; grid-template-columns: minmax(16rem, 22rem) 1fr; gap: 1.6rem; }
.two img { width: 100%; border-radius: 5px; image-rendering: auto; }
.legend { display: flex; gap: .5rem; align-items: center; font-size: .85rem; margin-top: .4rem; }
.legend img { flex: 1; height: .7rem; width: auto; border-radius: 3px; }
.plot { background: var(--soft); border-radius: 6px; padding: .5rem .5rem 0; margin-bottom: .6rem; }
.plot svg { width: 100%; height: auto; display: block; }
.key { margin-right: 1.1rem; font-size: .87rem; white-space: nowrap; }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; }
.key i { margin-right: .35rem; vertical-align: -.08rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--line); }
th, td { vertical-align: top; font-variant-numeric: tabular-nums; font-weight: 400; }
thead th { opacity: .7; font-size: .85rem; }
td.pass { color: var(--good); } td.fail { color: var(--bad); font-weight: 600; }
.bar { background: var(--soft); border-radius: 3px; height: .7rem; width: 100%; min-width: 8rem; }
.bar i { display: block; background: #0072b2; height: 100%; border-radius: 3px; }
.warn { border-left: 4px solid #e69f00; background: var(--soft); padding: .5rem .9rem; }
.warn { margin: .5rem 0; border-radius: 0 5px 5px 0; }
code { font-size: .85em; word-break: break-all; opacity: .85; }
@media (max-width: 700px) { .two { grid-template-columns: 1fr; } }
"""


@dataclass(frozen=True)
class Shot:
    """One instant side by side: file names of its pictures, by column."""

    label: str
    detail: str
    pictures: Sequence[str]


@dataclass(frozen=True)
class Advice:
    """Something to know about the bake, and what mends it."""

    what: str
    remedy: str


@dataclass(frozen=True)
class EventSection:
    """What the page shows of one event.

    `columns` head the pictures of each of `shots`; `curves` and `residual` are SVG, `legend` the
    curves' colours as HTML; `heat` names the residual map's file, `heat_highest` its last colour in
    pixels; `peaks` are channels with (weight, share of its range); `provenance` by name.
    """

    title: str
    lead: str
    columns: Sequence[str]
    shots: Sequence[Shot]
    curves: str
    legend: str
    residual: str
    heat: str
    heat_highest: float
    heat_note: str
    peaks: Mapping[str, tuple[float, float]]
    warnings: Sequence[Advice] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


def render_report(
    title: str, lead: str, checks: Sequence[Check], sections: Sequence[EventSection]
) -> str:
    """Return the page as HTML; its pictures lie beside it."""
    wrong = len(failed(checks))
    verdict = "within its tolerances" if not wrong else f"{wrong} checks fail"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{html.escape(title)}</h1><p class='lead'>{html.escape(lead)}</p>",
        f"<p><span class='badge {'bad' if wrong else 'good'}'>{verdict}</span></p>",
    ]
    for section in sections:
        parts += _section(section, alone=len(sections) == 1)
    parts += ["<h2>Checks</h2>", _checks(checks)]
    return "".join([*parts, "</body></html>\n"])


def _section(section: EventSection, *, alone: bool) -> list[str]:
    parts = [] if alone else [f"<h2>{html.escape(section.title)}</h2>"]
    if not alone:
        parts.append(f"<p class='lead'>{html.escape(section.lead)}</p>")
    for warning in section.warnings:
        parts.append(
            f"<div class='warn'>{html.escape(warning.what)}<br>"
            f"<span class='small'>{html.escape(warning.remedy)}</span></div>"
        )
    if section.shots:
        parts += ["<h2>Generated and baked</h2>", _shots(section)]
    if section.curves:
        parts += ["<h2>Keyed curves</h2>", f"<div class='plot'>{section.curves}</div>"]
        parts.append(f"<p>{section.legend}</p>")
    if section.residual:
        parts += ["<h2>What no key expresses</h2>", "<div class='two'><div>"]
        parts.append(f"<img src='{section.heat}' alt='residual map'>")
        parts.append(
            "<div class='legend'><span>0</span><img src='legend.png' alt=''>"
            f"<span>{section.heat_highest:.2f} px</span></div>"
            f"<p class='small'>{html.escape(section.heat_note)}</p></div>"
        )
        parts.append(f"<div><div class='plot'>{section.residual}</div>{_peaks(section)}</div>")
        parts.append("</div>")
    parts += ["<h2>Provenance</h2>", _provenance(section.provenance)]
    return parts


def _shots(section: EventSection) -> str:
    style = f"grid-template-columns: 6rem repeat({len(section.columns)}, 1fr)"
    cells = ["<span></span>"]
    cells += [f"<span class='head'>{html.escape(column)}</span>" for column in section.columns]
    for shot in section.shots:
        cells.append(f"<span><b>{html.escape(shot.label)}</b><br>{html.escape(shot.detail)}</span>")
        cells += [f"<img src='{name}' alt='' loading='lazy'>" for name in shot.pictures]
    return f"<div class='shots' style='{style}'>{''.join(cells)}</div>"


def _peaks(section: EventSection) -> str:
    if not section.peaks:
        return ""
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{peak:+.3f}</td><td style='width:45%'>"
        f"<div class='bar'><i style='width:{100 * min(share, 1):.0f}%'></i></div></td>"
        f"<td>{100 * share:.0f} %</td></tr>"
        for name, (peak, share) in section.peaks.items()
    )
    return (
        "<h3>Peaks</h3><table><thead><tr><th>channel</th><th>peak</th>"
        f"<th colspan='2'>share of its range</th></tr></thead>{rows}</table>"
    )


def _checks(checks: Sequence[Check]) -> str:
    colours = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.NOT_COVERED: ""}
    rows = "".join(
        f"<tr><th>{html.escape(one.event)}</th><td>{html.escape(one.name)}</td>"
        f"<td class='{colours[one.verdict]}'>{one.verdict.value}</td>"
        f"<td>{html.escape(one.value)}</td><td>{html.escape(one.limit)}</td>"
        f"<td>{html.escape(one.note)}</td></tr>"
        for one in checks
    )
    return (
        "<table><thead><tr><th>event</th><th>check</th><th>verdict</th><th>found</th>"
        f"<th>tolerance</th><th></th></tr></thead>{rows}</table>"
        "<p class='small'>The tolerances lie in the .blend; <code>microface verify</code> takes "
        "the same measures from the file alone.</p>"
    )


def _provenance(rows: Mapping[str, str]) -> str:
    cells = "".join(
        f"<tr><th>{html.escape(name)}</th><td>"
        f"{'<code>' * (len(value) >= 40)}{html.escape(value)}{'</code>' * (len(value) >= 40)}"
        "</td></tr>"
        for name, value in rows.items()
    )
    return f"<table>{cells}</table>"
