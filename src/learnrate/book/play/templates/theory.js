// What can be said before training. The equations, with their sources, are those of learnrate.theory; the names too.
// Minibatches divide the examples evenly: n is a multiple of B.

const SHUFFLE_WORK = 5e7, STEP_OVERHEAD = 2e4; // learnrate.theory.shuffled: beyond, a plainer recursion serves
const SCATTER = 0.7, ROUNDING = 1e-10, LEAST_UNMET = 1e-6; // there, too, and in learnrate.theory.directions
const STRONG = 24; // rows of largest leverage
const DOUBTFUL = 0.25; // what may be off by a larger part is not given

/**
 * The examples along the eigenvectors of H = (1/n) Σ x̃ x̃ᵀ: eigenvalues λ, eigenvectors Q (one a row), the optimum θ*,
 * z = Qᵀx̃ and ε = y − x̃ᵀθ* for each example, and the least loss L* = ½ mean ε².
 */
function modesOf({ n, rows, y }) {
  const gram = square(3, () => 0);
  for (const row of rows) {
    for (let a = 0; a < 3; a++) for (let b = a; b < 3; b++) gram[a][b] += row[a] * row[b];
  }
  const { values: lambda, vectors: Q } = symmetricEigen(square(3, (a, b) => gram[Math.min(a, b)][Math.max(a, b)] / n));
  const optimum = [0, 0, 0];
  let residuals = y;
  for (let refinement = 0; refinement < 3; refinement++) {
    const pull = [0, 0, 0];
    for (let i = 0; i < n; i++) for (let a = 0; a < 3; a++) pull[a] += (rows[i][a] * residuals[i]) / n;
    const along = times(Q, pull).map((value, a) => value / lambda[a]);
    times(transposed(Q), along).forEach((value, a) => { optimum[a] += value; });
    residuals = y.map((label, i) => label - dot(rows[i], optimum));
  }
  const leastLoss = dot(residuals, residuals) / (2 * n);
  return { n, rows, lambda, Q, optimum, residuals, leastLoss, Z: rows.map((row) => times(Q, row)) };
}

/**
 * Fourth moments along single eigenvectors: κ_ab = mean z_a² z_b² − G_ab², M_ab = mean ε z_a z_b², V_a = mean ε² z_a²,
 * and V with ε/(1 − h), the residual at the optimum of all other examples; h is the leverage.
 */
function directionsOf({ n, Z, residuals, lambda }) {
  const spread = square(3, () => 0), third = square(3, () => 0), noise = [0, 0, 0], unmet = [0, 0, 0], drift = [0, 0, 0];
  const leverages = [];
  for (let i = 0; i < n; i++) {
    const z = Z[i], pull = residuals[i];
    const leverage = z.reduce((sum, value, a) => sum + (value * value) / (n * lambda[a]), 0);
    leverages.push(leverage);
    const leftOut = pull / Math.max(1 - leverage, LEAST_UNMET);
    for (let a = 0; a < 3; a++) {
      noise[a] += (pull * z[a]) ** 2 / n;
      unmet[a] += (leftOut * z[a]) ** 2 / n;
      drift[a] += (leftOut * z[a]) / n;
      for (let b = 0; b < 3; b++) {
        spread[a][b] += (z[a] * z[b]) ** 2 / n;
        third[a][b] += (pull * z[a] * z[b] ** 2) / n;
      }
    }
  }
  for (let a = 0; a < 3; a++) spread[a][a] -= lambda[a] ** 2;
  const strong = [...leverages.keys()].sort((i, j) => leverages[j] - leverages[i]).slice(0, STRONG).map((i) => Z[i]);
  return { spread, third, noise, strong, noiseLeftOut: unmet.map((value, a) => value - drift[a] ** 2) };
}

/** The entries (a, b), a ≤ b, of a symmetric matrix, with the weights that keep lengths: 1, or √2 beside the diagonal. */
const PAIRS = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]].map(([a, b]) => ({ a, b, weight: a === b ? 1 : Math.SQRT2 }));

/** The fourth-moment operator on pairs: C(Σ) = mean (zᵀΣz) z zᵀ − GΣG, as a matrix. */
function pairCovariance({ n, Z, lambda }) {
  const C = square(6, () => 0), products = new Array(6);
  for (const z of Z) {
    for (let i = 0; i < 6; i++) products[i] = PAIRS[i].weight * z[PAIRS[i].a] * z[PAIRS[i].b];
    for (let i = 0; i < 6; i++) for (let j = i; j < 6; j++) C[i][j] += products[i] * products[j];
  }
  PAIRS.forEach(({ a, b }, i) => { C[i][i] -= n * lambda[a] * lambda[b]; });
  return square(6, (i, j) => C[Math.min(i, j)][Math.max(i, j)] / n);
}

