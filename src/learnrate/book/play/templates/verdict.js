// What the numbers say about one rate: too slow, good, noisy, borderline, not known, or it diverges.

const NEAR_FLOOR = 0.05; // a run has arrived when the start adds so much to the floor at most
const NOISY = 1.1; // a floor so many times the least loss is noise that one sees

/**
 * What is left of the start in the loss after so many epochs: Σ ½ λ_a E δ_a² (1 − ηλ_a)^(2mT). What the minibatches scatter
 * on the way is left out.
 */
function leftOfStart({ modes, start: { second }, steps }, lr, epochs) {
  return modes.lambda.reduce(
    (sum, lambda, a) => sum + 0.5 * lambda * second[a][a] * (1 - lr * lambda) ** (2 * steps * epochs), 0);
}

/** How much of the start may be left where a run has arrived at its floor. */
function nearFloor({ modes }, floor) {
  return NEAR_FLOOR * (Number.isFinite(floor) ? floor : modes.leastLoss);
}

/** About how many epochs it takes until a rate below the limit has arrived. */
function epochsToArrive(theory, lr, floor) {
  const hasArrived = (epochs) => leftOfStart(theory, lr, epochs) <= nearFloor(theory, floor);
  let [low, high] = [0, 1];
  while (!hasArrived(high) && high < 1e9) high *= 2;
  for (let halving = 0; halving < 30; halving++) {
    const middle = 0.5 * (low + high);
    if (hasArrived(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The zone of a rate, and its floor. */
function judge(theory, lr, epochs) {
  const { limit, typical, modes } = theory, floor = floorOf(theory, lr);
  if (!(lr < limit)) {
    const known = typical !== null && typical.value !== null;
    return { zone: !known ? "unknown" : lr > typical.value ? "diverges" : "borderline", floor };
  }
  if (leftOfStart(theory, lr, epochs) > nearFloor(theory, floor)) return { zone: "slow", floor };
  return { zone: floor <= NOISY * modes.leastLoss ? "good" : "noisy", floor };
}
