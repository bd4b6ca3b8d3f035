// What is shown of the settings, the prediction and the run.

function showRate(set, all) {
  find("rate").textContent = formatNumber(set.lr);
  find("eta").value = state.rate;
  find("eta").setAttribute("aria-valuetext", formatNumber(set.lr));
  for (const name of ["batch", "stretch", "epochs", "noise"]) find(name).value = state[name];
  find("batch-value").textContent = set.batchSize;
  find("epochs-value").textContent = set.epochs;
  find("noise-value").textContent = set.noise;
  find("stretch-value").textContent = `×${set.stretch}`;
  showTrack(set, all);
}

/** The track in the colours of the zones, and the limits marked on it. */
function showTrack(set, all) {
  const width = find("eta").clientWidth;
  const key = JSON.stringify([{ ...set, lr: 0, seed: 0 }, all.typical, state.lang, width]);
  if (key === shownTrack) return;
  shownTrack = key;
  const zones = [];
  for (let i = 0; i <= TRACK_POINTS; i++) {
    const lr = LOWEST_RATE * (HIGHEST_RATE / LOWEST_RATE) ** (i / TRACK_POINTS);
    const { zone } = judge(all, lr, set.epochs), last = zones[zones.length - 1];
    if (!last || last.zone !== zone) zones.push({ zone, from: last ? edgeBetween(all, set.epochs, i, last.zone) : 0 });
  }
  zones.forEach((part, k) => { part.to = k + 1 < zones.length ? zones[k + 1].from : 1; });
  const at = (share) => `calc(var(--thumb) / 2 + (100% - var(--thumb)) * ${share.toFixed(4)})`;
  const stops = zones.map(({ zone, from, to }) => `var(--${zone}) ${at(from)} ${at(to)}`);
  find("eta").style.setProperty("--track", `linear-gradient(to right, ${stops.join(", ")})`);
  const letter = state.lang === "zh" ? 14.5 : 8.5;
  find("zones").innerHTML = zones.filter(({ zone, from, to }) => (to - from) * width > 7 + letter * say(zone).length)
    .map(({ zone, from, to }) => `<span style="left:${at(0.5 * (from + to))}">${say(zone)}</span>`).join("");
  const limits = { limit: all.limit, typical: all.typical.value, full: all.fullBatchLimit };
  const isOnTrack = ([, value]) => value !== null && value < HIGHEST_RATE && value > LOWEST_RATE;
  find("marks").innerHTML = Object.entries(limits).filter(isOnTrack)
    .map(([name, value]) => `<i class="mark ${name}" style="left:${at(positionOf(value))}"></i>`).join("");
}

/** Where on the track a zone ends, between the points i − 1 and i: by halving. */
function edgeBetween(all, epochs, i, zone) {
  let [low, high] = [(i - 1) / TRACK_POINTS, i / TRACK_POINTS];
  for (let halving = 0; halving < 5; halving++) {
    const middle = 0.5 * (low + high);
    if (judge(all, LOWEST_RATE * (HIGHEST_RATE / LOWEST_RATE) ** middle, epochs).zone === zone) low = middle;
    else high = middle;
  }
  return high;
}

function showVerdict(set, { zone, floor }, predicted, all) {
  const { limit, typical } = all, arrives = set.lr < limit ? epochsToArrive(all, set.lr, floor) : Infinity;
  const least = theory.modes.leastLoss, end = predicted[set.epochs];
  const values = {
    epochs: epochsInWords(set.epochs), more: epochsInWords(arrives - set.epochs), arrives: epochsInWords(arrives),
    end: numberOrUnknown(end, 2), floor: formatNumber(floor, 2), limit: formatNumber(limit),
    typical: formatNumber(typical.value ?? NaN), above: formatNumber(100 * (floor / least - 1), 2),
    factor: formatNumber(end / predicted[0], 2),
  };
  find("verdict").className = zone;
  find("zone").textContent = say(zone);
  const expected = zone === "diverges" && Number.isFinite(end) ? ` ${say("expected_growth", values)}` : "";
  const sure = zone === "noisy" && Number.isNaN(floor) ? "_unsure" : "";
  find("sentence").textContent = say(`${zone}${sure}_sentence`, values) + expected;
  const measured = state.at === totalSteps(set) ? formatNumber(run.losses[set.epochs], 2) : "…";
  const isOdd = zone === "borderline" && floor === Infinity;
  find("why").textContent = isOdd ? say("why_infinite", { end: values.end, measured }) : "";
}

