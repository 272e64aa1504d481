// From data codewords to text: the segments of ISO/IEC 18004:2015, 7.4.

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"; // table 5
const KANJI = 20; // the ECI of Shift JIS
// Character sets by their ECI designator (AIM ITS/04-023); all others are refused, never guessed.
const CHARSETS = { 20: "shift_jis", 21: "windows-1250", 22: "windows-1251", 23: "windows-1252", 24: "windows-1256",
  25: "utf-16be", 26: "utf-8", 27: "latin1", 28: "big5", 29: "gb18030", 30: "euc-kr", 32: "gb18030" };

/** Bits of bytes, the highest first; a RangeError beyond the last. */
const bitsOf = (bytes) => {
  let at = 0;
  return {
    left: () => bytes.length * 8 - at,
    take: (count) => {
      if (at + count > bytes.length * 8) throw new RangeError("the segments end before their text");
      let value = 0;
      for (; count; count--, at++) value = value * 2 + ((bytes[at >> 3] >> (7 - (at & 7))) & 1);
      return value;
    },
  };
};

/** Bits of a count of characters: by mode, for versions up to 9, 26 and 40 (table 3). */
const countBits = (mode, version) => ({ 1: [10, 12, 14], 2: [9, 11, 13], 4: [8, 16, 16], 8: [8, 10, 12] })[mode][version < 10 ? 0 : version < 27 ? 1 : 2];

const numeric = (bits, count) => {
  let text = "";
  for (; count > 0; count -= 3) {
    const digits = Math.min(3, count);
    const value = String(bits.take([0, 4, 7, 10][digits])).padStart(digits, "0");
    if (value.length > digits) throw new RangeError("these bits are no digits");
    text += value;
  }
  return text;
};

const alphanumeric = (bits, count) => {
  let text = "";
  for (; count > 1; count -= 2) {
    const pair = bits.take(11);
    if (pair > 2024) throw new RangeError("these bits are no pair");
    text += ALPHANUMERIC[Math.floor(pair / 45)] + ALPHANUMERIC[pair % 45];
  }
  if (!count) return text;
  const last = bits.take(6);
  if (last > 44) throw new RangeError("these bits are no character");
  return text + ALPHANUMERIC[last];
};

/** Where FNC1 was, `%` stands for the separator of elements and `%%` for itself (7.4.8.3). */
const separated = (text) => text.replace(/%%|%/g, (each) => (each === "%" ? "\x1d" : "%"));

const kanji = (bits, count) => { // 7.4.7
  const bytes = [];
  for (; count; count--) {
    const value = bits.take(13);
    const pair = Math.floor(value / 0xc0) * 256 + (value % 0xc0);
    const code = pair + (pair < 0x1f00 ? 0x8140 : 0xc140);
    bytes.push(code >> 8, code & 255);
  }
  return bytes;
};

const latin = (bytes) => String.fromCharCode(...bytes);

/** Bytes as text: in the set that was named, else in UTF-8, else in ISO/IEC 8859-1, which is the standard's own. */
const textOf = (bytes, eci) => {
  if (eci === 1 || eci === 3) return latin(bytes);
  const charset = eci === null ? "utf-8" : CHARSETS[eci] || (eci > 3 && eci < 19 && eci !== 14 ? `iso-8859-${eci - 2}` : "");
  if (!charset) throw new RangeError(`the character set ${eci} is not known here`);
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch (problem) {
    if (eci === null) return latin(bytes);
    throw new RangeError("the bytes are not of the character set that is named");
  }
};

const eciOf = (bits) => { // table 4
  const first = bits.take(8);
  if (first < 128) return first;
  if (first < 192) return (first & 63) * 256 + bits.take(8);
  if (first < 224) return (first & 31) * 65536 + bits.take(16);
  throw new RangeError("this is no designator");
};

/**
 * The text of data codewords, and which FNC1 stood before it: 0 none, 1 GS1 elements, 2 of an industry (7.4.8).
 * A RangeError for what breaks the rules, and for a symbol that is a part of a longer text (structured append).
 */
export const textOfCodewords = (codewords, version) => {
  const bits = bitsOf(codewords);
  let [text, fnc1, eci, pending] = ["", 0, null, []];
  const flush = () => { // bytes of neighbouring segments may be one text
    if (pending.length) text += textOf(pending, eci);
    pending = [];
  };
  while (bits.left() >= 4) {
    const mode = bits.take(4);
    if (!mode) break; // the terminator
    if (mode === 4) {
      const count = bits.take(countBits(4, version));
      for (let i = 0; i < count; i++) pending.push(bits.take(8));
      continue;
    }
    flush();
    if (mode === 1) text += numeric(bits, bits.take(countBits(1, version)));
    else if (mode === 2) {
      const part = alphanumeric(bits, bits.take(countBits(2, version)));
      text += fnc1 ? separated(part) : part;
    } else if (mode === 8) text += textOf(kanji(bits, bits.take(countBits(8, version))), KANJI);
    else if (mode === 7) eci = eciOf(bits);
    else if (mode === 5) fnc1 = 1;
    else if (mode === 9) {
      const indicator = bits.take(8);
      fnc1 = 2;
      text += indicator < 100 ? String(indicator).padStart(2, "0") : String.fromCharCode(indicator - 100);
    } else throw new RangeError(`mode ${mode} is not read here`);
  }
  flush();
  return { text, fnc1 };
};
