// The limit of a typical run: where the mean log growth per step of simulated runs crosses 0. It has no closed form.
// The search, the random numbers and so the result are those of learnrate.theory.typical_run, growth and rare_rows.

const RATES_AT_ONCE = 12, SPAN = 2.5, TRIES = 24, QUICK_STEPS = 64, AT_ONCE = 1.1, LEAST_ERROR = 0.005;
const SLOW_ERROR = 0.1, FURTHER = 1.15, WIDENED = 2, SHORT_BLOCK = 32, WORN = 4, TOGETHER = 32, FEWEST_STEPS = 256, VISITS = 8, STEP_COST = 2.5e4, ENTRY_COST = 0.7, RUN_COST = 4e7;
const FEW_RUNS = 8, LONGEST_STEP = 7e5, RARE = 25, RARE_ROWS = 24, RARE_VISITS = 6, SIMULATION_SEED = 0;
const drawnMinibatches = new Map();

/** Search for the limit; yields between pieces of work, and returns { value, error } or { value: null }. */
function* typicalLimit(theory) {
  const { modes, batchSize: B, limit } = theory, { n, lambda } = modes;
  if (B >= n) return { value: 2 / lambda[2], error: null };
  if (stepCost(B, RATES_AT_ONCE, FEW_RUNS) > LONGEST_STEP) return { value: null };
  const length = Math.floor(Math.max(
    FEWEST_STEPS, Math.min(VISITS * Math.ceil(n / B), RUN_COST / stepCost(B, RATES_AT_ONCE, 16)),
  ));
  if (rareRowsDecide(theory, limit * AT_ONCE, length)) return { value: null };
  let [low, high, quick, widened] = [limit / 1.02, limit * SPAN, true, 0];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const lrs = geometric(low, high, RATES_AT_ONCE);
    const growth = yield* measureGrowth(theory, lrs, !quick, quick ? QUICK_STEPS : length);
    const first = growth.mean.findIndex((mean, k) => mean > 2 * growth.error[k]);
    const k = first < 0 ? RATES_AT_ONCE : first;
    if (k > 0 && k < RATES_AT_ONCE && !quick) {
      if (!(growth.mean[0] > -2 * growth.error[0] && widened < WIDENED)) return settledCrossing(theory, lrs, growth, k, length);
      [low, high, widened] = [low / FURTHER, lrs[Math.min(k + 1, RATES_AT_ONCE - 1)], widened + 1];
      continue; // it may lie below
    }
    if (k > 0 && k < RATES_AT_ONCE) {
      [low, high, quick] = [lrs[Math.max(k - 3, 0)], lrs[Math.min(k + 1, RATES_AT_ONCE - 1)], false];
    } else {
      const ratio = high / low > 1.25 ? (0.8 * high) / low : high / low;
      [low, high] = k === 0 ? [low / ratio, high / ratio] : [low * ratio, high * ratio];
    }
  }
  return { value: null };
}

function geometric(low, high, count) {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const inside = (k) => 10 ** (from + (k * (to - from)) / (count - 1));
  return Array.from({ length: count }, (_, k) => (k === 0 ? low : k === count - 1 ? high : inside(k)));
}

/** About the nanoseconds that NumPy takes for a step: learnrate chooses the length of its runs by it. */
function stepCost(B, rates, runs) {
  return STEP_COST + ENTRY_COST * runs * 3 * (2 * B * rates + rates + B);
}

function settledCrossing(theory, lrs, growth, k, length) {
  const { value, error: measured } = crossing(lrs, growth, k);
  const left = Math.exp(-0.5 * value * theory.modes.lambda[0] * length); // of the slowest direction
  const error = Math.max(measured, LEAST_ERROR * value, SLOW_ERROR * left * value);
  if (rareRowsDecide(theory, value - 2 * error, length)) return { value: null };
  return { value: Math.max(value, theory.limit), error }; // what settles on average settles in a typical run
}

/** Where the growth crosses 0 at or before the rate k, and the standard error of that: one run left out at a time. */
function crossing(lrs, { mean, error, runs, late }, k) {
  const x = lrs.map(Math.log), many = runs.length;
  const [root, at] = rootNear(x, mean, k), value = Math.exp(root);
  const squares = runs.map((one) => {
    const others = mean.map((all, i) => (many * all - one[i]) / (many - 1));
    return (rootNear(x, others, at)[0] - root) ** 2;
  });
  const scatter = value * Math.sqrt((many - 1) * squares.reduce((sum, square) => sum + square / many, 0));
  const spread = Math.hypot(scatter, value * (rootNear(x, late, at)[0] - root));
  // Rates at which neither growing nor shrinking is sure.
  const surely = rootNear(x, mean.map((all, i) => all - 2 * error[i]), at)[0];
  const perhaps = firstRoot(x, mean.map((all, i) => all + 2 * error[i]));
  return { value, error: Math.max(spread, 0.5 * value * Math.max(surely - root, root - perhaps)) };
}

