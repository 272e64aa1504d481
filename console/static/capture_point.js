// Makes the form of a capture point quicker for a scanner that types; without it the form works as it is.
"use strict";
for (const form of document.querySelectorAll("form[data-point]")) {
  const fields = [...form.querySelectorAll("textarea[data-scan]")];
  const count = (field) => field.value.split("\n").filter((line) => line.trim()).length;
  const next = (field) => [...form.elements].slice([...form.elements].indexOf(field) + 1).find((each) => each.type !== "hidden" && each.type !== "submit" && !each.value);
  for (const field of fields) {
    field.addEventListener("keydown", (event) => {
      // Many scanners type FNC1 as Ctrl-]; the character itself is what separates the parts of the code.
      if (event.ctrlKey && event.key === "]") {
        event.preventDefault();
        field.setRangeText("\u001d", field.selectionStart, field.selectionEnd, "end");
      } else if (event.key === "Enter" && count(field) >= Number(field.dataset.max)) {
        // All that this field takes is in it: go on to what is still empty, or send.
        event.preventDefault();
        const following = next(field);
        if (following) following.focus();
        else form.requestSubmit();
      }
    });
  }
  form.addEventListener("submit", () => form.querySelector("button[type=submit]").setAttribute("disabled", ""));
}
