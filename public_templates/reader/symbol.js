// From modules to codewords: what stands where in a symbol (ISO/IEC 18004:2015, 6.3, 7.6 to 7.10, table 9).
import { correct } from "./reed_solomon.js";
import { textOfCodewords } from "./segments.js";

const numbers = (text) => text.split(" ").map(Number);
// Table 9, by level M L H Q, which is the order of their two bits (table 12): check codewords of a block, and blocks.
const CHECKS = ["10 16 26 18 24 16 18 22 22 26 30 22 22 24 24 28 28 26 26 26 26" + " 28".repeat(19),
  "7 10 15 20 26 18 20 24 30 18 20 24 26 30 22 24 28 30 28 28 28 28 30 30 26 28" + " 30".repeat(14),
  "17 28 22 16 22 28 26 26 24 28 24 28 22 24 24 30 28 28 26 28 30 24" + " 30".repeat(18),
  "13 22 18 26 18 24 18 22 20 24 28 26 24 20 30 24 28 28 26 30 28 30 30 30 30 28" + " 30".repeat(14)].map(numbers);
const BLOCKS = ["1 1 1 2 2 4 4 4 5 5 5 8 9 9 10 10 11 13 14 16 17 17 18 20 21 23 25 26 28 29 31 33 35 37 38 40 43 45 47 49",
  "1 1 1 1 1 2 2 2 2 4 4 4 4 4 6 6 6 6 7 8 8 9 9 10 12 12 12 13 14 15 16 17 18 19 19 20 21 22 24 25",
  "1 1 2 4 4 4 5 6 8 8 11 11 16 16 18 16 19 21 25 25 25 34 30 32 35 37 40 42 45 48 51 54 57 60 63 66 70 74 77 81",
  "1 1 2 2 4 4 6 6 8 8 8 10 12 16 12 17 16 18 21 20 23 23 25 27 29 34 34 35 38 40 43 45 48 51 53 56 59 62 65 68"].map(numbers);
// Table 9: checks of versions 1, 2 and 3 that guard against a wrong correction, by level M L H Q.
const GUARDS = [[2, 0, 0], [3, 2, 1], [1, 0, 0], [1, 0, 0]];
const MASKS = [ // table 10: modules turned over, by column x and row y
  (x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3,
  (x, y) => ((x / 3 | 0) + (y >> 1)) % 2, (x, y) => (x * y) % 2 + (x * y) % 3,
  (x, y) => ((x * y) % 2 + (x * y) % 3) % 2, (x, y) => ((x + y) % 2 + (x * y) % 3) % 2];

const remainder = (value, divisor, bits) => {
  for (let bit = 1 << 20; bit >= 1 << bits; bit >>= 1) if (value & bit) value ^= divisor * (bit >> bits);
  return value;
};
const FORMATS = Array.from({ length: 32 }, (_, value) => ((value << 10) | remainder(value << 10, 0x537, 10)) ^ 0x5412); // annex C
const VERSIONS = Array.from({ length: 34 }, (_, i) => ((i + 7) << 12) | remainder((i + 7) << 12, 0x1f25, 12)); // annex D

const differing = (a, b) => {
  let count = 0;
  for (let rest = a ^ b; rest; rest &= rest - 1) count++;
  return count;
};

/** The index of the word nearest to any of those read, or -1 where all are more than three bits off. */
const nearest = (words, read) => {
  const off = words.map((word) => Math.min(...read.map((each) => differing(word, each))));
  const least = Math.min(...off);
  return least > 3 ? -1 : off.indexOf(least);
};

/** The version that one of the blocks read says (7.10), or 0. */
export const versionOf = (blocks) => nearest(VERSIONS, blocks) + 7 || 0;

/** The middles of alignment patterns, the same across and down (annex E). */
export const alignments = (version) => {
  if (version === 1) return [];
  const count = (version / 7 | 0) + 2;
  const step = version === 32 ? 26 : Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, i) => version * 4 + 10 - (count - 2 - i) * step)];
};

const fixedParts = new Map();

