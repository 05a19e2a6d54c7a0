"""A page about recordings: one HTML file that needs no network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import cv2
import numpy as np

from lam_ros.core.assemble import JOINTS
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.recording.convert.grid import stream_names
from lam_ros.recording.convert.segments import Segment
from lam_ros.recording.quality.look import Look, changed_by_safety
from lam_ros.recording.quality.summary import Row, Summary
from lam_ros.recording.quality.svg import COLORS, Line, Plot, histogram

STRIP_HEIGHT_PX = 110
_JPEG_QUALITY = 80
_LEAST_SPAN_RAD = 0.05
_GAP_COLOR, _HAND_COLOR, _CLAMP_COLOR = "#d55e00", "#e69f00", "#cc79a7"

_BANDS = (
    f'<p class="bands">shaded: <b style="color:{_GAP_COLOR}">gap</b> '
    f'<b style="color:{_HAND_COLOR}">a person intervenes</b> '
    f'<b style="color:{_CLAMP_COLOR}">safety changed the command</b></p>'
)

_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:24px auto;max-width:1240px;padding:0 16px;color:#222}
h1{font-size:20px}h2{font-size:16px;margin:28px 0 4px}table{border-collapse:collapse;margin:12px 0}
th,td{padding:3px 10px;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}
th:first-child,td:first-child,td.f{text-align:left}td.f{white-space:normal;color:#b03a00;font-size:12px;padding:2px 10px 8px 28px}
.flag{color:#b03a00;margin:0}.ok{color:#00724f;margin:0}.strip{display:flex;gap:3px;margin:4px 0;
overflow-x:auto}.strip figure{margin:0;max-width:calc(12.5% - 3px)}
.strip img{max-height:110px;max-width:100%;display:block}
figcaption{font-size:11px;color:#666}.plots{display:flex;flex-wrap:wrap;gap:8px}
svg text{font:10px system-ui,sans-serif;fill:#444}svg .t{font-weight:600;font-size:11px}
svg .y{text-anchor:end}svg .l{text-anchor:end;font-weight:600}.a{fill:none;stroke:#999}
svg .l[fill]{fill:revert-layer}.bands{font-size:11px;color:#666;margin:2px 0}section{border-top:2px solid #eee}
"""


def page(title: str, summary: Summary) -> str:
    """Return the page."""
    body = [f"<h1>{escape(title)}</h1>", _overview(summary)]
    body += [_section(row) for row in summary.rows]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        + "".join(body)
        + "</body></html>\n"
    )


# -- overview --------------------------------------------------------------------------


def _overview(summary: Summary) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in Row.HEADINGS)
    lines = []
    for k, row in enumerate(summary.rows):
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row.cells()[1:])
        name = f'<td><a href="#e{k}">{escape(row.name)}</a></td>'
        lines.append(f"<tr>{name}{cells}</tr>")
        why = "<br>".join(escape(flag) for flag in row.flags)
        if why:
            lines.append(f'<tr><td class="f" colspan="{len(Row.HEADINGS)}">{why}</td></tr>')
    notes = "".join(f'<p class="flag">{escape(note)}</p>' for note in summary.notes)
    return f"{notes}<table><tr>{head}</tr>{''.join(lines)}</table>"


def _section(row: Row) -> str:
    look = row.look
    parts = [f'<section id="e{row.number}"><h2>{escape(row.name)}</h2>']
    parts.append(
        f"<p>{escape(look.instruction)} {escape(f'({look.outcome})' if look.outcome else '')}</p>"
    )
    parts += [f'<p class="flag">{escape(flag)}</p>' for flag in row.flags]
    if not row.flags:
        parts.append('<p class="ok">nothing found</p>')
    if look.figures is not None and look.segments and look.robot is not None:
        parts += [_strip(camera, look.strip[camera]) for camera in look.strip]
        parts.append(_BANDS)
        parts += ['<div class="plots">', *_plots(look, look.robot), "</div>"]
    return "".join([*parts, "</section>"])


def _strip(camera: str, pictures: Sequence[tuple[float, ImageArray]]) -> str:
    shown = "".join(
        f'<figure><img alt="{escape(camera)}" src="{_inline(image)}"/>'
        f"<figcaption>{escape(camera)} {time_s:.1f} s</figcaption></figure>"
        for time_s, image in pictures
    )
    return f'<div class="strip">{shown}</div>'