/** The first zero of a function that is piecewise linear in x. */
function firstRoot(x, values) {
  const k = values.findIndex((value) => value > 0);
  return k <= 0 ? x[0] : rootNear(x, values, k)[0];
}

/** Zero of a function that is piecewise linear in x, nearest to x_k, and the first point beyond it. */
function rootNear(x, mean, k) {
  while (k > 1 && mean[k - 1] > 0) k -= 1;
  while (k < x.length - 1 && mean[k] <= 0) k += 1;
  const below = Math.min(mean[k - 1], 0), part = below === 0 ? 0 : -below / Math.max(mean[k] - below, -below);
  return [x[k - 1] + part * (x[k] - x[k - 1]), k];
}

/**
 * Mean log growth per step and its standard error, for each rate: δ ← (I − ηH_t) δ with H_t of one minibatch, many runs,
 * the same minibatches for every rate. In coordinates in which length is the square root of the loss.
 */
function* measureGrowth({ modes, batchSize: B }, lrs, shuffled, steps) {
  const { n, lambda } = modes, K = lrs.length, perEpoch = Math.ceil(n / B);
  const runs = Math.max(8, Math.min(32, Math.floor(320 / B), Math.floor(4000 / (3 * B))));
  const shuffle = shuffled && perEpoch <= steps;
  const block = shuffle ? perEpoch : Math.min(SHORT_BLOCK, steps);
  const blocks = Math.max(1, shuffle ? roundHalfEven(steps / perEpoch) : Math.floor(steps / block));
  const worn = shuffle ? 2 : Math.max(1, Math.min(roundHalfEven((WORN * perEpoch) / block), Math.floor(blocks / 2)));
  const minibatches = kept(drawnMinibatches, `${n} ${B} ${shuffle}`, () => new Minibatches(n, B, runs, shuffle), 6);
  const rows = modes.Z.map((z) => z.map((value, a) => value / Math.sqrt(lambda[a])));
  const products = new Products(runs, lrs, modes);
  const growth = [];
  for (let t = 0; t < (blocks + worn) * block; t++) {
    const order = minibatches.at(t);
    for (let run = 0; run < runs; run++) products.step(run, minibatchGram(rows, order, run * B, B));
    if ((t + 1) % 4 === 0) products.renormalise();
    if ((t + 1) % block === 0) {
      const grown = products.takeLogGrowth();
      if (t >= worn * block) growth.push(grown); // the first blocks only turn the directions
    }
    yield;
  }
  return growthStatistics(growth, runs, K, block);
}

function roundHalfEven(value) {
  const whole = Math.floor(value);
  return value - whole === 0.5 ? whole + (whole % 2) : Math.round(value);
}

/** H of one minibatch: its six different entries. */
function minibatchGram(rows, order, first, B) {
  let [aa, ab, ac, bb, bc, cc] = [0, 0, 0, 0, 0, 0];
  for (let k = first; k < first + B; k++) {
    const [a, b, c] = rows[order[k]];
    aa += a * a; ab += a * b; ac += a * c; bb += b * b; bc += b * c; cc += c * c;
  }
  return [aa / B, ab / B, ac / B, bb / B, bc / B, cc / B];
}

/** Vectors under products of random matrices, one for each run and rate. */
class Products {
  constructor(runs, lrs, { lambda, Q }) {
    const drawn = new Generator([SIMULATION_SEED, 1]).normals(3 * runs), K = lrs.length;
    Object.assign(this, { runs, K, delta: new Float64Array(3 * runs * K), log: new Float64Array(runs * K) });
    this.pull = lrs.map((lr) => lambda.map((value) => lr * value));
    for (let run = 0; run < runs; run++) {
      const start = times(Q, drawn.subarray(3 * run, 3 * run + 3));
      for (let k = 0; k < K; k++) this.delta.set(start, 3 * (run * K + k));
    }
  }

  step(run, [aa, ab, ac, bb, bc, cc]) {
    const { delta, pull, K } = this;
    for (let k = 0; k < K; k++) {
      const at = 3 * (run * K + k), x = delta[at], y = delta[at + 1], z = delta[at + 2], [p, q, r] = pull[k];
      delta[at] = x - p * (aa * x + ab * y + ac * z);
      delta[at + 1] = y - q * (ab * x + bb * y + bc * z);
      delta[at + 2] = z - r * (ac * x + bc * y + cc * z);
    }
  }

  renormalise() {
    const { delta, log } = this;
    for (let i = 0; i < log.length; i++) {
      const length = Math.hypot(delta[3 * i], delta[3 * i + 1], delta[3 * i + 2]);
      for (let j = 0; j < 3; j++) delta[3 * i + j] /= length;
      log[i] += Math.log(length);
    }
  }

