#include "report/page.hpp"

namespace weft::report {

const std::string_view script_basics = R"js(
const redraws = [];  // of all that isn't laid out by the browser itself
const ground = document.documentElement;
const style = name => getComputedStyle(ground).getPropertyValue(name).trim();
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const captionOf = figure => figure.querySelector("figcaption").textContent;
const number = (x, digits = 4) => x === null ? "not a number" : String(Number(x.toPrecision(digits)));
const scaleNote = (strongest, values) =>
  `Full colour is ${number(strongest)}.` + (values.some(x => x < 0) ? " Blue is above 0, orange below." : "");

/** The colour of a weight, by its sign and its share of the strongest; read once for all that is drawn at a time. */
function painter(positive = "--weight") {
  const above = style(positive), below = style("--below");
  return (x, share) => `rgb(${x < 0 ? below : above} / ${share})`;
}

/** An element; text goes in as text, never as markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const tooltip = make("div", {id: "tooltip", hidden: "", "aria-hidden": "true"});
function showTooltip(text, x, y) {
  tooltip.textContent = text;
  tooltip.hidden = false;
  const box = tooltip.getBoundingClientRect();
  tooltip.style.left = `${clamp(x + 12, 4, Math.max(4, innerWidth - box.width - 4))}px`;
  tooltip.style.top = `${y + 16 + box.height > innerHeight ? y - box.height - 8 : y + 16}px`;
}
const hideTooltip = () => { tooltip.hidden = true; };

/** The numbers of a figure for those who don't see it, made when it is opened. */
function addTable(figure, name, head, rows) {
  const mostRows = 400, mostColumns = 100;
  const details = make("details", {}, make("summary", {}, name));
  details.addEventListener("toggle", () => {
    if (details.querySelector("table")) details.querySelector(".scroll").remove();
    if (!details.open) return;
    const all = rows(), names = head(), columns = names.length - 1;  // beside that of the rows' names
    const note = [[mostRows, all.length, "rows"], [mostColumns, columns, "columns"]].filter(([most, count]) => count > most)
      .map(([most, count, what]) => `${most} of ${count} ${what}`).join(", ");
    const table = make("table", {},
      make("thead", {}, make("tr", {}, ...names.slice(0, mostColumns + 1).map(text => make("th", {scope: "col"}, text)))),
      make("tbody", {}, ...all.slice(0, mostRows).map(row => make("tr", {},
        make("th", {scope: "row"}, row[0]), ...row.slice(1, mostColumns + 1).map(text => make("td", {}, text))))));
    const box = make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": name}, table);
    if (note) box.prepend(make("p", {class: "note"}, `The first ${note}.`));
    details.append(box);
  });
  figure.append(details);
}

/** A canvas at the screen's resolution, or as near to it as browsers let a canvas be; its context in CSS pixels. */
function prepare(canvas, width, height) {
  const mostSide = 16384, mostArea = 2 ** 24;
  const ratio = Math.min(devicePixelRatio || 1, mostSide / Math.max(width, height), Math.sqrt(mostArea / (width * height)));
  canvas.width = Math.min(Math.ceil(width * ratio), mostSide);
  canvas.height = Math.min(Math.ceil(height * ratio), mostSide);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  context.textBaseline = "middle";
  return context;
}

function shortened(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  const letters = Array.from(text);
  while (letters.length > 1 && context.measureText(letters.join("") + "\u2026").width > width) letters.pop();
  return letters.join("") + "\u2026";
}

/** An image of bytes in base64: grey, or red, green and blue. */
function imageOf(base64, width, height, channels) {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  const canvas = make("canvas", {width, height});
  const data = new ImageData(width, height);
  for (let i = 0; i < width * height; ++i) {
    for (let c = 0; c < 3; ++c) data.data[4 * i + c] = bytes[channels * i + (channels === 3 ? c : 0)];
    data.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

/** Arrow keys, Home and End as steps among rows and columns; true where the key was one of them. Up and down scroll one row. */
function step(event, place, rows, columns) {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  const moves = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -columns],
    End: [0, columns]};
  const move = moves[event.key];
  if (!move || (move[0] !== 0 && rows === 1)) return false;
  event.preventDefault();
  place.row = clamp(place.row + move[0], 0, rows - 1);
  place.column = clamp(place.column + move[1], 0, columns - 1);
  return true;
}

/** Lets the keyboard choose among rows() and columns(). */
function followKeys(element, place, rows, columns, choose) {
  element.addEventListener("keydown", event => {
    if (step(event, place, rows(), columns())) choose();
    else if (["Escape", "ArrowUp", "ArrowDown"].includes(event.key)) hideTooltip();
  });
  element.addEventListener("focus", () => { if (element.matches(":focus-visible")) choose(); });
  element.addEventListener("blur", hideTooltip);
}
)js";

}  // namespace weft::report