def _inline(image: ImageArray) -> str:
    """Return a picture as a data URL, in the size in which it is shown."""
    height = min(STRIP_HEIGHT_PX * 2, max(STRIP_HEIGHT_PX, image.shape[0]))
    width = round(image.shape[1] * height / image.shape[0])
    scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    swapped = cv2.cvtColor(scaled, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", swapped, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(bytes(data)).decode()


# -- plots -----------------------------------------------------------------------------


def _plots(look: Look, robot: RobotDescription) -> list[str]:
    start_ns = int(look.segments[0].stamp_ns[0])
    end_s = (int(look.segments[-1].stamp_ns[-1]) - start_ns) / 1e9
    bands = _bands(look, start_ns)
    plots = [
        _joint_plot(look.segments, start_ns, end_s, k, name, bands)
        for k, name in enumerate(robot.joint_names)
    ]
    plots += [_age_plot(look, robot, start_ns, end_s, bands), _sync_plot(look), _latency_plot(look)]
    return [plot.svg() for plot in plots]


def _bands(look: Look, start_ns: int) -> list[tuple[float, float, str]]:
    assert look.figures is not None, "only pages of what could be looked at have plots"
    found = [
        (gap["after_s"], gap["after_s"] + gap["seconds"], _GAP_COLOR) for gap in look.figures.gaps
    ]
    for segment in look.segments:
        times_s = (segment.stamp_ns - start_ns) / 1e9
        found += [(*span, _HAND_COLOR) for span in _spans(times_s, segment.intervention)]
        found += [(*span, _CLAMP_COLOR) for span in _spans(times_s, changed_by_safety(segment))]
    return found


def _spans(times_s: FloatArray, marked: np.ndarray) -> list[tuple[float, float]]:
    """Return from when to when rows are marked."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return [
        (float(times_s[a]), float(times_s[b - 1]))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _series(
    segments: Sequence[Segment], start_ns: int, name: str, k: int
) -> tuple[FloatArray, FloatArray]:
    """Return time [s] and one column of all segments, broken between them."""
    times = [np.append((s.stamp_ns - start_ns) / 1e9, np.nan) for s in segments]
    values = [np.append(getattr(s, name)[:, k].astype(np.float64), np.nan) for s in segments]
    return np.concatenate(times), np.concatenate(values)


def _joint_plot(
    segments: Sequence[Segment],
    start_ns: int,
    end_s: float,
    k: int,
    name: str,
    bands: Sequence[tuple[float, float, str]],
) -> Plot:
    state = Line(*_series(segments, start_ns, "state_rad", k), color=COLORS[0])
    action = Line(*_series(segments, start_ns, "action_rad", k), color=COLORS[1])
    passed = Line(*_series(segments, start_ns, "passed_rad", k), color=COLORS[2], dashed=True)
    legend = (("state", COLORS[0]), ("action", COLORS[1]), ("passed", COLORS[2]))
    return Plot(
        f"{name} [rad]", (0.0, end_s), [action, passed, state], bands=bands, unit=" s",
        legend=legend, least_span=_LEAST_SPAN_RAD,
    )  # fmt: skip


def _age_plot(
    look: Look,
    robot: RobotDescription,
    start_ns: int,
    end_s: float,
    bands: Sequence[tuple[float, float, str]],
) -> Plot:
    lines, legend, levels = [], [], []
    assert look.figures is not None, "only pages of what could be looked at have plots"
    for k, name in enumerate(stream_names(robot)):
        times_s, ages_s = _series(look.segments, start_ns, "stream_age_s", k)
        color = COLORS[k % len(COLORS)]
        lines.append(Line(times_s, 1e3 * ages_s, color))
        legend.append((name, color))
        if name in (*robot.camera_names[:1], JOINTS):
            levels.append((1e3 * look.figures.streams[name].limit_s, color))
    return Plot(
        "age [ms], limits dotted", (0.0, end_s), lines, bands=bands, levels=levels,
        from_zero=True, unit=" s", legend=legend,
    )  # fmt: skip


def _sync_plot(look: Look) -> Plot:
    """Show how far apart the streams of each row are: the oldest against the newest."""
    ages = np.concatenate([segment.stream_age_s[:, :-1] for segment in look.segments])
    spread_ms = 1e3 * (ages.max(1) - ages.min(1))
    edges = _edges(0.0, max(40.0, float(np.ceil(spread_ms.max() / 10) * 10)))
    bars = [(*bar, COLORS[0]) for bar in histogram(spread_ms, edges)]
    return Plot(
        "sync: oldest to newest stream of a row [ms]", (0.0, float(edges[-1])), bars=bars,
        from_zero=True, unit=" ms",
    )  # fmt: skip


def _latency_plot(look: Look) -> Plot:
    """Show how long messages took from their stamp to the recorder."""
    most_ms = max(float(np.percentile(v, 99)) for v in look.latency_ms.values() if v.size)
    least_ms = min(0.0, *(float(v.min()) for v in look.latency_ms.values() if v.size))
    edges = _edges(least_ms, max(10.0, 1.2 * most_ms))
    bars, legend = [], []
    for k, (name, values) in enumerate(look.latency_ms.items()):
        color = COLORS[k % len(COLORS)]
        bars += [(*bar, color) for bar in histogram(values, edges) if bar[2]]
        legend.append((name, color))
    return Plot(
        "stamp to receipt [ms]", (float(edges[0]), float(edges[-1])), bars=bars,
        from_zero=True, unit=" ms", legend=legend,
    )  # fmt: skip


def _edges(low: float, high: float) -> FloatArray:
    """Return the edges of forty bins."""
    return np.linspace(low, high, 41, dtype=np.float64)
