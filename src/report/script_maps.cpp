#include "report/page.hpp"

namespace weft::report {

const std::string_view script_maps = R"js(
/**
 * A map of weights. `map` has rows and columns (labels), their axes, values() in row-major order with null for gaps, and
 * maybe picture(context, box, place), which draws above the cells and gives the height it takes; without a context it
 * only measures. Its sides are labels that stand beside it.
 */
function heatMap(figure, map) {
  const rows = map.rows.length, columns = map.columns.length;
  const place = {row: 0, column: 0};
  const status = make("p", {class: "status", role: "status"});
  const canvas = make("canvas", {tabindex: "0", role: "application", "aria-roledescription": "map of weights",
    "aria-label": `${captionOf(figure)}: ${rows} rows (${map.rowAxis}), ${columns} columns (${map.columnAxis}). ` +
      "Arrow keys move among the cells."});
  const scroll = make("div", {class: "scroll"}, canvas);
  const scale = make("p", {class: "note"});
  figure.append(scroll, scale, status);
  const at = {left: 0, top: 0, width: 1, height: 1};  // of the cells
  let chosen = false;

  const value = () => map.values()[place.row * columns + place.column];
  const words = () => `${map.rows[place.row]} \u2190 ${map.columns[place.column]}: ${number(value())}`;

  function draw() {
    const values = map.values();
    const strongest = values.reduce((most, x) => x === null ? most : Math.max(most, Math.abs(x)), 0) || 1;
    const available = figure.clientWidth;
    const measure = prepare(canvas, 1, 1);
    const widest = (labels, most) => Math.min(most, labels.reduce((w, l) => Math.max(w, measure.measureText(l).width), 0)) + 8;
    at.left = Math.ceil(widest([...map.rows, ...map.sides ?? []], Math.min(160, available * 0.35)));
    const room = available - at.left - 2;
    const smallest = columns <= 64 ? 13 : 1;
    at.width = clamp(room / columns, smallest, 28);
    if (at.width >= 4) at.width = Math.floor(at.width);
    at.height = map.picture ? 20 : clamp(at.width, 3, 28);
    const box = {left: at.left, top: 2, width: at.width * columns, available};
    const above = map.picture ? map.picture(null, box, place) + 6 : 0;
    const labels = Math.ceil(widest(map.columns, 110));
    at.top = above + labels;
    const full = Math.max(at.left + box.width + 2, map.picture ? available : 0);
    const context = prepare(canvas, full, at.top + at.height * rows + 2);
    if (map.picture) map.picture(context, box, place);

    context.fillStyle = style("--ground");
    context.fillRect(at.left, at.top, box.width, at.height * rows);
    const space = at.width >= 6 && at.height >= 6 ? 1 : 0, paint = painter(), gap = style("--gap");
    values.forEach((x, i) => {
      const c = i % columns, left = at.left + Math.round(c * at.width), right = at.left + Math.round((c + 1) * at.width);
      const top = at.top + Math.floor(i / columns) * at.height;
      if (x === 0 || right - left <= 0) return;
      context.fillStyle = x === null ? gap : paint(x, Math.abs(x) / strongest);
      if (x === null) context.fillRect(left, top + at.height / 2 - 1, right - left - space, 2);
      else context.fillRect(left, top, right - left - space, at.height - space);
    });
    context.fillStyle = style("--ink");
    context.textAlign = "right";
    const everyRow = Math.ceil(13 / at.height), everyColumn = Math.ceil((columns > 64 ? 24 : 13) / at.width);
    for (let r = 0; r < rows; r += everyRow)
      context.fillText(shortened(context, map.rows[r], at.left - 8), at.left - 5, at.top + (r + 0.5) * at.height);
    context.textAlign = "left";
    for (let c = 0; c < columns; c += everyColumn) {
      context.save();
      context.translate(at.left + (c + 0.5) * at.width, at.top - 4);
      context.rotate(-Math.PI / 2);
      context.fillText(shortened(context, map.columns[c], labels - 8), 0, 0);
      context.restore();
    }
    if (chosen) {
      context.strokeStyle = style("--mark");
      context.lineWidth = 2;
      context.strokeRect(at.left + place.column * at.width, at.top + place.row * at.height,
        Math.max(at.width - space, 3), at.height - space);
    }
    const pictured = map.picture ? `In the picture: ${map.rows[place.row]}. ` : "";
    scale.textContent = pictured + `Rows: ${map.rowAxis}, columns: ${map.columnAxis}. ` + scaleNote(strongest, values) +
      (map.note ? " " + map.note : "");
    canvas.dataset.drawn = `${rows} ${columns}`;
  }

  function choose(x, y) {
    chosen = true;
    status.textContent = words();
    draw();
    showTooltip(words(), x, y);
  }
  function chooseByKey() {
    const left = at.left + place.column * at.width;
    scroll.scrollLeft = clamp(scroll.scrollLeft, left + at.width - scroll.clientWidth, left - at.left);
    const box = canvas.getBoundingClientRect();
    choose(box.left + left + at.width / 2, box.top + at.top + (place.row + 0.5) * at.height);
  }
  const under = event => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - at.left) / at.width);
    const row = Math.floor((event.clientY - box.top - at.top) / at.height);
    return row >= 0 && row < rows && column >= 0 && column < columns ? {row, column} : null;
  };
  const point = event => {
    const cell = under(event);
    if (!cell) {
      hideTooltip();
    } else if (chosen && cell.row === place.row && cell.column === place.column) {
      showTooltip(words(), event.clientX, event.clientY);  // nothing to draw
    } else {
      Object.assign(place, cell);
      choose(event.clientX, event.clientY);
    }
  };
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("pointerleave", hideTooltip);
  followKeys(canvas, place, () => rows, () => columns, chooseByKey);
  addTable(figure, "The weights as a table", () => [`${map.rowAxis} \\ ${map.columnAxis}`, ...map.columns],
    () => map.rows.map((label, r) => [label, ...map.values().slice(r * columns, (r + 1) * columns).map(x => number(x))]));
  redraws.push(draw);
  return () => {
    if (chosen) status.textContent = words();
    draw();
  };
}

