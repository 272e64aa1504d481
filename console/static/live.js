// Shows what a form would do while it is filled in, and keeps a part of a page up to date. Both work without it too.
"use strict";
for (const form of document.querySelectorAll("form[data-live]")) {
  const target = document.getElementById(form.dataset.target);
  let timer;
  let asked;
  const ask = async () => {
    if (asked) asked.abort();
    asked = new AbortController();
    target.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.live, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: asked.signal });
      // Somebody whose session has ended is sent to sign in; the page itself then says so.
      if (answer.ok && !answer.redirected) target.innerHTML = await answer.text();
      target.removeAttribute("aria-busy");
    } catch (error) {
      // A newer question took the place of this one, or the line is down: what stands there stays.
      if (error.name !== "AbortError") target.removeAttribute("aria-busy");
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 600);
  });
}
for (const part of document.querySelectorAll("[data-refresh-s]")) {
  setInterval(async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (fresh) part.replaceChildren(...fresh.childNodes);
    } catch {
      // The line is down: the page says since when its figures stand.
    }
  }, Number(part.dataset.refreshS) * 1000);
}
