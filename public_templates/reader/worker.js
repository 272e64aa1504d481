// Reads the frames of a camera beside the page, which stays at hand meanwhile.
import { greyOf } from "./relief.js";
import { read } from "./read.js";

onmessage = ({ data: { pixels, width, height } }) => postMessage(read(greyOf(new Uint8ClampedArray(pixels), width, height)));
postMessage([]); // ready
