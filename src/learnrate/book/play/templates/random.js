// NumPy's random streams, number for number: the page shows the very runs that learnrate makes.
// Sources: O'Neill, HMC-CS-2014-0905 (PCG64, XSL-RR); O'Neill's seed_seq as in numpy.random.SeedSequence; Lemire,
// arXiv 1805.10941 (bounded integers); Marsaglia and Tsang, J. Stat. Soft. 5(8), 2000 (ziggurat, 256 layers).

const LIMBS = 8; // a state of 128 bits is 8 limbs of 16 bits, lowest first
const LIMB = 65536;
const WORD = 4294967296;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const MULTIPLIER_LIMBS = limbsOf(MULTIPLIER);
const MASK = (1n << 128n) - 1n;

function limbsOf(value) {
  return Array.from({ length: LIMBS }, (_, k) => Number((value >> BigInt(16 * k)) & 0xffffn));
}

function valueOf(limbs) {
  return limbs.reduceRight((value, limb) => (value << 16n) | BigInt(limb), 0n);
}

/** Four words of 64 bits from a list of small integers: numpy's `SeedSequence(entropy).generate_state(4, uint64)`. */
function seedWords(entropy) {
  const hash = (start, multiplier) => {
    let constant = start;
    return (value) => {
      const mixed = value ^ constant;
      constant = Math.imul(constant, multiplier);
      const product = Math.imul(mixed, constant);
      return product ^ (product >>> 16);
    };
  };
  const taken = hash(0x43b0d7e5, 0x931e8875);
  const pool = [0, 1, 2, 3].map((i) => taken(entropy[i] ?? 0));
  for (let source = 0; source < 4; source++) {
    for (let target = 0; target < 4; target++) {
      if (source === target) continue;
      const mixed = Math.imul(0xca01f9dd, pool[target]) - Math.imul(0x4973f715, taken(pool[source]));
      pool[target] = mixed ^ (mixed >>> 16);
    }
  }
  const given = hash(0x8b51f9dd, 0x58f38ded);
  const words = Array.from({ length: 8 }, (_, i) => BigInt(given(pool[i % 4]) >>> 0));
  return [0, 2, 4, 6].map((i) => (words[i + 1] << 32n) | words[i]);
}

/** numpy's `Generator(PCG64(entropy))`. */
class Generator {
  constructor(entropy) {
    const [high, low, increment, below] = seedWords(entropy);
    this.increment = ((((increment << 64n) | below) << 1n) | 1n) & MASK;
    this.added = limbsOf(this.increment);
    const start = (high << 64n) | low;
    this.setState((((this.increment + start) & MASK) * MULTIPLIER + this.increment) & MASK);
  }

  setState(value) {
    this.state = limbsOf(value);
    this.next = new Array(LIMBS).fill(0);
    this.kept = null; // the second half of a word of which 32 bits were asked for
  }

  /** Skip so many words; `distance` is a BigInt. Source: Brown, Trans. Am. Nucl. Soc. 71 (1994). */
  advance(distance) {
    let multiplier = 1n, plus = 0n, factor = MULTIPLIER, term = this.increment;
    for (let left = distance; left > 0n; left >>= 1n) {
      if (left & 1n) {
        multiplier = (multiplier * factor) & MASK;
        plus = (plus * factor + term) & MASK;
      }
      term = ((factor + 1n) * term) & MASK;
      factor = (factor * factor) & MASK;
    }
    this.setState((multiplier * valueOf(this.state) + plus) & MASK);
    return this;
  }

