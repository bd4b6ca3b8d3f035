// The page: what is set, what follows from it, and what is shown.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const LOWEST_RATE = 1e-3, HIGHEST_RATE = 3, POSITIONS = 240, NOTE_RATES = [0.01, 0.02, 0.03, 0.04];
const RATES = makeRates();
const BATCHES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const NOISES = [0.01, 0.03, 0.1, 0.3, 1];
const EPOCHS = [1, 2, 3, 5, 10, 20, 30];
const STRETCHES = Array.from({ length: 41 }, (_, i) => Number((10 ** (i / 40)).toPrecision(2)));
const EXAMPLES = 1000, ANIMATION_MS = 2400, SLICE_MS = 6, TRACK_POINTS = 120;
const find = (id) => document.getElementById(id);

const state = { lang: "en", rate: RATES.indexOf(0.03), batch: 3, noise: 0, epochs: 2, stretch: 0, seed: 0, weights: null, at: 0 };
let theory = null, run = null, search = null, running = null, shownTrack = null, view = null, dragged = false;
const analysed = new Map();
let typicalOverLimit = 1.2; // of the examples before, until that of these is found

/** Evenly spread on a logarithmic scale, with the note's own rates among them. */
function makeRates() {
  const spread = (i) => Number((LOWEST_RATE * (HIGHEST_RATE / LOWEST_RATE) ** (i / POSITIONS)).toPrecision(3));
  const rates = Array.from({ length: POSITIONS + 1 }, (_, i) => spread(i));
  for (const lr of NOTE_RATES) rates[Math.round(positionOf(lr) * POSITIONS)] = lr;
  return rates;
}

/** How far along the track a rate lies: 0 to 1. */
function positionOf(lr) {
  return Math.log(lr / LOWEST_RATE) / Math.log(HIGHEST_RATE / LOWEST_RATE);
}

function chosen() {
  return {
    lr: RATES[state.rate], batchSize: BATCHES[state.batch], noise: NOISES[state.noise], epochs: EPOCHS[state.epochs],
    stretch: STRETCHES[state.stretch], seed: state.seed, weights: state.weights,
  };
}

function totalSteps({ epochs, batchSize }) {
  return epochs * Math.ceil(EXAMPLES / batchSize);
}

function say(key, values = {}) {
  return Object.entries(values).reduce((words, [name, value]) => words.replaceAll(`[[${name}]]`, value), TEXTS[key][state.lang]);
}

/** Limits, floors and curves for the examples that are set; nothing is trained for them. */
function theoryOf({ noise, stretch, batchSize }) {
  return kept(analysed, `${noise} ${stretch} ${batchSize}`, () => {
    const examples = makeExamples({ n: EXAMPLES, noise, stretch }), found = analyse(examples, batchSize);
    return Object.assign(found, { examples, bowl: bowlOf(found.modes) });
  });
}

/** The theory for the start that is set. Until the limit of a typical run is found it is guessed from the one before. */
function known({ weights }) {
  const typical = theory.typical ?? { value: theory.limit * typicalOverLimit, error: null, guessed: true };
  return { ...theory, typical, start: startMoments(theory.modes, weights) };
}

/** Search for the typical-run limit in slices, so that the page goes on answering. */
function startSearch() {
  if (theory.typical || (search && search.theory === theory)) return;
  const mine = { theory, work: typicalLimit(theory) };
  search = mine;
  const slice = () => {
    if (search !== mine) return;
    const end = performance.now() + SLICE_MS;
    while (performance.now() < end) {
      const { done, value } = mine.work.next();
      if (!done) continue;
      mine.theory.typical = value;
      if (value.value !== null) typicalOverLimit = value.value / mine.theory.limit;
      search = null;
      show();
      return;
    }
    setTimeout(slice);
  };
  setTimeout(slice);
}

/** Everything anew from what is set. */
function show() {
  const set = chosen(), total = totalSteps(set);
  theory = theoryOf(set);
  const all = known(set), verdict = judge(all, set.lr, set.epochs);
  const predicted = predictedCurve(all, set.lr, set.epochs);
  state.at = Math.min(state.at, total);
  train(set);
  showRate(set, all);
  showVerdict(set, verdict, predicted, all);
  showDrawings(set, verdict, predicted);
  showNumbers(set, verdict, predicted, all, total);
  startSearch();
}

/** The run of these settings, trained as far as it is shown. */
function train(set) {
  const key = JSON.stringify([set.lr, set.batchSize, set.noise, set.stretch, set.seed, set.weights]);
  if (!run || run.key !== key) {
    run = new Run(theory.examples, set);
    run.key = key;
  }
  run.advanceTo(state.at);
}