/** Weights of layers and heads, of which one map is shown. */
function drawAttention(figure, data) {
  const [layers, heads, rows, columns] = data.shape;
  const chosen = {layer: layers - 1, head: heads > 1 ? heads : 0};  // at first the last layer's mean
  const size = rows * columns;
  const slice = (layer, head) => data.weights.slice((layer * heads + head) * size, (layer * heads + head + 1) * size);
  const mean = layer => Array.from({length: size}, (_, i) => {
    let total = 0, count = 0;
    for (let head = 0; head < heads; ++head) {
      const x = data.weights[(layer * heads + head) * size + i];
      if (x !== null) { total += x; ++count; }
    }
    return count > 0 ? total / count : null;
  });
  let shown = null, redraw = null;
  const values = () => shown ??= chosen.head === heads ? mean(chosen.layer) : slice(chosen.layer, chosen.head);
  const choices = make("div", {class: "choices"});
  const choice = (name, key, labels) => {
    const select = make("select", {}, ...labels.map((label, i) => make("option", {value: i}, label)));
    select.value = chosen[key];
    select.addEventListener("change", () => {
      chosen[key] = Number(select.value);
      shown = null;
      redraw();
    });
    choices.append(make("label", {}, `${name} `, select));
  };
  const counted = count => Array.from({length: count}, (_, i) => String(i + 1));
  if (layers > 1) choice("Layer", "layer", counted(layers));
  if (heads > 1) choice("Head", "head", [...counted(heads), "mean"]);
  if (choices.hasChildNodes()) figure.append(choices);
  redraw = heatMap(figure, {...data, values});
}

