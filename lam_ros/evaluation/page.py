"""The report as one HTML file that needs no network: figures, plots, failures in pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from lam_ros.evaluation.report import EpisodeResult, Summary
from lam_ros.recording.quality.svg import COLORS, Plot

_JPEG_QUALITY = 78
_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:24px auto;max-width:1320px;padding:0 16px;color:#222}
h1{font-size:20px}h2{font-size:16px;margin:28px 0 4px}table{border-collapse:collapse;margin:12px 0}
th,td{padding:3px 10px;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}figure{margin:14px 0}img{max-width:100%}
figcaption{font-size:12px;color:#555}.bar{position:relative;width:320px;height:12px;background:#eee}
.bar i{position:absolute;height:12px;background:#0072b2}.bar b{position:absolute;top:5px;height:2px;background:#222}
svg text{font:10px system-ui,sans-serif;fill:#444}svg .t{font-weight:600;font-size:11px}
svg .y{text-anchor:end}.a{fill:none;stroke:#999}
"""


def page(summary: Summary, sheets: Mapping[int, Image.Image]) -> str:
    """Return the page.

    Args:
        summary: the evaluation.
        sheets: index of a failed episode among the results -> its moments.
    """
    data = summary.to_dict()
    axis = "" if summary.axis == "none" else f", axis {summary.axis}"
    title = f"{summary.suite}: {summary.policy}, {summary.wording} wordings{axis}"
    body = [tasks({"all": data, **data["by_task"]}), _figures(data), plots(summary.results)]
    body += ["<h2>Failures</h2>", _failures(data)]
    body += [failure(summary.results[k], image) for k, image in sheets.items()]
    return document(title, body)


def document(title: str, body: Sequence[str]) -> str:
    """Return a page of parts, with its title above them."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1>" + "".join(body) + "</body></html>\n"
    )


def tasks(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table of success: name -> episodes, success_rate, wilson_95."""
    cells = "".join(
        f"<tr><td>{escape(task)}</td><td>{row['episodes']}</td><td>{row['success_rate']:.1%}</td>"
        f"<td>{row['wilson_95'][0]:.1%} to {row['wilson_95'][1]:.1%}</td><td>{_bar(row)}</td></tr>"
        for task, row in rows.items()
    )
    head = "<tr><th>task</th><th>episodes</th><th>success</th><th>95 % interval</th><th></th></tr>"
    return f"<table>{head}{cells}</table>"


def _bar(row: Mapping[str, Any]) -> str:
    low, high = (100 * bound for bound in row["wilson_95"])
    return (
        f'<div class="bar"><i style="width:{100 * row["success_rate"]:.1f}%"></i>'
        f'<b style="left:{low:.1f}%;width:{high - low:.1f}%"></b></div>'
    )


def _figures(data: Mapping[str, Any]) -> str:
    shown = {
        "seeds": " to ".join(map(str, data["seeds"])),
        "named object first": f"{data['named_first_rate']:.1%}",
        "simulated seconds a success": f"{data['seconds_per_task']:.2f}",
        "interventions of the safety room": data["unsafe_events"],
        **{f"safety: {name}": count for name, count in data["safety"].items()},
    }
    if "mean_chain_length" in data:
        reached = ", ".join(f"{share:.0%}" for share in data["reached"])
        shown["mean chain length"] = f"{data['mean_chain_length']:.2f} ({reached})"
    rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in shown.items())
    return f"<table>{rows}</table>"


def plots(results: Sequence[EpisodeResult]) -> str:
    """Return a plot of how long successes took."""
    seconds = np.array([r.seconds for r in results if r.success])
    if not len(seconds):
        return ""
    counts, edges = np.histogram(seconds, bins=min(24, max(4, len(seconds) // 3)))
    bars = [
        (float(left), float(right), float(count), COLORS[0])
        for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    span = (float(edges[0]), float(edges[-1]))
    return Plot("successes by simulated time", span, bars=bars, from_zero=True, unit=" s").svg()


def _failures(data: Mapping[str, Any]) -> str:
    if not data["failures"]:
        return "<p>none</p>"
    rows = "".join(
        f"<tr><td>{escape(kind)}</td><td>{count}</td></tr>"
        for kind, count in sorted(data["failures"].items(), key=lambda item: -item[1])
    )
    return f"<table><tr><th>failure</th><th>episodes</th></tr>{rows}</table>"


def failure(result: EpisodeResult, image: Image.Image) -> str:
    """Return a failed episode in pictures."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    text = base64.b64encode(buffer.getvalue()).decode()
    caption = f"seed {result.seed}: {result.prompt}: {result.failure}"
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/jpeg;base64,{text}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
