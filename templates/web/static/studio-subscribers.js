// Numbers of segments as they come, and buttons that copy. Without it a link counts, and the code is selected by hand.
"use strict";
(function () {
  const speech = document.currentScript.dataset;

  async function count(places) {
    // One after another: each is a walk over a list.
    for (const place of places) {
      if (place.querySelector("b")) continue;
      try {
        const answer = await fetch(place.dataset.count, { redirect: "error" });
        if (!answer.ok) continue;
        const said = new DOMParser().parseFromString((await answer.json()).said, "text/html");
        place.replaceChildren(...said.body.childNodes);
      } catch (problem) {
        // Away for a moment: the link stays.
      }
    }
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    const code = document.getElementById(button.dataset.copy);
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    said.className = "soft";
    button.after(" ", said);
    button.hidden = false;
    button.addEventListener("click", async function () {
      try {
        await navigator.clipboard.writeText(code.textContent);
        said.textContent = speech.copied;
      } catch (problem) {
        // Not over plain http: then at least it is selected.
        const range = document.createRange();
        range.selectNodeContents(code);
        const selection = getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        said.textContent = speech.selected;
      }
    });
  }

  // A file that is being read: look again until it is done.
  if (document.querySelector("[data-again]")) setTimeout(() => location.reload(), 3000);

  count([...document.querySelectorAll("[data-count]")]);
})();