/** p, the variance of a minibatch mean over that of one example. */
function batchVariance(n, B) {
  return n > 1 ? (n - B) / (B * (n - 1)) : 0;
}

/** 2/κ with κ = λmax(𝒞⁻¹𝒟), 𝒞(Σ) = ½(ΛΣ + ΣΛ), 𝒟(Σ) = ΛΣΛ + p C(Σ): up to here the average over runs settles. */
function meanSquareLimit({ lambda }, C, p) {
  const scale = PAIRS.map(({ a, b }) => 1 / Math.sqrt(0.5 * (lambda[a] + lambda[b])));
  const D = square(6, (i, j) => {
    const straight = i === j ? lambda[PAIRS[i].a] * lambda[PAIRS[i].b] : 0;
    return (straight + p * C[i][j]) * scale[i] * scale[j];
  });
  return 2 / symmetricEigen(D).values[5];
}

/** Everything about examples and a batch size that does not depend on the rate. The typical-run limit is found later. */
function analyse(examples, batchSize) {
  const modes = modesOf(examples), p = batchVariance(examples.n, batchSize), C = pairCovariance(modes);
  return {
    modes, batchSize, p, C, steps: Math.ceil(examples.n / batchSize), labels: dot(examples.y, examples.y) / examples.n,
    directions: directionsOf(modes), start: startMoments(modes),
    fullBatchLimit: 2 / modes.lambda[2],
    limit: p === 0 ? 2 / modes.lambda[2] : meanSquareLimit(modes, C, p),
    typical: null,
  };
}

/** Mean m and second moment Σ of δ = Qᵀ(θ − θ*) where training starts: at weights that are given, or w ~ N(0, 0.01²); b = 0. */
function startMoments({ Q, optimum }, weights = null) {
  const m = times(Q, optimum).map((value, a) => (weights ? dot(Q[a].slice(0, 2), weights) : 0) - value);
  if (weights) return { m, second: square(3, (a, b) => m[a] * m[b]) };
  const drawn = (a, b) => INITIAL_SCALE ** 2 * (Q[a][0] * Q[b][0] + Q[a][1] * Q[b][1]);
  return { m, second: square(3, (a, b) => m[a] * m[b] + drawn(a, b)) };
}

/**
 * Expected loss before training and after each of so many shuffled epochs: learnrate.theory.shuffled. NaN where the estimate
 * may be off by more than a quarter.
 */
function predictedCurve(theory, lr, epochs) {
  const { modes, steps, start: { m, second } } = theory, { lambda } = modes;
  const whole = Math.min(epochs, 3) * steps * (9 + STEP_OVERHEAD) <= SHUFFLE_WORK;
  const losses = (whole ? wearOff : wearOffIndependently)(theory, lr, second, epochs);
  const other = whole ? wearOff(theory, lr, second, epochs, false) : unscattered(theory, lr, second, epochs);
  const alone = rowsAlone(theory, lr, second, epochs);
  const level = labelNoise(theory, lr);
  let mean = m, noise = [0, 0, 0], doubt = [0, 0, 0], shift = [0, 0, 0];
  return losses.map((worn, epoch) => {
    let loss = worn, inDoubt = 0;
    if (epoch > 0) {
      mean = mean.map((value, a) => value * level.meanKept[a]);
      noise = noise.map((value, a) => level.kept[a] * value + level.rise[a]);
      doubt = doubt.map((value, a) => level.kept[a] * value + level.doubt[a]);
      shift = shift.map((value, a) => level.meanKept[a] * value + level.shift[a]);
      loss += excess(lambda, noise, shift, mean);
      inDoubt = (whole ? SCATTER : 1) * Math.abs(other[epoch] - worn) + Math.max(alone[epoch] - worn, 0) + 0.5 * dot(doubt, lambda);
    }
    return given(theory, finiteOrInfinite(modes.leastLoss + loss), inDoubt);
  });
}

/** A loss, or NaN where too large a part of it is in doubt; an infinite one is no estimate of a size. */
function given({ labels }, loss, doubt) {
  const sure = doubt === 0 || doubt / (loss + ROUNDING * labels) <= DOUBTFUL;
  return sure || loss === Infinity ? loss : NaN;
}

function finiteOrInfinite(loss) {
  return Number.isFinite(loss) ? Math.max(loss, 0) : Infinity;
}

/** Loss from the labels' noise: its variance, and its shift of the mean. */
function excess(lambda, noise, shift, mean) {
  let loss = 0;
  for (let a = 0; a < 3; a++) loss += lambda[a] * (0.5 * noise[a] + (mean[a] + 0.5 * shift[a]) * shift[a]);
  return loss;
}

