// The letter on the desk as somebody types: the server makes it (nothing is saved by it), and only what differs is put in
// place, so that nothing flickers and the place where somebody reads stays. The frame has our origin and no scripts.
"use strict";
const deskLetter = (() => {
  const place = `desk-scroll ${location.pathname}`;
  const frames = () => [...document.querySelectorAll("iframe[data-look]")];
  const looks = () => [...document.querySelectorAll("[data-look]")];

  // --- putting a letter in place --------------------------------------------------------------------------------------

  // Make `old` what `fresh` is. Where their children match one by one, only those that differ are touched.
  function mend(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    const alike = old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName;
    if (alike && old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
    if (!alike) { old.replaceWith(old.ownerDocument.importNode(fresh, true)); return; }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    let before = [...old.childNodes], after = [...fresh.childNodes];
    // What begins and ends alike stays: a review more or less moves its neighbours, and changes none of them.
    while (before.length && after.length && before[0].isEqualNode(after[0])) { before.shift(); after.shift(); }
    while (before.length && after.length && before.at(-1).isEqualNode(after.at(-1))) { before.pop(); after.pop(); }
    if (before.length === after.length) { before.forEach((node, at) => mend(node, after[at])); return; }
    const end = before.length ? before.at(-1).nextSibling : after.length ? next(old, fresh, after) : null;
    before.forEach((node) => node.remove());
    after.forEach((node) => old.insertBefore(old.ownerDocument.importNode(node, true), end));
  }
  const next = (old, fresh, after) => old.childNodes[[...fresh.childNodes].indexOf(after[0])] ?? null;

  function show(frame, html) {
    const held = frame.contentDocument;
    if (!held?.documentElement) return false;
    // A parser of the frame's own, under the policy of the frame: ours would refuse the letter its styles.
    const made = new frame.contentWindow.DOMParser().parseFromString(html, "text/html");
    mend(held.documentElement, made.documentElement);
    return true;
  }

  function put(answer) {
    for (const look of looks()) {
      const text = answer[look.dataset.look];
      if (text === undefined) continue;
      if (look.dataset.look === "text") look.textContent = text;
      else if (!show(look, text)) look.src = look.getAttribute("src");
    }
    for (const place of document.querySelectorAll("[data-said]")) {
      const said = answer[place.dataset.said], most = Number(place.dataset.most);
      place.textContent = [...said].slice(0, most).join("") + ([...said].length > most ? "…" : "");
    }
    const title = document.querySelector(".desk-head h1");
    if (title && answer.subject) title.textContent = answer.subject;
  }

  // --- asking for one: never two at a time; what is typed meanwhile is in the next --------------------------------------

  let asking = false, wanted = false;
  const form = () => document.querySelector("form.words");

  async function ask() {
    wanted = true;
    if (asking || !form() || !document.getElementById("table").dataset.try) return;
    asking = true;
    try {
      while (wanted) {
        wanted = false;
        await once();
      }
    } finally {
      asking = false;
    }
  }

  async function once() {
    const data = new FormData(form());
    for (const kind of new Set(looks().map((look) => look.dataset.look))) data.append("look", kind);
    let answer;
    try {
      const got = await fetch(document.getElementById("table").dataset.try, { method: "POST", body: data });
      // Whoever is logged out, or cut off, hears of it when a field is saved: what is typed is still there.
      if (!got.ok || got.redirected) return;
      answer = await got.json();
    } catch {
      return;
    }
    const problem = document.getElementById("broken");
    if (problem) {
      const note = document.createElement("p");
      note.className = "note bad";
      note.textContent = answer.problem;
      problem.replaceChildren(...(answer.problem ? [note] : []));
    }
    if (answer.subject !== undefined) {
      put(answer);
      document.dispatchEvent(new CustomEvent("desk:shown"));
    }
  }

  document.addEventListener("input", (event) => { if (event.target.closest?.("form.words")) ask(); });

  // --- where somebody reads -------------------------------------------------------------------------------------------

  function remember() {
    const at = frames().map((frame) => frame.contentWindow?.scrollY ?? 0);
    if (at.length) sessionStorage.setItem(place, JSON.stringify(at));
  }
  function ready(frame, index) {
    frame.contentDocument.addEventListener("click", point);
    frame.contentDocument.addEventListener("keydown", hand);
    const at = JSON.parse(sessionStorage.getItem(place) ?? "[]")[index];
    if (at) frame.contentWindow.scrollTo(0, at);
  }
  addEventListener("pagehide", remember);

  // --- a press on the letter leads to the field that it comes from; nothing in the letter does anything by itself --------

  function point(event) {
    if (event.defaultPrevented || event.button > 0) return;
    event.preventDefault();
    const target = event.target.nodeType === Node.ELEMENT_NODE ? event.target : event.target.parentElement;
    const link = target?.closest("a[href]"), picture = target?.closest("img");
    // The smallest thing with words of its own: a paragraph, not the table around it.
    const whole = (picture ? null : link ?? target?.closest("p, h1, h2, h3, td, div, span"))?.textContent.trim() ?? "";
    const asked = new URL(document.getElementById("table").dataset.pointed, location.href);
    asked.searchParams.set("text", whole.slice(0, 2000));
    asked.searchParams.set("link", link?.getAttribute("href") ?? "");
    asked.searchParams.set("picture", picture?.getAttribute("src") ?? "");
    location.assign(asked);
  }
  // Whoever reads in the letter has the keys of the desk.
  function hand(event) {
    if (!document.dispatchEvent(new KeyboardEvent("keydown", event))) event.preventDefault();
  }
  frames().forEach((frame, index) => {
    const loaded = () => { try { ready(frame, index); } catch { /* a page that is not ours: nothing to restore */ } };
    frame.addEventListener("load", loaded);
    if (frame.contentDocument?.readyState === "complete") loaded();
  });

  return { ask };
})();
