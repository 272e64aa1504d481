// Error correction over GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1 (ISO/IEC 18004:2015, 7.5.2 and annex B).

const power = new Uint8Array(512);
const log = new Uint8Array(256);
for (let i = 0, value = 1; i < 255; i++) {
  power[i] = power[i + 255] = value;
  log[value] = i;
  value = value & 128 ? (value << 1) ^ 0x11d : value << 1;
}

const times = (a, b) => (a && b ? power[log[a] + log[b]] : 0);
const over = (a, b) => (a ? power[log[a] + 255 - log[b]] : 0);

/** The value of a polynomial, lowest coefficient first. */
const valueAt = (polynomial, x) => polynomial.reduceRight((sum, each) => times(sum, x) ^ each, 0);

/** The syndromes of a block, or null where all are 0. */
const syndromesOf = (block, checks) => {
  const highFirst = Array.from(block).reverse();
  const all = Array.from({ length: checks }, (_, i) => valueAt(highFirst, power[i]));
  return all.some(Boolean) ? all : null;
};

/**
 * Correct a block in place, its last `checks` codewords being checks. Gives whether it now is right; false where more
 * than `most` codewords are wrong, and then it is not to be used. `most` is less than half the checks for the small
 * symbols, whose other checks guard against a wrong correction (table 9, p).
 */
export const correct = (block, checks, most) => {
  const syndromes = syndromesOf(block, checks);
  if (!syndromes) return true;
  const locator = locatorOf(syndromes);
  const errors = locator.length - 1;
  if (errors > most) return false;
  const evaluator = Array.from({ length: checks }, (_, i) =>
    locator.slice(0, i + 1).reduce((sum, each, k) => sum ^ times(each, syndromes[i - k]), 0)).slice(0, errors);
  const slope = locator.map((each, i) => (i & 1 ? each : 0)).slice(1); // the formal derivative
  let mended = 0;
  for (let place = 0; place < block.length; place++) {
    const inverse = power[255 - place];
    if (valueAt(locator, inverse)) continue;
    const steep = valueAt(slope, inverse);
    if (!steep) return false;
    block[block.length - 1 - place] ^= times(power[place], over(valueAt(evaluator, inverse), steep));
    mended++;
  }
  return mended === errors && !syndromesOf(block, checks);
};

/** The shortest polynomial whose roots tell the places of the errors (Berlekamp and Massey). */
const locatorOf = (syndromes) => {
  let [now, before, errors, since, last] = [[1], [1], 0, 1, 1];
  syndromes.forEach((_, n) => {
    const wrong = now.reduce((sum, each, i) => (i <= n ? sum ^ times(each, syndromes[n - i]) : sum), 0);
    if (!wrong) {
      since++;
      return;
    }
    const next = now.slice();
    before.forEach((each, i) => { next[i + since] = (next[i + since] || 0) ^ times(each, over(wrong, last)); });
    for (let i = 0; i < next.length; i++) next[i] = next[i] || 0;
    if (2 * errors <= n) [before, errors, last, since] = [now, n + 1 - errors, wrong, 1];
    else since++;
    now = next;
  });
  while (now.length > 1 && !now[now.length - 1]) now.pop();
  return now.length - 1 === errors ? now : new Array(syndromes.length + 2).fill(1); // no such place: beyond correction
};
