// The desk, quicker: saves when a field is left, keys, dragging. The page is whole without it: every form and link below
// is the server's own, and what comes back is the server's own page, of which the changed parts are put in place.
"use strict";
(() => {
  const speech = document.currentScript.dataset;
  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("saved").textContent = text; };
  const typing = (target) => target instanceof Element && target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  let queue = Promise.resolve();
  let failed = false;
  let out = false;

  // --- saving ---------------------------------------------------------------------------------------------------------

  // Of a page as it is now: the parts that nobody types in. Fields that somebody typed in since stay as they are.
  function take(page, status) {
    put(page, ["outline", "problem", "steps"]);
    if (status === 409) byId("words").replaceChildren(...page.getElementById("words").childNodes);
    deskLetter.ask();
    later();
    arm();
  }

  function put(page, ids) {
    for (const id of ids) {
      const fresh = page.getElementById(id);
      if (fresh && byId(id)) byId(id).replaceChildren(...fresh.childNodes);
    }
  }

  // Checks and sizes ask for the whole letter to be compiled and looked through: when nobody has typed for a moment.
  const PAUSE = 700;
  let timer = 0, asked = 0;
  function later() {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  }
  async function look() {
    const number = ++asked;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok || answer.redirected || number !== asked) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      put(page, ["checks", "count", "size"]);
      if (!byId("frames") !== !page.getElementById("frames")) {
        document.querySelector(".middle").replaceChildren(...page.querySelector(".middle").childNodes);
      }
    } catch { /* no connection: the next save says so */ }
  }
  document.addEventListener("input", () => { if (timer) later(); });

  function takeWords(page, sent) {
    const here = byId("words").querySelector("form");
    const there = page.getElementById("words").querySelector("form");
    if (!here || !there || here.elements.at.value !== there.elements.at.value) return;
    for (const field of here.querySelectorAll("[name^=was_]")) {
      const fresh = there.elements[field.name];
      const own = here.elements[field.name.slice(4)];
      if (!fresh) continue;
      field.value = fresh.value;
      const chip = there.querySelector(`[data-chip="${field.name.slice(4)}"]`);
      const old = here.querySelector(`[data-chip="${field.name.slice(4)}"]`);
      if (chip && old) { old.textContent = chip.textContent; old.className = chip.className; }
      const saved = own && own.type !== "checkbox" && own.type !== "hidden" && sent.get(own.name) === own.value;
      if (saved && document.activeElement !== own) own.value = there.elements[own.name].value;
    }
  }

  // A log-in, in another tab too, makes the token of every form here void: this fetches the new one. False: still out.
  async function renewed(data) {
    const answer = await fetch(location.href, { redirect: "manual" });
    const page = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page && page.querySelector("[name=csrfmiddlewaretoken]")?.value;
    out = !token;
    if (!token) return false;
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
    if (data) data.set("csrfmiddlewaretoken", token);
    return true;
  }

  function send(action, data, words, whole) {
    say(speech.saving);
    queue = queue.then(async () => {
      let answer;
      failed = true;
      try {
        // keepalive: a link that was followed at once must not take back what was typed.
        const post = () => fetch(action, { method: "POST", body: data, keepalive: true, headers: { "X-Requested-With": "desk" } });
        answer = await post();
        if (answer.status === 403 && await renewed(data)) answer = await post();
      } catch {
        say(speech.offline);
        whenBack();
        return;
      }
      if (answer.status === 403) {
        say(out ? speech.out : speech.refused);
        return;
      }
      if (!answer.ok && answer.status !== 409) {
        say(speech.broken);
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      failed = answer.status === 409;
      if (answer.status !== 409 && words) takeWords(page, data);
      if (answer.status !== 409 && whole) byId("words").replaceChildren(...page.getElementById("words").childNodes);
      take(page, answer.status);
      const now = byId("saved").dataset.zone;
      const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: now }).format(new Date());
      const told = page.getElementById("saved").textContent;
      const saved = speech.saved.replace("{time}", () => time);
      say(answer.status === 409 ? speech.unsaved : [told, saved].filter(Boolean).join(" "));
    });
    return queue;
  }

  // What could not be saved for want of a connection is sent when the browser has one again, or the server answers.
  const PATIENCE = 5000;
  let waiting = 0;
  function whenBack() {
    clearTimeout(waiting);
    waiting = setTimeout(resend, PATIENCE);
  }
  function resend() {
    clearTimeout(waiting);
    const form = document.querySelector("form.words[data-kind=words]");
    if (failed && form && changed(form)) send(form.action, new FormData(form), true);
  }
  addEventListener("online", () => { if (waiting) resend(); });

  function changed(form) {
    return [...form.querySelectorAll("[name^=was_]")].some((was) => {
      const own = form.elements[was.name.slice(4)];
      if (!own || own === was) return false;
      const value = own.type === "checkbox" ? (own.checked ? "yes" : "") : own.value;
      return value.trim() !== was.value.trim();
    });
  }

  document.addEventListener("focusout", (event) => {
    const form = event.target.closest?.("form.words[data-kind=words]");
    const next = event.relatedTarget;
    // A button of the form itself sends it anyway.
    if (form && changed(form) && !(next && next.form === form && next.tagName === "BUTTON")) send(form.action, new FormData(form), true);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form.words[data-kind=words]");
    if (form && event.target.type === "checkbox") send(form.action, new FormData(form), true);
  });
  // Taking back: the form of words is the server's then, whatever it was about.
  async function stepBack(form, button) {
    const here = byId("words").querySelector("form");
    if (here && here.dataset.kind === "words" && changed(here)) await send(here.action, new FormData(here), true);
    await send(form.action, new FormData(form, button), false, true);
    byId("steps")?.querySelector(`[value=${button.value}]`)?.focus();
  }
  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    if (out && target.method === "post") {
      event.preventDefault();
      renewed().then((is) => { if (is) target.requestSubmit(submitter); else say(speech.out); }, () => say(speech.out));
      return;
    }
    if (target.id === "steps") {
      event.preventDefault();
      stepBack(target, submitter);
      return;
    }
    if (!target.closest(".outline, #checks")) {
      failed = false;
      return;
    }
    event.preventDefault();
    const back = event.submitter && event.target.closest("[id]") ? event.target.closest(".item")?.id : "";
    const verb = event.submitter?.value;
    send(event.target.action, new FormData(event.target, event.submitter), false).then(() => again(back, verb));
  });
  addEventListener("beforeunload", (event) => {
    const form = document.querySelector("form.words[data-kind=words]");
    if (failed && form && changed(form)) event.preventDefault();
  });

  // The outline was put in place anew: focus goes back to where it was.
  function again(id, verb) {
    const item = id && byId(id);
    if (!item) return;
    const button = [...item.querySelectorAll("button")].find((one) => one.value === verb);
    const details = item.querySelector("details");
    if (details && button) details.open = true;
    (button || item.querySelector(".name"))?.focus?.();
  }

  // --- dragging ---------------------------------------------------------------------------------------------------------

  let dragged = null;
  function arm() {
    for (const item of document.querySelectorAll(".outline .item[data-review]")) item.draggable = Boolean(item.querySelector("form"));
  }
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".item[draggable=true]");
    if (!dragged) return;
    dragged.classList.add("dragged");
    event.dataTransfer.setData("text/plain", dragged.dataset.review);
    event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    if (!dragged || !event.target.closest?.(".outline [data-group]")) return;
    event.preventDefault();
    document.querySelector(".item.over")?.classList.remove("over");
    event.target.closest(".item")?.classList.add("over");
  });
  document.addEventListener("drop", (event) => {
    const group = dragged && event.target.closest?.(".outline [data-group]");
    if (!group) return;
    event.preventDefault();
    const item = event.target.closest(".item");
    const data = new FormData(dragged.querySelector("form"));
    const end = group.dataset.group === "lines" ? "lines" : "cards";
    data.set("verb", "before");
    data.set("other", item ? item.dataset.review : end);
    send(dragged.querySelector("form").action, data, false);
  });
  document.addEventListener("dragend", () => {
    for (const item of document.querySelectorAll(".item.over, .item.dragged")) item.classList.remove("over", "dragged");
    dragged = null;
  });

  // --- keys ---------------------------------------------------------------------------------------------------------------

  let going = false;
  // There the keyboard goes on, too.
  function go(place) {
    if (!place) return;
    place.tabIndex = -1;
    place.focus();
    place.scrollIntoView();
  }
  const chosen = () => document.querySelector(".outline .item.chosen");
  function step(by) {
    const items = [...document.querySelectorAll(".outline .item[data-review]")];
    const at = items.indexOf(chosen());
    const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : at + by];
    if (next) next.querySelector("a.name").click();
  }
  function press(verb) {
    const button = [...(chosen()?.querySelectorAll("button") ?? [])].find((one) => verb.includes(one.value));
    if (button) button.form.requestSubmit(button);
  }
  // In a field that was not left yet the browser takes back what was typed there; else the last edit that was saved.
  function undoing(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !["z", "y"].includes(event.key.toLowerCase())) return false;
    const own = typing(event.target), was = own?.form?.elements[`was_${own.name}`];
    if (own && (!was || own.value.trim() !== was.value.trim())) return false;
    const redo = event.shiftKey || event.key.toLowerCase() === "y";
    const button = byId("steps")?.querySelector(`[value=${redo ? "redo" : "undo"}]`);
    if (!button || button.disabled) return false;
    event.preventDefault();
    button.form.requestSubmit(button);
    return true;
  }
  document.addEventListener("keydown", (event) => {
    if (undoing(event)) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && byId("to-send")) {
      event.preventDefault();
      // What stands in a field is saved first, as it is when the field is left.
      document.activeElement?.blur?.();
      queue.then(() => { if (!failed) byId("to-send").click(); });
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || typing(event.target) || byId("help").open) return;
    if (event.altKey) {
      if (event.key === "ArrowUp") { event.preventDefault(); press(["up"]); }
      if (event.key === "ArrowDown") { event.preventDefault(); press(["down"]); }
      return;
    }
    if (["Shift", "Control", "Alt", "Meta", "AltGraph"].includes(event.key)) return;
    if (going) {
      going = false;
      const there = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      const place = { t: "tray", k: "checks" }[event.key];
      if (event.key === "l") document.querySelector(".outline .item a.name")?.click();
      else if (there) there.click();
      else if (place) go(byId(place));
      event.preventDefault();
      return;
    }
    const view = document.querySelector(`.tabs [data-key="${CSS.escape(event.key)}"]`);
    if (view) return view.click();
    const keys = {
      j: () => step(1), k: () => step(-1), p: () => press(["pin", "unpin"]), x: () => press(["exclude"]),
      e: () => { document.querySelector("form.words input[type=text], form.words textarea")?.focus(); },
      g: () => { going = true; },
      m: () => { const more = chosen()?.querySelector("details"); if (more) { more.open = true; more.querySelector("button")?.focus(); } },
      "?": () => byId("help").showModal(),
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  // A link to a field (a check, a press on the letter) puts the cursor there, once the browser has gone to its place:
  // going to what takes no cursor takes it away.
  const land = () => { if (location.hash.startsWith("#f-")) byId(`w-${location.hash.slice(3)}`)?.focus(); };
  addEventListener("load", () => setTimeout(land));
  addEventListener("hashchange", land);
  arm();
})();