/** A number, or words where it is not known. */
function numberOrUnknown(value, digits = 3) {
  return Number.isNaN(value) ? say("not_known") : formatNumber(value, digits);
}

/** "1 epoch", "400 epochs": up, and to two digits. */
function epochsInWords(count) {
  const rounded = Math.max(1, Number(Math.ceil(count).toPrecision(2)));
  return say(rounded === 1 ? "one_epoch" : "epochs_of", { count: rounded });
}

function showDrawings(set, verdict, predicted) {
  const stepsPerEpoch = Math.ceil(EXAMPLES / set.batchSize);
  const theta = run.path[state.at], done = Math.floor(state.at / stepsPerEpoch);
  const now = { epoch: state.at / stepsPerEpoch, loss: meanLoss(theory.examples, theta) };
  const words = Object.fromEntries(["epoch", "loss", "start"].map((key) => [key, say(key)]));
  words.leaves = say("leaves", { end: formatNumber(predicted[set.epochs], 2) });
  const losses = run.losses.slice(0, done + 1);
  // Where most runs converge the mean over all must not squeeze the one that is seen.
  const highest = verdict.zone === "borderline" ? 1e6 * predicted[0] : Infinity;
  const { floor } = verdict, least = theory.modes.leastLoss;
  fill("curves", { epochs: set.epochs, predicted, highest, floor, least, losses, now, words }, drawCurves);
  showBowl(words);
}

/** The contours, the path, and the handle on its start. The window stays while the start is dragged. */
function showBowl(words) {
  const { clientWidth: width, clientHeight: height } = find("bowl").parentElement;
  const path = run.path.slice(0, state.at + 1);
  if (!dragged || !view) view = windowOf(path, width, height);
  fill("bowl", { bowl: theory.bowl, path, view, words }, drawBowl);
  const [x, y] = view.place(path[0]);
  Object.assign(find("handle").style, { left: `${x}px`, top: `${y}px` });
}

function fill(id, content, draw) {
  const svg = find(id), { clientWidth: width, clientHeight: height } = svg.parentElement;
  if (width < 100) return; // not laid out yet
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.innerHTML = `<title>${say(`${id}_alt`)}</title>${draw({ width, height, ...content })}`;
}

function showNumbers(set, { floor }, predicted, { limit, typical, fullBatchLimit }, total) {
  const done = state.at === total, stepsPerEpoch = Math.ceil(EXAMPLES / set.batchSize);
  const numbers = {
    predicted: numberOrUnknown(predicted[set.epochs]), floor: numberOrUnknown(floor),
    measured: done ? formatNumber(run.losses[set.epochs]) : "–",
    limit: formatNumber(limit), full: formatNumber(fullBatchLimit),
    typical: typical.value === null ? say("not_known") : `${typical.guessed ? "≈ " : ""}${formatNumber(typical.value)}`,
  };
  for (const [name, value] of Object.entries(numbers)) find(`${name}-number`).textContent = value;
  const epoch = (state.at / stepsPerEpoch).toFixed(state.at % stepsPerEpoch ? 2 : 0);
  find("status").textContent = say("status", { step: state.at, total, epoch });
  find("step").disabled = done;
  find("run").textContent = say(running ? "pause" : done ? "again" : "run");
  find("python").textContent = pythonOf(set);
}

/** The same in Python, to the same digits. */
function pythonOf({ lr, batchSize, noise, epochs, stretch, seed, weights }) {
  const data = noise === 0.01 ? "learnrate.note_data()" : `learnrate.note_data(noise=${noise})`;
  const features = stretch === 1 ? "X" : `X * [${stretch}, 1]`;
  if (weights) {
    return `import numpy as np

import learnrate

X, y = ${data}
theory = learnrate.theory.analyse(${features}, y, ${batchSize})
predicted = theory.curve(np.array([${lr}]), ${epochs}, weights=np.array([${weights.join(", ")}]))
print(theory.limit.value, theory.typical_limit.value, theory.floor(np.array([${lr}])).losses, predicted.losses[0, -1])`;
  }
  return `import learnrate

X, y = ${data}
result = learnrate.sweep(${features}, y, lrs=[${lr}], batch_size=${batchSize}, epochs=${epochs}, seed=${seed})
print(result.limit, result.typical_limit, result.floors, result.predicted[0, -1], result.losses[0, 0, -1])`;
}