/** How the start wears off: s_a = E δ_a² with the correlations F within a shuffled epoch, or without them. */
function wearOff(theory, lr, second, epochs, correlated = true) {
  const { lambda } = theory.modes;
  // An epoch is linear in s: for more than three of them it is worked out once for each direction.
  const worn = epochs > 3 ? [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((unit) => shuffledEpoch(theory, lr, unit, correlated)) : null;
  const epochOf = (s) => (worn ? times(transposed(worn), s) : shuffledEpoch(theory, lr, s, correlated));
  let s = second.map((row, a) => row[a]);
  const losses = [0.5 * dot(s, lambda)];
  for (let epoch = 0; epoch < epochs; epoch++) {
    s = epochOf(s).map((value) => Math.max(value, 0));
    losses.push(0.5 * dot(s, lambda));
  }
  return losses;
}

/**
 * One epoch: s_a' = a_a² s_a + η² p Σ_b κ_ab s_b − 2η a_a Σ_b F_ab and
 * F_ab' = a_a a_b F_ab + η/(n − 1) κ_ab (u_a + u_b), u_a = a_a s_a − (η/B)(λ_a s_a + ½ Σ_c λ_c s_c), a_a = 1 − ηλ_a.
 */
function shuffledEpoch({ modes, directions, batchSize, p, steps }, lr, s, correlated) {
  const { lambda, n } = modes, kappa = directions.spread;
  const a = lambda.map((value) => 1 - lr * value);
  let F = square(3, () => 0);
  for (let t = 0; t < steps; t++) {
    const bent = s.map((value, i) => lambda[i] * value), half = 0.5 * (bent[0] + bent[1] + bent[2]);
    const u = s.map((value, i) => a[i] * value - (lr / batchSize) * (bent[i] + half));
    const after = s.map((value, i) =>
      a[i] * a[i] * value + lr * lr * p * dot(kappa[i], s) - 2 * lr * a[i] * (F[i][0] + F[i][1] + F[i][2]));
    for (let i = 0; correlated && i < 3; i++) {
      for (let j = 0; j < 3; j++) F[i][j] = a[i] * a[j] * F[i][j] + (lr / (n - 1)) * kappa[i][j] * (u[i] + u[j]);
    }
    s = after;
  }
  return s;
}

/** The same as if minibatches did not scatter. */
function unscattered({ modes: { lambda }, steps }, lr, second, epochs) {
  return Array.from({ length: epochs + 1 }, (_, epoch) =>
    0.5 * lambda.reduce((sum, value, a) => sum + value * second[a][a] * (1 - lr * value) ** (2 * steps * epoch), 0));
}

/** The largest loss that is left along the direction of one row of large leverage, as if its error moved in no other way. */
function rowsAlone({ modes: { n, lambda }, directions: { strong }, batchSize }, lr, second, epochs) {
  const rows = strong.map((z) => {
    const length = dot(z, z), curvature = z.reduce((sum, value, a) => sum + value * value * lambda[a], 0) / length;
    const u = (lr * length) / batchSize, others = Math.max((n * curvature) / length - 1, 0);
    const least = z.reduce((sum, value, a) => sum + (value * value) / lambda[a], 0);
    return { start: (0.5 * dot(z, times(second, z))) / least, kept: ((1 - u) * Math.exp(-u * others)) ** 2 };
  });
  return Array.from({ length: epochs + 1 }, (_, epoch) => Math.max(...rows.map(({ start, kept }) => start * kept ** epoch)));
}

/** The same with minibatches drawn independently: x' = T x on pairs, T = diag(a_a a_b) + η² p C, along T's eigenvectors. */
function wearOffIndependently({ modes, p, C, steps }, lr, second, epochs) {
  const a = modes.lambda.map((value) => 1 - lr * value);
  const T = square(6, (i, j) => lr * lr * p * C[i][j] + (i === j ? a[PAIRS[i].a] * a[PAIRS[i].b] : 0));
  const { values, vectors } = symmetricEigen(T);
  const x = times(vectors, PAIRS.map((pair) => pair.weight * second[pair.a][pair.b]));
  const curvature = times(vectors, PAIRS.map((pair) => (pair.a === pair.b ? modes.lambda[pair.a] : 0)));
  return Array.from({ length: epochs + 1 }, (_, epoch) =>
    0.5 * values.reduce((sum, tau, i) => sum + x[i] * tau ** (steps * epoch) * curvature[i], 0));
}

/**
 * What label noise adds per epoch: S' = kept · S + rise and b' = meanKept · b + shift; where no average settles, M is left
 * out. The part of the rise that the leverage of rows adds is in doubt.
 */
function labelNoise({ modes, directions, p, steps }, lr) {
  const x = modes.lambda.map((value) => lr * value), { spread, noise, noiseLeftOut, third } = directions;
  const sums = x.map((value) => epochSums(value, steps));
  const meanKept = x.map((value) => (1 - value) ** steps);
  const meanLost = x.map((value, a) => (value < 0.5 ? -Math.expm1(steps * Math.log1p(-value)) : 1 - meanKept[a]));
  const lost = meanLost.map((value, a) => value * (1 + meanKept[a]));
  const met = sums.map(({ K, rho, average }, a) => lr * lr * (rho + (average * K) / lost[a]));
  const drawn = sums.map(({ KDrawn, rhoDrawn, average }, a) => lr * lr * (rhoDrawn + (average * KDrawn) / lost[a]));
  const first = noise.map((value) => p * value);
  const more = noise.map((value, a) => p * (noiseLeftOut[a] - value) * Math.min(Math.max(meanLost[a], 0), 1) ** 2);
  let settles = lost.every((value) => value > 0) && met.every(Number.isFinite) && drawn.every(Number.isFinite);
  let [M, MMore] = [[0, 0, 0], [0, 0, 0]];
  if (settles) {
    const system = square(3, (a, b) => Number(a === b) - p * spread[a][b] * drawn[b]);
    settles = solve(system, [1, 1, 1]).every((value) => value > 0);
    const scattered = (part) => solve(system, times(spread, part.map((value, a) => p * met[a] * value)));
    if (settles) [M, MMore] = [scattered(first), scattered(more)];
  }
  const doubt = sums.map(({ K, KDrawn }, a) => lr * lr * (K * more[a] + KDrawn * MMore[a]));
  const factor = (lr * lr) / Math.max(modes.n - 1, 1);
  const shift = x.map((_, a) => factor * x.reduce((sum, _, b) => sum + third[a][b] * pairSum(x[a], x[b], steps), 0));
  const rise = sums.map(({ K, KDrawn }, a) => lr * lr * (K * first[a] + KDrawn * M[a]) + doubt[a]);
  return {
    kept: meanKept.map((value) => value * value), rise, meanKept, shift, settles, meanLost, lost,
    doubt: doubt.map((value) => (settles ? Math.abs(value) : p ? Infinity : 0)),
  };
}

/** K, ρ and ā of the m steps of an epoch, with x = ηλ, and K and ρ as if nothing cancelled; for m x ≪ 1 the leading terms. */
function epochSums(x, m) {
  if (m === 1) return { K: 0, rho: 0, average: 1, KDrawn: 1, rhoDrawn: 0 };
  const log = x < 0.5 ? Math.log1p(-x) : Math.log(Math.abs(1 - x));
  const A1 = (x < 1 ? -Math.expm1(m * log) : 1 - (1 - x) ** m) / x;
  const A2 = -Math.expm1(2 * m * log) / (x * (2 - x));
  const drawn = (m - A2) / (x * (2 - x)), twice = drawn - (m - 2 * A1 + A2) / (m * x * x);
  const small = m * x < 1e-3;
  return {
    K: small ? ((m * m * (m + 1)) / 12) * x * x : (m / (m - 1)) * (A2 - (A1 * A1) / m),
    rho: small ? (m + 1) / 6 : twice / (m - 1),
    average: A2 / m,
    KDrawn: A2,
    rhoDrawn: small ? (m - 1) / 2 : drawn / m,
  };
}

/** Σ_{s<t<m} a^{m−1−t} b^{t−1−s}, with a = 1 − x and b = 1 − y. */
function pairSum(x, y, m) {
  if (m === 1) return 0;
  if (m * Math.max(x, y) < 1e-5) return 0.5 * m * (m - 1);
  const [a, b] = [1 - x, 1 - y], power = a ** m;
  const once = m * x < 1e-6 ? m : (1 - power) / x;
  const mixed = Math.abs(a - b) < 1e-9 ? m * a ** (m - 1) : (power - b ** m) / (a - b);
  return (once - mixed) / y;
}

/**
 * Expected loss at epoch ends after many shuffled epochs. Infinite where a typical run does not settle; NaN where that is
 * not known.
 */
function floorOf(theory, lr) {
  const { modes, limit, typical } = theory, level = labelNoise(theory, lr);
  let floor = Infinity;
  if (level.settles) {
    const shift = level.shift.map((value, a) => value / level.meanLost[a]);
    const noise = level.rise.map((value, a) => value / level.lost[a]);
    const doubt = 0.5 * dot(level.doubt.map((value, a) => value / level.lost[a]), modes.lambda);
    floor = given(theory, finiteOrInfinite(modes.leastLoss + excess(modes.lambda, noise, shift, [0, 0, 0])), doubt);
  }
  if (typical !== null) {
    if (typical.value === null && lr > limit) floor = NaN;
    if (typical.value !== null && lr > typical.value) floor = Infinity;
  }
  return lr < limit && floor === Infinity ? NaN : floor;
}
