// The two drawings as SVG text. Lengths are pixels of the page; colours are classes of play.css.

const MARGIN = { left: 46, right: 12, top: 12, bottom: 38 };
const MOST_POINTS = 900, DOTTED_STEPS = 40, RINGS = [0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 4.5, 7, 10];
const LARGEST = 1e300; // of a loss that is drawn

/** 3 digits, with a power of ten where there would be many zeros. */
function formatNumber(value, digits = 3) {
  if (Number.isNaN(value)) return "?";
  if (!Number.isFinite(value)) return "∞";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${Number(mantissa)}×${powerOfTen(Number(exponent))}`;
  }
  return String(Number(value.toPrecision(digits)));
}

function powerOfTen(exponent) {
  return `10${[...String(exponent)].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("")}`;
}

function signed(value) {
  return String(value).replace("-", "−");
}

/** From a low and a high value to pixels; a logarithmic scale takes infinity as far above. */
function scale(low, high, from, to, log = false) {
  const turn = log ? (value) => Math.log10(Math.max(value, 1e-320)) : (value) => value;
  const [first, last] = [turn(low), turn(high)];
  return (value) => {
    const share = (turn(Math.min(value, Number.MAX_VALUE)) - first) / (last - first);
    return from + Math.max(-20, Math.min(20, share)) * (to - from);
  };
}

/** Decades that hold all the values: the axis follows a loss that grows. */
function decades(values) {
  const seen = values.filter((value) => value > 0).map((value) => Math.min(value, LARGEST));
  const low = Math.floor(Math.log10(Math.min(...seen) / 1.2)), high = Math.ceil(Math.log10(Math.max(...seen) * 1.2));
  return [low, high];
}

function polyline(points, kind) {
  const text = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return `<polyline class="${kind}" points="${text}"/>`;
}

function text(x, y, words, anchor = "start", kind = "") {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" class="${kind}">${words}</text>`;
}

function circle([x, y], radius, kind) {
  return `<circle class="${kind}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}"/>`;
}

/** What is drawn inside the axes, cut off so many pixels outside of them. */
function clipped(id, { left, right, top, bottom }, beyond, lines) {
  const [width, height] = [right - left + 2 * beyond, bottom - top + 2 * beyond];
  const box = `<rect x="${left - beyond}" y="${top - beyond}" width="${width}" height="${height}"/>`;
  return `<clipPath id="${id}">${box}</clipPath><g clip-path="url(#${id})">${lines.join("")}</g>`;
}

