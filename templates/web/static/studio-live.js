// Keeps the part of a page that changes by itself up to date, without moving anything under a reader's hands.
// Without it the page loads itself anew every five seconds (noscript). After a lost connection it goes on by itself.
"use strict";
(function () {
  const pause = 2000;
  let left = 0;

  function busy(part) {
    const at = document.activeElement;
    const typing = at && part.contains(at) && at.matches("input, select, textarea");
    return typing || part.querySelector("details[open] form");
  }

  async function look() {
    const part = document.getElementById("live");
    const from = part && part.dataset.live;
    if (!from) return;
    if (!document.hidden && !busy(part)) {
      try {
        const answer = await fetch(from, { headers: { "X-Requested-With": "fetch" }, redirect: "error" });
        if (answer.ok && !busy(part)) replace(part, await answer.text());
      } catch (problem) {
        // Away for a moment: what is shown stays, and the next look comes.
      }
    }
    setTimeout(look, pause);
  }

  function replace(part, text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
    if (!fresh || fresh.outerHTML === part.outerHTML) return;
    const focused = part.contains(document.activeElement) ? document.activeElement.closest("form") : null;
    const action = focused && focused.getAttribute("action");
    part.replaceWith(document.adoptNode(fresh));
    if (action) {
      const again = [...fresh.querySelectorAll("form")].find((form) => form.getAttribute("action") === action);
      const button = again && again.querySelector("button");
      if (button) button.focus();
    }
    count();
  }

  function count() {
    const shown = document.querySelector("[data-seconds]");
    left = shown ? Number(shown.dataset.seconds) : 0;
  }

  setInterval(function () {
    const shown = document.querySelector("[data-seconds]");
    if (!shown || left <= 0) return;
    left -= 1;
    shown.textContent = String(left);
    const line = document.querySelector(".minute rect");
    if (line) line.setAttribute("width", String(Math.min(left, 60) * 10));
  }, 1000);
  count();
  setTimeout(look, pause);
})();
