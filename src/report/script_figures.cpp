#include "report/page.hpp"

namespace weft::report {

const std::string_view script_figures = R"js(
/** Round numbers of which some `count` lie between low and high; fewer where numbers of 15 digits have none between. */
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1), power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].find(x => x * power >= rough) * power;
  const first = Math.ceil(low / size), found = new Set();
  // Counted from 0: beyond 2^53 `first + 1` may be `first`.
  for (let i = 0; i <= count + 1; ++i) {
    const x = Number(((first + i) * size).toPrecision(15));
    if (x >= low - size * 1e-9 && x <= high + size * 1e-9) found.add(x);
  }
  return found;
}

function drawCurve(figure, data) {
  const points = data.series.flatMap(line => line.x.map((x, i) => [x, line.y[i]])).filter(p => p[0] !== null && p[1] !== null);
  const range = axis => {
    const low = points.reduce((least, p) => Math.min(least, p[axis]), Infinity);
    const high = points.reduce((most, p) => Math.max(most, p[axis]), -Infinity);
    const room = high > low ? 0 : Math.abs(high) / 2 || 1;
    return [low - room, high + room];
  };
  const [left, right] = range(0), [bottom, top] = range(1);
  const place = {row: 0, column: 0};
  const legend = make("ul", {class: "legend"}, ...data.series.map((line, i) => make("li", {},
    make("span", {class: "key", style: `background: var(--line-${i % 6})`}), line.name)));
  const canvas = make("canvas", {tabindex: "0", role: "application", "aria-roledescription": "diagram",
    "aria-label": `${captionOf(figure)}: ${data.series.map(line => line.name).join(", ")} over ${data.xAxis}. ` +
      "Left and right move along a line, up and down between lines."});
  const status = make("p", {class: "status", role: "status"});
  figure.append(legend, make("div", {class: "scroll"}, canvas), status);
  const box = {left: 56, top: data.yAxis ? 26 : 8, width: 1, height: 1};
  const at = (x, y) => [box.left + (x - left) / (right - left) * box.width, box.top + (top - y) / (top - bottom) * box.height];
  let chosen = false;
  const line = () => data.series[place.row];
  const words = () => {
    const i = place.column;
    return `${line().name}: ${data.xAxis} ${number(line().x[i], 15)}, ${data.yAxis} ${number(line().y[i])}`;
  };

  function draw() {
    const width = figure.clientWidth, height = clamp(width * 0.5, 200, 320);
    const context = prepare(canvas, width, height);
    box.width = width - box.left - 24;
    box.height = height - box.top - 40;
    context.strokeStyle = style("--line");
    context.fillStyle = style("--faint");
    context.lineWidth = 1;
    context.textAlign = "right";
    for (const y of ticks(bottom, top, 5)) {
      const [, v] = at(left, y);
      context.strokeRect(box.left, Math.round(v) + 0.5, box.width, 0);
      context.fillText(number(y), box.left - 6, v);
    }
    context.textAlign = "center";
    for (const x of ticks(left, right, Math.floor(box.width / 64)))
      context.fillText(number(x, 15), at(x, 0)[0], box.top + box.height + 12);
    context.fillText(data.xAxis, box.left + box.width / 2, height - 8);
    context.textAlign = "left";
    context.fillText(shortened(context, data.yAxis, width), 0, 8);
    data.series.forEach((series, i) => {
      context.strokeStyle = context.fillStyle = style(`--line-${i % 6}`);
      context.lineWidth = 2;
      context.beginPath();
      let open = false;
      series.x.forEach((x, j) => {
        const y = series.y[j];
        if (x === null || y === null) { open = false; return; }
        const [u, v] = at(x, y);
        const next = j + 1 < series.x.length && series.x[j + 1] !== null && series.y[j + 1] !== null;
        if (!open && !next) context.fillRect(u - 2, v - 2, 4, 4);
        else if (open) context.lineTo(u, v);
        else context.moveTo(u, v);
        open = true;
      });
      context.stroke();
    });
    if (chosen && line().x[place.column] !== null && line().y[place.column] !== null) {
      const [u, v] = at(line().x[place.column], line().y[place.column]);
      context.strokeStyle = style("--mark");
      context.beginPath();
      context.arc(u, v, 5, 0, 2 * Math.PI);
      context.stroke();
    }
    canvas.dataset.drawn = String(data.series.length);
  }
  function choose() {
    chosen = true;
    place.column = Math.min(place.column, line().x.length - 1);
    status.textContent = words();
    draw();
    const frame = canvas.getBoundingClientRect();
    const [u, v] = at(line().x[place.column] ?? left, line().y[place.column] ?? bottom);
    showTooltip(words(), frame.left + u, frame.top + v);
  }
  followKeys(canvas, place, () => data.series.length, () => line().x.length, choose);
  canvas.addEventListener("pointerleave", hideTooltip);
  const point = event => {
    const frame = canvas.getBoundingClientRect(), x = event.clientX - frame.left, y = event.clientY - frame.top;
    let nearest = Infinity;
    data.series.forEach((series, row) => series.x.forEach((_, column) => {
      if (series.x[column] === null || series.y[column] === null) return;
      const [u, v] = at(series.x[column], series.y[column]), distance = Math.hypot(u - x, v - y);
      if (distance < nearest) { nearest = distance; Object.assign(place, {row, column}); }
    }));
    if (nearest < Infinity) choose();
  };
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  addTable(figure, "The points as a table", () => ["line", data.xAxis, data.yAxis || "value"],
    () => data.series.flatMap(series => series.x.map((x, i) => [series.name, number(x, 15), number(series.y[i])])));
  redraws.push(draw);
}