/** Where the axes are in a drawing of some size. */
function frameOf(width, height) {
  return { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
}

function ticksOfEpochs(epochs) {
  const step = [1, 2, 5, 10, 20, 50].find((width) => epochs / width <= 7);
  return Array.from({ length: Math.floor(epochs / step) + 1 }, (_, k) => k * step);
}

/** Loss against epoch: predicted (up to `highest`, then it leaves), floor, and what has been measured so far. */
function drawCurves({ width, height, epochs, predicted, highest, floor, least, losses, now, words }) {
  const [low, high] = decades([...predicted.map((loss) => Math.min(loss, highest)), ...losses, least, now.loss]);
  const frame = frameOf(width, height), { left, right, top, bottom } = frame;
  const x = scale(0, epochs, left, right), y = scale(10 ** low, 10 ** high, bottom, top, true);
  const at = (epoch, loss) => [x(epoch), y(loss)];
  const known = predicted.map((loss, epoch) => [epoch, loss]).filter(([, loss]) => !Number.isNaN(loss));
  const measured = losses.map((loss, epoch) => at(epoch, loss)), last = at(now.epoch, now.loss);
  const lines = [
    Number.isFinite(floor) ? polyline([at(0, floor), at(epochs, floor)], "floor") : "",
    polyline(known.map(([epoch, loss]) => at(epoch, loss)), "predicted"),
    polyline([...measured, last], "measured"),
    ...measured.map((point) => circle(point, 3.2, "dot")),
    circle(last, 5, "now"),
  ];
  const leaves = predicted[epochs] > 10 ** high ? text(right, top + 24, words.leaves, "end", "name") : "";
  return [
    ...lossTicks(low, high, frame, y), ...ticksOfEpochs(epochs).map((tick) => text(x(tick), bottom + 17, tick, "middle")),
    text(right, bottom + 34, words.epoch, "end", "name"), text(left + 6, top + 10, words.loss, "start", "name"), leaves,
    clipped("curves-box", frame, 7, lines),
  ].join("");
}

function lossTicks(low, high, { left, right }, y) {
  const every = Math.max(1, Math.ceil((high - low) / 7)), parts = [];
  for (let power = Math.ceil(low / every) * every; power <= high; power += every) {
    const height = y(10 ** power), words = power >= -2 && power <= 3 ? formatNumber(10 ** power) : powerOfTen(power);
    parts.push(`<line class="grid" x1="${left}" x2="${right}" y1="${height}" y2="${height}"/>`);
    parts.push(text(left - 6, height + 4, words, "end"));
  }
  return parts;
}

/** The loss over (w₁, w₂) with the bias at its best: L* + ½ (w − w*)ᵀ S (w − w*), S the covariance of the features. */
function bowlOf({ rows, n, optimum }) {
  const mean = [0, 1].map((j) => rows.reduce((sum, row) => sum + row[j], 0) / n);
  const S = square(2, (a, b) => rows.reduce((sum, row) => sum + (row[a] - mean[a]) * (row[b] - mean[b]), 0) / n);
  return { best: optimum.slice(0, 2), S, eigen: symmetricEigen(S) };
}

/** A window of the same scale on both axes that holds start and optimum, and more where the path goes further. */
function windowOf(path, width, height) {
  const inner = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
  const middle = [0.8, -1.7];
  let reach = 3.1;
  const away = path.map((theta) => Math.max(Math.abs(theta[0] - middle[0]), Math.abs(theta[1] - middle[1])));
  const far = Math.min(Math.max(...away.filter(Number.isFinite)) * 1.1, 50);
  while (reach < far) reach *= Math.SQRT2;
  const unit = Math.min(...inner) / (2 * reach);
  const half = inner.map((length) => length / (2 * unit));
  const low = middle.map((at, j) => at - half[j]), high = middle.map((at, j) => at + half[j]);
  const bottom = height - MARGIN.bottom;
  const place = ([a, b]) => [MARGIN.left + (a - low[0]) * unit, bottom - (b - low[1]) * unit];
  const weightsAt = (x, y) => [low[0] + (x - MARGIN.left) / unit, low[1] + (bottom - y) / unit];
  return { low, high, unit, place, weightsAt };
}

/** Contours of the loss and the path of the weights over them. */
function drawBowl({ width, height, bowl, path, view, words }) {
  const frame = frameOf(width, height), { left, right, top, bottom } = frame;
  const shown = thinned(untilLost(path, view)).map(view.place), start = shown[0], best = view.place(bowl.best);
  const lines = [
    ...rings(bowl, path[0], view),
    polyline(shown, "path"),
    ...shown.slice(1, DOTTED_STEPS).map((point) => circle(point, 2, "dot")),
    circle(best, 6, "best"), text(best[0] + 10, best[1] + 14, "w*", "start", "name"),
    circle(start, 4, "start"), text(start[0] + 9, start[1] - 7, words.start, "start", "name"),
    circle(shown[shown.length - 1], 5, "now"),
  ];
  return [
    `<rect class="frame" x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/>`,
    ...weightTicks(view, 0).map((tick) => text(view.place([tick, 0])[0], bottom + 17, signed(tick), "middle")),
    ...weightTicks(view, 1).map((tick) => text(left - 6, view.place([0, tick])[1] + 4, signed(tick), "end")),
    text(right, bottom + 34, "w₁", "end", "name"), text(left + 6, top + 12, "w₂", "start", "name"),
    clipped("bowl-box", frame, 0, lines),
  ].join("");
}

/** Round values along one axis, not too near to one another. */
function weightTicks({ low, high, unit }, axis) {
  const step = [1, 2, 5, 10, 20].find((length) => length * unit > 36) ?? 50;
  const first = Math.ceil(low[axis] / step), last = Math.floor(high[axis] / step);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}

/** Ellipses of equal loss, in steps of the start's distance: w* + r S^(−½) (cos t, sin t). */
function rings({ best, S, eigen }, start, { place, unit }) {
  const away = [start[0] - best[0], start[1] - best[1]], r = Math.sqrt(dot(away, times(S, away)));
  const [cx, cy] = place(best);
  const angle = (-Math.atan2(eigen.vectors[0][1], eigen.vectors[0][0]) * 180) / Math.PI;
  return RINGS.map((share) => {
    const [rx, ry] = eigen.values.map((value) => ((share * r) / Math.sqrt(value)) * unit);
    return `<ellipse class="ring" cx="${cx}" cy="${cy}" rx="${rx}" ry="${ry}" transform="rotate(${angle} ${cx} ${cy})"/>`;
  });
}

/** The path up to the step that leaves the window for good. */
function untilLost(path, { low, high }) {
  const isInside = (theta) => [0, 1].every((j) => theta[j] >= low[j] && theta[j] <= high[j]);
  let last = path.length - 1;
  while (last > 0 && !isInside(path[last])) last -= 1;
  return path.slice(0, last + 2).filter((theta) => theta.every(Number.isFinite));
}

/** As many points of a long path as can be told apart: the first ones, then some of the others, and the last. */
function thinned(path) {
  if (path.length <= MOST_POINTS) return path;
  const every = Math.ceil(path.length / (MOST_POINTS / 2));
  return path.filter((_, t) => t < MOST_POINTS / 2 || t % every === 0 || t === path.length - 1);
}
