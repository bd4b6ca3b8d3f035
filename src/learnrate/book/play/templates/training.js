// The experiment: examples, start, order of the minibatches, and the steps. Streams are those of learnrate.data.

const STREAMS = { weights: 0, order: 1, examples: 2 };
const TRUE_WEIGHTS = [2, -3.4], TRUE_BIAS = 4.2, INITIAL_SCALE = 0.01;
const drawnExamples = new Map(), drawnOrders = new Map();

/** Keep what is quick to look up and slow to draw; the oldest goes when there are more than `most`. */
function kept(map, key, make, most = 64) {
  if (!map.has(key)) {
    if (map.size >= most) map.delete(map.keys().next().value);
    map.set(key, make());
  }
  return map.get(key);
}

/**
 * `learnrate.note_data(n, noise=noise)` with the first feature multiplied by `stretch`: rows (x₁, x₂, 1), and labels
 * `y = 2 x₁ − 3.4 x₂ + 4.2 + noise`, of the features before they were stretched.
 */
function makeExamples({ n, noise, stretch = 1, seed = 0 }) {
  const draws = kept(drawnExamples, `${n} ${seed}`, () => new Generator([seed, STREAMS.examples]).normals(3 * n));
  const rows = [], y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const [a, b] = [draws[2 * i], draws[2 * i + 1]];
    y[i] = a * TRUE_WEIGHTS[0] + b * TRUE_WEIGHTS[1] + TRUE_BIAS + noise * draws[2 * n + i];
    rows.push([a * stretch, b, 1]);
  }
  return { n, rows, y };
}

/** θ = (w₁, w₂, b) before training: `w ~ N(0, 0.01²)`, `b = 0`. */
function startOf(seed) {
  const [w1, w2] = new Generator([seed, STREAMS.weights]).normals(2);
  return [INITIAL_SCALE * w1, INITIAL_SCALE * w2, 0];
}

/** The order in which an epoch visits the examples: `learnrate.data.epoch_order`. */
function epochOrder(n, seed, epoch) {
  return kept(drawnOrders, `${n} ${seed} ${epoch}`, () =>
    new Generator([seed, STREAMS.order]).advance(BigInt(epoch) << 64n).permutation(n));
}

/** Mean over the examples of ½(x·w + b − y)². */
function meanLoss({ n, rows, y }, theta) {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const error = dot(rows[i], theta) - y[i];
    sum += error * error;
  }
  const loss = sum / (2 * n);
  return Number.isNaN(loss) ? Infinity : loss;
}

/** One run, from weights that are given or drawn: θ after every step so far, and the loss at the start and after every epoch so far. */
class Run {
  constructor(examples, { lr, batchSize, seed, weights = null }) {
    Object.assign(this, { examples, lr, batchSize, seed, stepsPerEpoch: Math.ceil(examples.n / batchSize) });
    this.path = [weights ? [...weights, 0] : startOf(seed)];
    this.losses = [meanLoss(examples, this.path[0])];
  }

  /** Train until so many steps are done. */
  advanceTo(steps) {
    while (this.path.length <= steps) {
      const done = this.path.length;
      this.path.push(this.step(done - 1));
      if (done % this.stepsPerEpoch === 0) this.losses.push(meanLoss(this.examples, this.path[done]));
    }
  }

  /** θ ← θ − η/|B| Σ x̃ᵢ (x̃ᵢ·θ − yᵢ), over the minibatch of a step. */
  step(number) {
    const { rows, y, n } = this.examples;
    const order = epochOrder(n, this.seed, Math.floor(number / this.stepsPerEpoch));
    const first = (number % this.stepsPerEpoch) * this.batchSize;
    const theta = this.path[number], pull = [0, 0, 0];
    for (let k = first; k < Math.min(first + this.batchSize, n); k++) {
      const row = rows[order[k]], error = dot(row, theta) - y[order[k]];
      for (let j = 0; j < 3; j++) pull[j] += row[j] * error;
    }
    return theta.map((value, j) => value - (this.lr / this.batchSize) * pull[j]);
  }
}