/** A listbox of words in their lines: what reads the page aloud says the chosen word with its weight. */
function drawText(figure, data) {
  const words = [];
  const strongest = data.lines.flatMap(line => line.weights).reduce((most, x) => Math.max(most, Math.abs(x ?? 0)), 0) || 1;
  const heaviest = data.lines.reduce((most, line) => Math.max(most, Math.abs(line.weight ?? 0)), 0) || 1;
  const shade = (x, most) => `rgb(var(${x < 0 ? "--below" : "--weight"}) / calc(var(--shade) * ${Math.abs(x ?? 0) / most}))`;
  const text = make("div", {class: data.between ? "shaded" : "shaded close", tabindex: "0", role: "listbox",
    "aria-orientation": "horizontal", "aria-label": `${captionOf(figure)}: words shaded by weight. Left and right move among the words.`});
  for (const line of data.lines) {
    const paragraph = make("p", {role: "group"});
    if (data.lines.length > 1) {
      paragraph.style.borderLeftColor = shade(line.weight, heaviest * 0.6);
      paragraph.title = `line: ${number(line.weight)}`;
    }
    line.words.forEach((word, i) => {
      const title = `${word}: ${number(line.weights[i])}`;
      const span = make("span", {title, id: `${figure.id}-${words.length}`, role: "option", "aria-label": title}, word);
      span.style.background = shade(line.weights[i], strongest);
      words.push(span);
      paragraph.append(span, data.between);
    });
    text.append(paragraph);
  }
  const status = make("p", {class: "status"});
  const place = {row: 0, column: 0};
  let chosen = null;
  const choose = () => {
    chosen?.setAttribute("aria-selected", "false");
    chosen = words[place.column];
    chosen.setAttribute("aria-selected", "true");
    text.setAttribute("aria-activedescendant", chosen.id);
    status.textContent = chosen.title;
  };
  followKeys(text, place, () => 1, () => words.length, () => {
    choose();
    chosen.scrollIntoView({block: "nearest"});
    const box = chosen.getBoundingClientRect();
    showTooltip(chosen.title, box.left, box.bottom - 12);
  });
  text.addEventListener("pointerover", event => {
    if (words.includes(event.target)) status.textContent = event.target.title;
  });
  text.addEventListener("click", event => {
    if (!words.includes(event.target)) return;
    place.column = words.indexOf(event.target);
    choose();
  });
  figure.append(text, make("p", {class: "note"}, scaleNote(strongest, data.lines.flatMap(line => line.weights))), status);
  addTable(figure, "The weights as a table", () => ["word", "weight", "line"], () => data.lines.flatMap((line, n) =>
    line.words.map((word, i) => [word, number(line.weights[i]), String(n + 1)])));
  text.dataset.drawn = String(words.length);
}

document.body.append(tooltip);
const drawings = {curve: drawCurve, attention: drawAttention, text: drawText, sound: drawSound, frames: drawFrames};
JSON.parse(document.getElementById("data").textContent).forEach((data, i) => {
  const figure = document.getElementById(`figure-${i + 1}`);
  if (data.empty) figure.append(make("p", {class: "note"}, "There is no data."));
  else drawings[data.kind](figure, data);
  if (data.kind === "curve" && data.note) figure.append(make("p", {class: "note"}, data.note));
});
const redrawAll = () => { for (const redraw of redraws) redraw(); };
redrawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  hideTooltip();
  redrawAll();
});
)js";

}  // namespace weft::report