/** 1 for each module that holds no data: patterns, format and version information. */
const fixed = (version) => {
  if (fixedParts.has(version)) return fixedParts.get(version);
  const side = version * 4 + 17;
  const part = new Uint8Array(side * side);
  const fill = (left, top, width, height) => {
    for (let y = top; y < top + height; y++) part.fill(1, y * side + left, y * side + left + width);
  };
  fill(0, 0, 9, 9);
  fill(side - 8, 0, 8, 9);
  fill(0, side - 8, 9, 8);
  fill(6, 0, 1, side);
  fill(0, 6, side, 1);
  const middles = alignments(version);
  const last = middles.length - 1;
  middles.forEach((x, i) => middles.forEach((y, j) => {
    if ((i || j) && (i || j !== last) && (j || i !== last)) fill(x - 2, y - 2, 5, 5);
  }));
  if (version > 6) {
    fill(side - 11, 0, 3, 6);
    fill(0, side - 11, 6, 3);
  }
  fixedParts.set(version, part);
  return part;
};

/** Level and mask from the two copies of the format information (7.9), or null. */
const formatOf = (modules, side) => {
  const dark = (x, y) => modules[y * side + x];
  let [one, other] = [0, 0];
  for (let bit = 14; bit >= 0; bit--) {
    one = one * 2 + (bit < 6 ? dark(8, bit) : bit < 8 ? dark(8, bit + 1) : bit === 8 ? dark(7, 8) : dark(14 - bit, 8));
    other = other * 2 + (bit < 8 ? dark(side - 1 - bit, 8) : dark(8, side - 15 + bit));
  }
  const found = nearest(FORMATS, [one, other]);
  return found < 0 ? null : { level: found >> 3, mask: MASKS[found & 7] };
};

/** The codewords in the order of 7.7.3, upwards and downwards by pairs of columns from the right, unmasked. */
const codewordsOf = (modules, version, mask) => {
  const side = version * 4 + 17;
  const part = fixed(version);
  const words = [];
  let [word, bits] = [0, 0];
  for (let right = side - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5; // the timing pattern stands in a column of its own
    for (let k = 0; k < side; k++) {
      const y = up ? side - 1 - k : k;
      for (const x of [right, right - 1]) {
        if (part[y * side + x]) continue;
        word = word * 2 + (modules[y * side + x] ^ (mask(x, y) ? 0 : 1));
        if (++bits % 8 === 0) {
          words.push(word);
          word = 0;
        }
      }
    }
  }
  return words;
};

/** Data codewords in their order, every block corrected (7.6); null where one cannot be. */
const corrected = (words, version, level) => {
  const [checks, count] = [CHECKS[level][version - 1], BLOCKS[level][version - 1]];
  const short = Math.floor(words.length / count) - checks; // data codewords of the shorter blocks, which come first
  const long = words.length % count;
  const blocks = Array.from({ length: count }, () => []);
  const data = words.length - checks * count;
  words.forEach((word, i) => {
    const isLast = i >= short * count && i < data; // the one more of the longer blocks
    blocks[i < short * count ? i % count : isLast ? count - long + i - short * count : (i - data) % count].push(word);
  });
  const guards = GUARDS[level][version - 1] || 0;
  if (!blocks.every((block) => correct(block, checks, (checks - guards) >> 1))) return null;
  return blocks.flatMap((block) => block.slice(0, block.length - checks));
};

/** {text, fnc1} of modules (1 dark, row by row), or null; read as it is, and seen in a mirror. */
export const textOfModules = (modules, version) => {
  const side = version * 4 + 17;
  const mirrored = modules.map((_, i) => modules[(i % side) * side + (i / side | 0)]);
  for (const each of [modules, mirrored]) {
    const format = formatOf(each, side);
    const data = format && corrected(codewordsOf(each, version, format.mask), version, format.level);
    if (!data) continue;
    try {
      const read = textOfCodewords(data, version);
      return read.text ? read : null;
    } catch (problem) {
      if (!(problem instanceof RangeError)) throw problem; // a symbol whose segments break the rules says nothing
      return null;
    }
  }
  return null;
};