  takeLogGrowth() {
    this.renormalise();
    const taken = this.log;
    this.log = new Float64Array(taken.length);
    return taken;
  }
}

function growthStatistics(growth, runs, K, block) {
  const blocks = growth.length, half = Math.floor(blocks / 2), mean = [], error = [], late = [], each = Array.from({ length: runs }, () => []);
  for (let k = 0; k < K; k++) {
    const ofRuns = new Float64Array(runs);
    let sum = 0, squares = 0;
    for (let run = 0; run < runs; run++) {
      for (const grown of growth) ofRuns[run] += grown[run * K + k] / blocks;
      sum += ofRuns[run] / runs;
    }
    for (const grown of growth) for (let run = 0; run < runs; run++) squares += (grown[run * K + k] - sum) ** 2;
    ofRuns.forEach((grown, run) => each[run].push(grown / block));
    const variance = squares / (blocks * runs) / block;
    let later = 0;
    for (const grown of growth.slice(half)) for (let run = 0; run < runs; run++) later += grown[run * K + k];
    late.push(later / ((blocks - half) * runs) / block);
    const between = Math.sqrt(ofRuns.reduce((total, value) => total + (value - sum) ** 2, 0) / (runs - 1));
    mean.push(sum / block);
    error.push(Math.max(Math.sqrt(variance / (blocks * block * runs)), between / block / Math.sqrt(runs)));
  }
  return { mean, error, runs: each, late };
}

/** Minibatches of many runs, step by step: indices of all runs one after the other. Drawn once, whatever the rates. */
class Minibatches {
  constructor(n, B, runs, shuffle) {
    this.drawn = [];
    this.source = (shuffle ? shuffledOrders : independentOrders)(n, B, runs, new Generator([SIMULATION_SEED]));
  }

  at(step) {
    while (this.drawn.length <= step) this.drawn.push(this.source.next().value);
    return this.drawn[step];
  }
}

/** Every run walks through permutations of its own. */
function* shuffledOrders(n, B, runs, generator) {
  for (;;) {
    const orders = Array.from({ length: runs }, () => generator.permutation(n));
    for (let first = 0; first < n; first += B) {
      yield Int16Array.from({ length: runs * B }, (_, i) => orders[Math.floor(i / B)][first + (i % B)]);
    }
  }
}

/** One minibatch for each run and step, each without replacement. */
function* independentOrders(n, B, runs, generator) {
  while (n >= RARE * B * B) yield* manySteps(n, B, runs, generator);
  const together = Math.floor(n / B);
  if (runs <= together) for (;;) yield Int16Array.from(generator.choice(n, runs * B));
  const permutations = Math.ceil(runs / together);
  for (;;) {
    const drawn = new Int16Array(permutations * together * B);
    for (let i = 0; i < permutations; i++) drawn.set(generator.permutation(n).subarray(0, together * B), i * together * B);
    yield drawn.subarray(0, runs * B);
  }
}

/** Many steps at once, where minibatches that hold an example twice are so rare that they are drawn again. */
function* manySteps(n, B, runs, generator) {
  const drawn = Int16Array.from({ length: TOGETHER * runs * B }, () => generator.upTo(n - 1));
  const hasTwins = (at) => new Set(drawn.subarray(at * B, (at + 1) * B)).size < B;
  let again = Array.from({ length: TOGETHER * runs }, (_, at) => at).filter(hasTwins);
  while (again.length) {
    for (const at of again) for (let k = 0; k < B; k++) drawn[at * B + k] = generator.upTo(n - 1);
    again = again.filter(hasTwins);
  }
  for (let step = 0; step < TOGETHER; step++) yield drawn.subarray(step * runs * B, (step + 1) * runs * B);
}

/** Whether rows that a simulated run meets too seldom would decide what a typical run does. */
function rareRowsDecide({ modes, batchSize: B }, lr, steps) {
  const { n, rows, Z } = modes, columns = [0, 0];
  for (const row of rows) for (let j = 0; j < 2; j++) columns[j] += row[j] ** 2;
  const leverage = rows.map((row) => row[0] ** 2 / columns[0] + row[1] ** 2 / columns[1]);
  const strongest = [...leverage.keys()].sort((i, j) => leverage[j] - leverage[i]).slice(0, Math.min(RARE_ROWS, n));
  return strongest.some((i) => {
    const square = dot(Z[i], Z[i]);
    let fourth = 0, second = 0;
    for (const z of Z) {
      const along = dot(z, Z[i]) ** 2 / square;
      second += along;
      fourth += along * along;
    }
    const alike = fourth / square ** 2, each = (B / n) * alike;
    const beside = Math.max(second / n - (alike * square) / n, 0);
    const grows = each * Math.log(Math.abs(1 - (lr * square) / B)) + Math.log(Math.abs(1 - lr * beside));
    return each * steps < RARE_VISITS && grows > 0;
  });
}
