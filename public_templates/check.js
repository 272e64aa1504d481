// What the page /check gains where scripts run: each line that a hand scanner ends is answered at once with a sound,
// a colour and a word, and the camera may be used: with the browser's own reader where it really reads, else with ours,
// which is fetched when the camera is opened. The form works without.
"use strict";
(() => {
  const box = document.getElementById("codes");
  const told = document.getElementById("told");
  const button = document.getElementById("camera");
  const video = document.getElementById("view");
  if (!box || !told) return;
  const words = JSON.parse(told.dataset.words);
  const tones = { RECALLED: "stop", NOT_RECALLED: "good", UNREADABLE: "grey", NOT_OURS: "grey" };
  let sound = null;

  // One high tone: no recall known. Two low ones: look. A long one: recalled.
  const beep = (status) => {
    sound = sound || new AudioContext();
    const tone = (hertz, begin, seconds) => {
      const source = sound.createOscillator();
      source.frequency.value = hertz;
      source.connect(sound.destination);
      source.start(sound.currentTime + begin);
      source.stop(sound.currentTime + begin + seconds);
    };
    if (status === "NOT_RECALLED") tone(1200, 0, 0.08);
    else if (status === "RECALLED") tone(220, 0, 0.7);
    else { tone(400, 0, 0.12); tone(400, 0.2, 0.12); }
  };

  const show = (status, text) => {
    told.className = "card " + (tones[status] || "care");
    told.textContent = words[status] + ": " + text;
    beep(status);
  };

  // What a person typed may be in the full width of a Chinese keyboard; what a camera read is left as it is.
  const ask = async (code, typed) => {
    try {
      const answer = await fetch("/v1/checks", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ codes: [code], typed, language: document.documentElement.lang }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const row = (await answer.json()).rows[0];
      show(row.status, [code, row.product, row.recalls.join(" "), row.what].filter(Boolean).join(" · "));
    } catch (problem) {
      show("CANNOT_CONFIRM", code);
    }
  };

  const insert = (text) => box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");

  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "]") { // how a keyboard wedge types FNC1 (0x1D)
      event.preventDefault();
      insert("\x1d");
    } else if (event.key === "Enter") {
      const line = box.value.slice(0, box.selectionStart).split("\n").pop().replace(/^[ \t\r]+|[ \t\r]+$/g, "");
      if (line) ask(line, true);
    }
  });

  // What was read as it is sent: elements behind the identifier of their symbology, a link as it is.
  const sent = ({ rawValue: text, format, fnc1 }) => {
    const isElements = fnc1 === 1 || text.includes("\x1d") || /^01\d{14}|^00\d{18}/.test(text);
    const prefix = { data_matrix: "]d2", code_128: "]C1" }[format] || "]Q3";
    return isElements && !/^https?:\/\//i.test(text) ? prefix + text.replace(/^\x1d/, "") : text;
  };

  // Only what two pictures in a row say is entered, once: a misread code must not become a row.
  const read = async (detect, seen, before) => {
    const now = (await detect().catch(() => [])).map(sent); // a picture that cannot be read; the next one may be
    for (const code of now) {
      if (seen.has(code) || !before.includes(code)) continue;
      seen.add(code);
      box.value += (box.value && !box.value.endsWith("\n") ? "\n" : "") + code + "\n";
      ask(code, false);
    }
    setTimeout(() => read(detect, seen, now), 150);
  };

  // A QR symbol that says TRACEMARK, its 21 rows of 21 modules as bits.
  const probe = "1fc87f 105041 17535d 175b5d 174d5d 104a41 1fd57f 001c00 1052ce 053795 0d5d6a 1f0fc3 04d7f7 00190a 1fcab7 104041 174eb2 174bd4 174383 1043d5 1fd914";

  const drawn = () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 29 * 8;
    const paper = canvas.getContext("2d");
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.fillStyle = "#000";
    probe.split(" ").forEach((row, y) => {
      for (let x = 0; x < 21; x++) if ((parseInt(row, 16) >> (20 - x)) & 1) paper.fillRect((x + 4) * 8, (y + 4) * 8, 8, 8);
    });
    return canvas;
  };

  // Some browsers have the class and list no format, others list formats and find nothing: only who reads a symbol counts.
  const formatsThatWork = async () => {
    if (!("BarcodeDetector" in window)) return [];
    try {
      const wanted = ["qr_code", "data_matrix", "code_128", "ean_13"];
      const listed = await BarcodeDetector.getSupportedFormats();
      const formats = wanted.filter((format) => listed.includes(format));
      if (!formats.includes("qr_code")) return [];
      const found = await new BarcodeDetector({ formats }).detect(drawn());
      return found.some((each) => each.rawValue === "TRACEMARK") ? formats : [];
    } catch (problem) {
      return [];
    }
  };

  const own = (formats) => {
    const detector = new BarcodeDetector({ formats });
    return () => detector.detect(video);
  };

  // Our reader of QR symbols, fetched when the camera is open; it works beside the page, which stays at hand.
  const ours = () => new Promise((ready, broken) => {
    const worker = new Worker("/check/reader.js");
    const canvas = document.createElement("canvas");
    const paper = canvas.getContext("2d", { willReadFrequently: true });
    const detect = () => new Promise((answer, fail) => {
      const scale = Math.min(1, 1280 / Math.max(video.videoWidth, video.videoHeight));
      canvas.width = video.videoWidth * scale;
      canvas.height = video.videoHeight * scale;
      paper.drawImage(video, 0, 0, canvas.width, canvas.height);
      const { data, width, height } = paper.getImageData(0, 0, canvas.width, canvas.height);
      worker.onmessage = (event) => answer(event.data);
      worker.onerror = fail;
      worker.postMessage({ pixels: data.buffer, width, height }, [data.buffer]);
    });
    worker.onmessage = () => ready(detect);
    worker.onerror = broken;
  });

  const open = async (formats) => {
    const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 960 } };
    button.hidden = true;
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted });
      const detect = formats.length ? own(formats) : await ours();
      video.hidden = false;
      video.style.inlineSize = "100%"; // a picture of the camera is wider than a telephone
      await video.play();
      read(detect, new Set(), []);
    } catch (problem) { // not allowed, no camera there, or no reader
      if (video.srcObject) video.srcObject.getTracks().forEach((track) => track.stop());
      video.hidden = true;
      button.hidden = false;
      told.className = "card care";
      told.textContent = button.dataset.refused;
    }
  };

  const offer = async () => {
    if (!button || !navigator.mediaDevices) return;
    const formats = await formatsThatWork();
    button.hidden = false;
    button.addEventListener("click", () => open(formats));
  };
  offer();
})();
