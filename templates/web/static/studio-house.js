// Makes the pages of designs and settings quicker; all of them work without it.
"use strict";
const speech = document.currentScript.dataset;
{
  // Colors: a picker beside each field, and verdict and letter anew while somebody types.
  const form = document.getElementById("tokens");
  if (form) {
    for (const place of form.querySelectorAll(".swatched")) pick(place);
    let waiting = 0;
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(look, 350);
    });

    function pick(place) {
      const text = place.querySelector("input");
      const picker = document.createElement("input");
      picker.type = "color";
      picker.setAttribute("aria-label", speech.pick.replace("{name}", () => text.labels[0].textContent));
      const show = () => {
        if (/^#[0-9a-f]{6}$/i.test(text.value)) picker.value = text.value.toLowerCase();
      };
      show();
      text.addEventListener("input", show);
      picker.addEventListener("input", () => {
        text.value = picker.value.toUpperCase();
      });
      place.querySelector("svg").replaceWith(picker);
    }

    let asked = 0;
    async function look() {
      const mine = ++asked;
      const values = new URLSearchParams();
      for (const field of form.elements) if (field.name.startsWith("t-")) values.append(field.name, field.value);
      try {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "error" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("verdict");
        // Whoever typed on has asked anew: only the last answer counts.
        if (!fresh || mine !== asked) return;
        const before = document.getElementById("verdict");
        const open = [...before.querySelectorAll("details")].map((part) => part.open);
        fresh.querySelectorAll("details").forEach((part, place) => { part.open = part.open || open[place]; });
        before.replaceChildren(...fresh.childNodes);
        if (answer.ok) document.getElementById("preview").src = form.dataset.look + "?" + values;
      } catch (problem) {
        // Away for a moment: what is shown stays, and the next letter asks again.
      }
    }
  }
}
// What is to be typed elsewhere gets a button that copies it.
function offerCopies() {
  // Browsers give pages the clipboard over https only, and on this machine.
  if (!navigator.clipboard) return;
  for (const value of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet small";
    button.append(speech.copy);
    const what = document.createElement("span");
    what.className = "unseen";
    what.append(" " + value.dataset.copy);
    button.append(what);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(value.textContent);
      button.firstChild.data = speech.copied;
      setTimeout(() => { button.firstChild.data = speech.copy; }, 2000);
    });
    value.after(button);
  }
}
offerCopies();
{
  // The DNS may take its time: the page stays, and the answer comes into it.
  const form = document.getElementById("ask");
  if (form) form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const part = document.getElementById("records");
    button.disabled = true;
    part.setAttribute("aria-busy", "true");
    document.getElementById("asking").textContent = speech.asking;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      part.replaceChildren(...page.getElementById("records").childNodes);
      document.getElementById("asking").textContent = page.getElementById("asking").textContent;
      offerCopies();
    } catch (problem) {
      document.getElementById("asking").textContent = speech.silent;
    }
    button.disabled = false;
    part.removeAttribute("aria-busy");
  });
}