  /** The next 64 bits, as `high` and `low` of 32. */
  word() {
    const { state, next, added } = this;
    let carry = 0;
    for (let k = 0; k < LIMBS; k++) {
      let sum = carry + added[k];
      for (let i = 0; i <= k; i++) sum += state[i] * MULTIPLIER_LIMBS[k - i];
      carry = Math.floor(sum / LIMB);
      next[k] = sum - carry * LIMB;
    }
    this.state = next;
    this.next = state;
    let low = (next[0] ^ next[4]) | ((next[1] ^ next[5]) << 16);
    let high = (next[2] ^ next[6]) | ((next[3] ^ next[7]) << 16);
    let turn = next[7] >> 10;
    if (turn >= 32) [low, high, turn] = [high, low, turn - 32];
    if (turn) {
      [low, high] = [(low >>> turn) | (high << (32 - turn)), (high >>> turn) | (low << (32 - turn))];
    }
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  bits32() {
    if (this.kept !== null) {
      const kept = this.kept;
      this.kept = null;
      return kept;
    }
    this.word();
    this.kept = this.high;
    return this.low;
  }

  /** Uniform on [0, 1). */
  uniform() {
    this.word();
    return (this.high * 2097152 + (this.low >>> 11)) / 9007199254740992;
  }

  /** Uniform on 0, …, most, by throwing away what is larger: what numpy shuffles arrays with. */
  within(most) {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const drawn = (this.bits32() & mask) >>> 0;
      if (drawn <= most) return drawn;
    }
  }

  /** Uniform on 0, …, most, by Lemire's product: numpy's `integers` and `choice`. */
  upTo(most) {
    if (most === 0) return 0;
    const count = most + 1;
    let product = this.bits32() * count;
    let rest = product % WORD;
    if (rest < count) {
      const threshold = (WORD - 1 - most) % count;
      while (rest < threshold) {
        product = this.bits32() * count;
        rest = product % WORD;
      }
    }
    return Math.floor(product / WORD);
  }

  /** Put an array into random order, in place. */
  shuffle(values, draw = (most) => this.within(most)) {
    for (let i = values.length - 1; i > 0; i--) {
      const j = draw(i);
      const value = values[i];
      values[i] = values[j];
      values[j] = value;
    }
    return values;
  }

  permutation(n) {
    return this.shuffle(Int32Array.from({ length: n }, (_, i) => i));
  }

  /** So many different numbers below n, in random order: numpy's `choice(n, size, replace=False)`. */
  choice(n, size) {
    const found = [], seen = new Set();
    for (let j = n - size; j < n; j++) {
      const drawn = this.upTo(j);
      const taken = seen.has(drawn) ? j : drawn;
      seen.add(taken);
      found.push(taken);
    }
    return this.shuffle(found, (most) => this.upTo(most));
  }

  normal() {
    for (;;) {
      this.word();
      const layer = this.low & 0xff, negative = this.low & 0x100;
      const bit = this.low & 0x20000; // the sign in the tail, as numpy takes it
      const size = (this.high & 0x1fffffff) * 8388608 + (this.low >>> 9);
      const x = size * ZIGGURAT.width[layer];
      if (size < ZIGGURAT.inside[layer]) return negative ? -x : x;
      if (layer === 0) {
        for (;;) {
          const beyond = -Math.log1p(-this.uniform()) / ZIGGURAT.edge;
          const height = -Math.log1p(-this.uniform());
          if (2 * height > beyond * beyond) return (bit ? -1 : 1) * (ZIGGURAT.edge + beyond);
        }
      }
      const [below, above] = [ZIGGURAT.height[layer], ZIGGURAT.height[layer - 1]];
      if ((above - below) * this.uniform() + below < Math.exp(-0.5 * x * x)) return negative ? -x : x;
    }
  }

  normals(count) {
    return Float64Array.from({ length: count }, () => this.normal());
  }
}

const ZIGGURAT = ziggurat();

/** The 256 layers of equal area under exp(−x²/2), in units of 2⁻⁵². */
function ziggurat() {
  const edge = 3.6541528853610088, area = 0.0049286732339746549, unit = 2 ** 52;
  const bell = (x) => Math.exp(-0.5 * x * x);
  const inside = new Array(256), width = new Array(256), height = new Array(256);
  const foot = area / bell(edge);
  inside[0] = Math.floor((edge / foot) * unit);
  inside[1] = 0;
  width[0] = foot / unit;
  width[255] = edge / unit;
  height[0] = 1;
  height[255] = bell(edge);
  let outer = edge;
  for (let layer = 254; layer >= 1; layer--) {
    const x = Math.sqrt(-2 * Math.log(area / outer + bell(outer)));
    inside[layer + 1] = Math.floor((x / outer) * unit);
    width[layer] = x / unit;
    height[layer] = bell(x);
    outer = x;
  }
  return { edge, inside, width, height };
}
