#!/usr/bin/env python3
"""Makes a report of what scripts/bench has left of the lab's runs in a folder.

  report.py FOLDER     reads NAME.json and NAME.SYSTEM.json; writes report.html, report.md and NAME-….png

The page holds all pictures in itself. Needs matplotlib.
"""
import base64
import html
import json
import math
import sys
from pathlib import Path

import matplotlib

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("functional", "bench")]
import figures  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

DPI = 110
COLOURS = ["#1f5fa8", "#d1651a", "#3b8f4a", "#8a4fa3", "#9a7b1f"]
PICTURES = {
    "latency": "Latency over time, from leaving the encoder to being there for the player: median, and 99th percentile in pale, of what came.",
    "percentiles": "How much of the media was there how soon. What never came is missing at the right.",
    "feeding": "Who fed whom at the end; S, in the middle, is the source. Dots are as large as uplinks, squares are behind NAT, lines as wide as stripes; "
               "each ring is a step further from the source.",
    "upload": "What the source sent while so many viewers were there, headers and all: a dot for each two seconds.",
}
STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 68em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { border-bottom: 1px solid #ccc; padding: .15em .8em; text-align: right }
td:first-child, th:first-child { text-align: left } .met { color: #1a7f37 } .missed { color: #b42318; font-weight: bold }
figure { display: inline-block; width: 48%; margin: .5% } img { width: 100% } figcaption { font-size: 85%; color: #555 }
"""


def read(folder):
    """({scenario: {suffix: run}}, about the machine); the program's own runs have the suffix ''."""
    runs, machine = {}, {}
    for path in sorted(folder.glob("*.json")):
        if path.name == "machine.json":
            machine = json.loads(path.read_text())
            continue
        name, _, system = path.stem.partition(".")
        runs.setdefault(name, {})[system] = json.loads(path.read_text())
    return {name: dict(sorted(systems.items())) for name, systems in runs.items()}, machine


def axes(xlabel, ylabel):
    figure, drawing = plt.subplots(figsize=(6.4, 3.8))
    drawing.set_xlabel(xlabel)
    drawing.set_ylabel(ylabel)
    drawing.grid(alpha=0.3)
    return figure, drawing


def coloured(systems):
    return [(run, COLOURS[index % len(COLOURS)]) for index, run in enumerate(systems.values())]


def draw_latency(systems):
    figure, drawing = axes("seconds", "seconds behind the encoder")
    for run, colour in coloured(systems):
        rows = [row for row in run["latency_over_time"] if row[1] is not None]
        drawing.plot([row[0] for row in rows], [row[2] for row in rows], color=colour, alpha=0.35, linewidth=1)
        drawing.plot([row[0] for row in rows], [row[1] for row in rows], color=colour, label=run["system"])
    first = next(iter(systems.values()))
    drawing.set_yscale("log")
    drawing.axhline(first["figures"]["scenario_latency_s"], color="#888", linestyle=":", label="the scenario's latency")
    for at, what in first["events"]:
        drawing.axvline(at, color="#b42318", linewidth=0.8)
        drawing.text(at, drawing.get_ylim()[1], what, rotation=90, va="top", ha="right", fontsize=7, color="#b42318")
    drawing.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    drawing.legend(fontsize=8)
    return figure


def draw_percentiles(systems):
    figure, drawing = axes("seconds behind the encoder", "% of the media")
    for run, colour in coloured(systems):
        # Stretched towards 100 %, as the last percents matter.
        rows = [(late, -math.log10(1 - min(share, 0.9999))) for share, late in run["quantiles"] if share < 1]
        drawing.plot([row[0] for row in rows], [row[1] for row in rows], color=colour, label=run["system"])
    drawing.axvline(next(iter(systems.values()))["figures"]["scenario_latency_s"], color="#888", linestyle=":", label="the scenario's latency")
    ticks = (0, 50, 90, 99, 99.9, 99.99)
    drawing.set_yticks([-math.log10(1 - tick / 100) for tick in ticks], [f"{tick}" for tick in ticks])
    drawing.set_xscale("log")
    drawing.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    drawing.legend(fontsize=8, loc="center right")
    return figure


def bits(text):
    return float(text[:-1]) * {"k": 1e3, "M": 1e6}[text[-1]] if text[-1] in "kM" else float(text)


def steps_from_source(edges, places):
    """{place: least steps}; those that nobody feeds are one beyond."""
    steps = {"source": 0}
    while True:
        more = {whom: steps[who] + 1 for who, whom, _ in edges if who in steps and whom not in steps}
        if not more:
            break
        steps.update(more)
    beyond = max(steps.values()) + 1
    return {place: steps.get(place, beyond) for place in places}


def draw_feeding(systems):
    run = systems.get("", {})
    if not run.get("feeding"):
        return None
    figure, drawing = plt.subplots(figsize=(6.4, 5.2))
    places = run["places"]
    steps = steps_from_source(run["feeding"], places)
    rings = {}
    for place in sorted(places):
        rings.setdefault(steps[place], []).append(place)
    at = {place: (step * math.cos(angle), step * math.sin(angle)) for step, ring in rings.items() for place, angle in
          ((place, 2 * math.pi * (index + 0.37 * step) / len(ring)) for index, place in enumerate(ring))}
    for who, whom, stripes in run["feeding"]:
        if who in at and whom in at:
            colour = COLOURS[1] if who == "source" else "#777"
            style = {"arrowstyle": "-|>", "linewidth": 0.3 * stripes, "color": colour, "alpha": 0.9 if who == "source" else 0.35,
                     "shrinkA": 6, "shrinkB": 6, "connectionstyle": "arc3,rad=0.12"}
            drawing.annotate("", at[whom], at[who], arrowprops=style)
    for place, (x, y) in at.items():
        drawing.scatter([x], [y], marker="s" if place in run.get("behind_nat", ()) else "o", s=90 + 60 * bits(places[place]) / run["figures"]["stream_bits_per_second"],
                        color=COLOURS[1] if place == "source" else COLOURS[0], zorder=3, edgecolors="white")
        label = "S" if place == "source" else place.removeprefix("viewer")[:3]
        drawing.annotate(label, (x, y), fontsize=6, ha="center", va="center", zorder=4, color="white", weight="bold")
    drawing.set_axis_off()
    return figure


def draw_upload(systems):
    figure, drawing = axes("viewers", "source's upload, times the bitrate")
    most = 1
    for run, colour in coloured(systems):
        most = max([most, *(viewers for _, viewers, _ in run["uploads"])])
        drawing.scatter([viewers for _, viewers, _ in run["uploads"]], [times for *_, times in run["uploads"]], color=colour, alpha=0.5,
                        s=12, label=run["system"])
    top = drawing.get_ylim()[1]
    drawing.plot([0, most], [0, most], color="#888", linestyle=":", label="a copy for each viewer")
    drawing.set_ylim(0, top * 1.2)
    drawing.legend(fontsize=8)
    return figure


def draw(folder, name, systems):
    """{picture: file}"""
    files = {}
    for picture, function in zip(PICTURES, (draw_latency, draw_percentiles, draw_feeding, draw_upload)):
        figure = function(systems)
        if figure:
            files[picture] = folder / f"{name}-{picture}.png"
            figure.tight_layout()
            figure.savefig(files[picture], dpi=DPI)
            plt.close(figure)
    return files


def text_of(value):
    if isinstance(value, dict):
        return ", ".join(f"{key} {text_of(part)}" for key, part in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def bar_text(bar):
    return " ".join(f"{word} {bar[word]:g}" for word in ("least", "most") if word in bar)


def rows_of(systems):
    """[(figure, bar, whether it was met, [value of each system])]"""
    bars = systems.get("", {}).get("bars", {})
    known = list(dict.fromkeys(key for run in systems.values() for key in run["figures"]))
    known.sort(key=lambda key: key not in bars)
    return [(key, bar_text(bars[key]) if key in bars else "", bars.get(key, {}).get("met"),
             [text_of(run["figures"].get(key, "")) for run in systems.values()]) for key in known]


def share(value):
    return "" if value is None else f"{value:.2f} %"


def times(*values):
    return " / ".join("" if value is None else value if isinstance(value, str) else f"{value:.2f}" for value in values)


EXPLAINED = figures.__doc__.split("\n", 1)[1].strip() + """

The measured time begins `settle` seconds after the first viewer (home, churn, source-drop, nat, lossy 30, 56k 60, crowd 0). Bars are
minuteswarm's. Other systems have the latency that they need, and it counts as late at the scenario's: chunk swarms are asked for 30 s, HLS
players begin three segments back. Of HLS the source's processor time is the web server's without the segmenter's.
"""

# (title, what of a run's figures) of the table above all others.
MAIN = (
    ("served", lambda of: share(of("served_percent"))),
    ("first byte p50 / p95, s", lambda of: times(of("first_byte_p50_s"), of("first_byte_p95_s"))),
    ("latency p50 / p99, s", lambda of: times(of("latency_p50_s"), of("latency_p99_s"))),
    ("on time at that latency", lambda of: share(of("continuity_percent"))),
    ("the same from the first byte on", lambda of: share(of("whole_continuity_percent"))),
    ("stalls / gaps a viewer-hour, from the first byte on",
     lambda of: times(of("whole_stalls_per_viewer_hour"), of("whole_gaps_per_viewer_hour"))),
    ("source, times the bitrate", lambda of: times(of("source_upload_times_bitrate"))),
)


def verdict(bars):
    missed = [f"{name} {text_of(bar['value'])}, bar {bar_text(bar)}" for name, bar in bars.items() if not bar["met"]]
    return "" if not bars else "missed: " + "; ".join(missed) if missed else "met"


def main_rows(runs):
    """Titles, then a row for each scenario and system."""
    yield ["scenario", "its latency, s", "system", *(title for title, _ in MAIN), "bars"]
    for name, systems in runs.items():
        for run in systems.values():
            yield [name, text_of(run["figures"]["scenario_latency_s"]), run["system"],
                   *(of(run["figures"].get) for _, of in MAIN), verdict(run["bars"])]


def main_table(runs):
    """As HTML, and as Markdown."""
    head, *rows = main_rows(runs)
    page = "".join("<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>" for tag, row in
                   (("th", head), *(("td", row) for row in rows)))
    text = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return f"<table>{page}</table>", "\n".join([*text, ""])


def section(name, systems, files):
    first = next(iter(systems.values()))
    titles = "".join(f"<th>{html.escape(run['system'])}</th>" for run in systems.values())
    rows = "".join(
        f"<tr><td>{key}</td>" + "".join(f"<td{'' if met is None or index else ' class=met' if met else ' class=missed'}>{html.escape(value)}</td>"
                                        for index, value in enumerate(values)) + f"<td>{bar}</td></tr>"
        for key, bar, met, values in rows_of(systems))
    figures = "".join(
        f"<figure><img alt='{picture}' src='data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}'>"
        f"<figcaption>{PICTURES[picture]}</figcaption></figure>" for picture, path in files.items())
    columns = list(first["viewers"][0]) if first["viewers"] else []
    viewers = "".join("<tr>" + "".join(f"<td>{text_of('' if row[column] is None else row[column])}</td>" for column in columns) + "</tr>"
                      for row in first["viewers"])
    return (f"<h2>{name}</h2><p>{html.escape(first['about'])}.</p>{figures}<table><tr><th></th>{titles}<th>bar</th></tr>{rows}</table>"
            f"<details><summary>Each viewer of {html.escape(first['system'])}</summary><table><tr>"
            + "".join(f"<th>{column}</th>" for column in columns) + f"</tr>{viewers}</table></details>")


def markdown(name, systems):
    lines = [f"## {name}", "", next(iter(systems.values()))["about"] + ".", "",
             "| figure | " + " | ".join(run["system"] for run in systems.values()) + " | bar |", "|---" * (len(systems) + 2) + "|"]
    for key, bar, met, values in rows_of(systems):
        if met is False:
            values = [f"**{values[0]}**", *values[1:]]
        lines.append(f"| {key} | " + " | ".join(values) + f" | {bar} |")
    return "\n".join([*lines, ""])


def main(folder):
    runs, machine = read(folder)
    about = machine.get("machine", {})
    head = (f"{machine.get('version', '')}; {machine.get('date', '')}; {about.get('processor', '')}, {about.get('cores', '')} cores, "
            f"{about.get('system', '')}; "
            f"load before {about.get('load', 0):.2f}")
    page, text = main_table(runs)
    body = page + f"<pre>{html.escape(EXPLAINED)}</pre>" + "".join(section(name, systems, draw(folder, name, systems)) for name, systems in runs.items())
    (folder / "report.html").write_text(f"<!doctype html><meta charset=utf-8><title>minuteswarm in the lab</title><style>{STYLE}</style>"
                                        f"<h1>minuteswarm in the lab</h1><p>{html.escape(head)}</p>{body}\n")
    (folder / "report.md").write_text("\n".join(["# minuteswarm in the lab", "", head, "", text, EXPLAINED, *(markdown(*item) for item in runs.items())]))
    print(f"report: {folder / 'report.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