/** A picture without cells to go to, with its times below. */
function drawSpectrogram(figure, data, picture) {
  const first = data.columns[0], last = data.columns[data.columns.length - 1];
  const canvas = make("canvas", {role: "img", "aria-label": `${captionOf(figure)}: a spectrogram from ${first} to ${last}`});
  figure.append(make("div", {class: "scroll"}, canvas), make("p", {class: "note"}, data.note));
  const draw = () => {
    const left = 40, height = 96, width = figure.clientWidth - left - 2, context = prepare(canvas, figure.clientWidth, height + 22);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, left, 2, width, height);
    context.fillStyle = style("--faint");
    context.textAlign = "right";
    context.fillText("high", left - 5, 10);
    context.fillText("low", left - 5, height - 6);
    context.fillText(last, left + width, height + 12);
    context.textAlign = "left";
    context.fillText(first, left, height + 12);
    canvas.dataset.drawn = `${data.frames} ${data.bands}`;
  };
  redraws.push(draw);
}

function drawSound(figure, data) {
  const picture = imageOf(data.spectrogram, data.frames, data.bands, 1);
  if (data.rows.length === 0) return drawSpectrogram(figure, data, picture);
  const columns = data.columns.length, height = 96, sides = ["high", "low"];
  heatMap(figure, {...data, values: () => data.weights, sides, picture(context, box, place) {
    if (!context) return height;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, box.left, box.top, box.width, height);
    const row = data.weights.slice(place.row * columns, (place.row + 1) * columns);
    const strongest = Math.max(...row.map(x => Math.abs(x ?? 0))) || 1, paint = painter("--over");
    row.forEach((x, i) => {
      context.fillStyle = paint(x, 0.75 * Math.abs(x ?? 0) / strongest);
      const left = Math.round(i * box.width / columns), right = Math.round((i + 1) * box.width / columns);
      context.fillRect(box.left + left, box.top, right - left, height);
    });
    context.fillStyle = style("--faint");
    context.textAlign = "right";
    sides.forEach((side, i) => context.fillText(side, box.left - 5, box.top + 8 + i * (height - 16)));
    return height;
  }});
}

function drawFrames(figure, data) {
  const {count, height, width, channels, grid} = data;
  const size = height * width * channels;
  const bytes = atob(data.images);
  const images = Array.from({length: count}, (_, i) =>
    imageOf(btoa(bytes.slice(i * size, (i + 1) * size)), width, height, channels));
  heatMap(figure, {...data, values: () => data.weights, picture(context, box, place) {
    const space = 10, scale = clamp(72 / Math.max(width, height), 0.25, 4);
    const w = width * scale, h = height * scale;
    const across = Math.max(1, Math.floor((box.available - space) / (w + space)));
    const tall = Math.ceil(count / across) * (h + space) + space;
    if (!context) return tall;
    context.imageSmoothingEnabled = false;
    const row = data.weights.slice(place.row * count, (place.row + 1) * count);
    const strongest = Math.max(...row.map(x => Math.abs(x ?? 0))) || 1;
    const cells = grid[0] * grid[1], paint = painter(), over = painter("--over");  // images are dark and light
    const parts = data.parts.slice(place.row * count * cells, (place.row + 1) * count * cells);
    const strongestPart = parts.reduce((most, x) => Math.max(most, Math.abs(x ?? 0)), 0) || 1;
    images.forEach((image, i) => {
      const x = space + (i % across) * (w + space), y = box.top + space + Math.floor(i / across) * (h + space);
      context.fillStyle = paint(row[i], Math.abs(row[i] ?? 0) / strongest);
      context.fillRect(x - 4, y - 4, w + 8, h + 8);
      context.drawImage(image, x, y, w, h);
      for (let j = 0; j < cells; ++j) {
        const part = parts[i * cells + j] ?? 0;
        if (!part) continue;
        context.fillStyle = over(part, 0.75 * Math.abs(part) / strongestPart);
        context.fillRect(x + (j % grid[1]) * w / grid[1], y + Math.floor(j / grid[1]) * h / grid[0], w / grid[1], h / grid[0]);
      }
      if (i === place.column) {
        context.strokeStyle = style("--mark");
        context.lineWidth = 2;
        context.strokeRect(x - 5, y - 5, w + 10, h + 10);
      }
    });
    return tall;
  }});
}
)js";

}  // namespace weft::report
