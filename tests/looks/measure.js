// What a person's eye meets in a rendered letter. Evaluated once per document; gives an object of functions.
(() => {
  const clamp = (v) => Math.min(1, Math.max(0, v));
  const parse = (text) => {
    const found = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/.exec(text);
    if (!found) throw new Error(`not a colour that is understood: ${text}`);
    return [found[1] / 255, found[2] / 255, found[3] / 255, found[4] === undefined ? 1 : +found[4]];
  };
  const over = (top, below) => {
    const rest = below[3] * (1 - top[3]), whole = top[3] + rest;
    if (!whole) return [0, 0, 0, 0];
    return [...[0, 1, 2].map((i) => (top[i] * top[3] + below[i] * rest) / whole), whole];
  };
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const encoded = (v) => clamp(v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);
  const luminance = (c) => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const css = (c) => `rgba(${c.slice(0, 3).map((v) => Math.round(v * 255)).join(", ")}, ${c[3]})`;

  // --- lightness turned round, as clients do that make a letter dark themselves ---------------------------------
  const WHITE = [0.95047, 1, 1.08883]; // D65
  const toLab = (c) => {
    const [r, g, b] = c.map(linear);
    const xyz = [
      0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
      0.2126729 * r + 0.7151522 * g + 0.072175 * b,
      0.0193339 * r + 0.119192 * g + 0.9503041 * b,
    ].map((v, i) => v / WHITE[i]).map((v) => (v > 216 / 24389 ? Math.cbrt(v) : (24389 / 27 * v + 16) / 116));
    return [116 * xyz[1] - 16, 500 * (xyz[0] - xyz[1]), 200 * (xyz[1] - xyz[2])];
  };
  const fromLab = ([l, a, b], alpha) => {
    const y = (l + 16) / 116;
    const [x0, y0, z0] = [y + a / 500, y, y - b / 200]
      .map((v) => (v ** 3 > 216 / 24389 ? v ** 3 : (116 * v - 16) * 27 / 24389)).map((v, i) => v * WHITE[i]);
    return [
      3.2404542 * x0 - 1.5371385 * y0 - 0.4985314 * z0,
      -0.969266 * x0 + 1.8760108 * y0 + 0.041556 * z0,
      0.0556434 * x0 - 0.2040259 * y0 + 1.0572252 * z0,
    ].map(encoded).concat(alpha);
  };
  const DARKEST = toLab([0.2, 0.2, 0.2])[0]; // #333, the ground that Outlook.com puts a letter on
  const ways = {
    // Lightness in CIELAB, everything: what Gmail on iOS and Outlook on Windows do to a letter.
    forced: (c) => { const lab = toLab(c); return fromLab([100 - lab[0], lab[1], lab[2]], c[3]); },
    // Every channel, then the hue back again: what plain inversion (and most extensions) does.
    inverted: (c) => {
      const [r, g, b] = c.slice(0, 3).map((v) => 1 - v);
      return [
        -0.574 * r + 1.43 * g + 0.144 * b, 0.426 * r + 0.43 * g + 0.144 * b, 0.426 * r + 1.43 * g - 0.856 * b,
      ].map(clamp).concat(c[3]);
    },
    // Outlook.com: lightness in CIELAB between the dark ground and white.
    outlook: (c) => {
      const lab = toLab(c);
      return fromLab([(100 - lab[0]) * (100 - DARKEST) / 100 + DARKEST, lab[1], lab[2]], c[3]);
    },
  };
  const SIDES = ["Top", "Right", "Bottom", "Left"];

  // What clients that darken a letter themselves do first: they know no prefers-color-scheme, be it light or dark.
  function forgetSchemes() {
    for (const sheet of document.styleSheets) {
      for (let i = sheet.cssRules.length - 1; i >= 0; i--) {
        if (sheet.cssRules[i].conditionText?.includes("prefers-color-scheme")) sheet.deleteRule(i);
      }
    }
  }

  function invert(way) {
    const turn = ways[way];
    const all = [document.documentElement, ...document.body.querySelectorAll("*"), document.body];
    const work = all.map((el) => {
      const now = getComputedStyle(el);
      return [el, now.color, now.backgroundColor, SIDES.map((side) => now[`border${side}Color`])];
    });
    for (const [el, color, ground, borders] of work) {
      const set = (name, value) => el.style.setProperty(name, css(turn(parse(value))), "important");
      set("color", color);
      if (parse(ground)[3]) set("background-color", ground);
      borders.forEach((value, i) => set(`border-${SIDES[i].toLowerCase()}-color`, value));
    }
    if (!parse(getComputedStyle(document.documentElement).backgroundColor)[3]) {
      document.documentElement.style.setProperty("background-color", css(turn([1, 1, 1, 1])), "important");
    }
  }

  // Only light grounds and dark texts, and only where an element has a colour of its own; `authored` gives the letter's
  // rules for [data-ogsc] and [data-ogsb] their chance first, as Outlook.com does and Gmail on Android does not.
  function invertPartly(authored) {
    const own = (el) => ({
      color: el.style.color !== "",
      ground: el.style.backgroundColor !== "" || el.hasAttribute("bgcolor"),
    });
    const held = { color: new Set(), ground: new Set() };
    const all = [document.body, ...document.body.querySelectorAll("*")];
    if (authored) {
      for (const el of all) {
        if (own(el).color || el === document.body) el.setAttribute("data-ogsc", "");
        if (own(el).ground || el === document.body) el.setAttribute("data-ogsb", "");
      }
      for (const sheet of document.styleSheets) {
        for (const rule of sheet.cssRules) {
          if (!rule.selectorText || !rule.selectorText.includes("data-ogs")) continue;
          for (const el of document.querySelectorAll(rule.selectorText)) {
            if (rule.style.color) held.color.add(el);
            if (rule.style.backgroundColor) held.ground.add(el);
          }
        }
      }
    }
    const turn = authored ? ways.outlook : ways.forced;
    const work = all.map((el) => {
      const now = getComputedStyle(el), mine = own(el);
      const color = parse(now.color), ground = parse(now.backgroundColor);
      return [
        el,
        (mine.color || el === document.body) && !held.color.has(el) && toLab(color)[0] < 60 ? color : null,
        (mine.ground || el === document.body) && !held.ground.has(el) && ground[3] && toLab(ground)[0] > 50 ? ground : null,
      ];
    });
    for (const [el, color, ground] of work) {
      if (color) el.style.setProperty("color", css(turn(color)), "important");
      if (ground) el.style.setProperty("background-color", css(turn(ground)), "important");
    }
    if (!parse(getComputedStyle(document.body).backgroundColor)[3]) {
      document.body.style.setProperty("background-color", "rgb(51, 51, 51)", "important");
    }
  }

  // --- measuring ------------------------------------------------------------------------------------------------
  const canvas = () =>
    (document.querySelector("meta[name=color-scheme]")?.content ?? getComputedStyle(document.documentElement).colorScheme)
      .includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches ? [18 / 255, 18 / 255, 18 / 255, 1] : [1, 1, 1, 1];

  function groundOf(el) {
    const layers = [];
    for (let at = el; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") throw new Error("a picture lies behind text: its contrast can't be known");
      const ground = parse(style.backgroundColor);
      layers.push(ground);
      if (ground[3] === 1) break;
    }
    return layers.reduceRight((below, top) => over(top, below), canvas());
  }

  const seen = (el) => el.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true });
  const where = (el) => {
    const names = [];
    for (let at = el; at && at !== document.body; at = at.parentElement) {
      if (at.className) names.unshift(`.${String(at.className).trim().replace(/\s+/g, ".")}`);
    }
    return `${names.slice(-3).join(" ")} ${el.tagName.toLowerCase()}`.trim();
  };

  function* texts() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, el = node.parentElement;
      if (node.textContent.trim() && !["STYLE", "SCRIPT"].includes(el.tagName) && seen(el)) yield [el, node];
    }
  }

  function pairs() {
    const found = [];
    const add = (el, text) => {
      const ground = groundOf(el);
      let alpha = 1;
      for (let at = el; at; at = at.parentElement) alpha *= +getComputedStyle(at).opacity;
      const own = parse(getComputedStyle(el).color);
      const color = over([own[0], own[1], own[2], own[3] * alpha], ground);
      found.push({
        ratio: Math.round(contrast(color, ground) * 100) / 100, color: css(color), ground: css(ground),
        text: text.trim().replace(/\s+/g, " ").slice(0, 40), where: where(el),
      });
    };
    for (const [el, node] of texts()) add(el, node.textContent);
    for (const img of document.images) if (img.alt && seen(img)) add(img, `[picture] ${img.alt}`);
    return found;
  }

  function overflow() {
    const width = document.documentElement.clientWidth, found = [];
    const judge = (rect, el, what) => {
      if (rect.width > 0 && rect.height > 0 && (rect.right > width + 0.5 || rect.left < -0.5)) {
        found.push(`${where(el)} ${what}: ${Math.round(rect.left)} to ${Math.round(rect.right)} of ${width}`);
      }
    };
    for (const el of document.body.querySelectorAll("*")) if (seen(el)) judge(el.getBoundingClientRect(), el, "box");
    const range = document.createRange();
    for (const [el, node] of texts()) {
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) judge(rect, el, `text “${node.textContent.trim().slice(0, 24)}”`);
    }
    if (document.documentElement.scrollWidth > width) found.push(`scrolls to ${document.documentElement.scrollWidth}`);
    return [...new Set(found)];
  }

  // Text that lies on other text, or is cut by its own box: what a broken layout looks like to a machine.
  function collisions() {
    const boxes = [], range = document.createRange();
    for (const [el, node] of texts()) {
      if (el.closest("[aria-hidden=true]")) continue; // an ornament may hang over: its box is mostly air
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        if (rect.width > 1 && rect.height > 1) boxes.push([rect, el, node.textContent.trim().slice(0, 24)]);
      }
    }
    boxes.sort((a, b) => a[0].top - b[0].top);
    const found = [];
    boxes.forEach(([a, el, text], i) => {
      for (let j = i + 1; j < boxes.length && boxes[j][0].top < a.bottom; j++) {
        const b = boxes[j][0];
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        // Lines set tightly share a third of a line's box without touching letters.
        if (wide > 2 && high > 0.45 * Math.min(a.height, b.height)) found.push(`“${text}” on “${boxes[j][2]}”, ${where(el)}`);
      }
    });
    return [...new Set(found)];
  }

  // Words broken in the middle although they are short: their column is too narrow to be read.
  function broken() {
    const found = [], range = document.createRange();
    for (const [el, node] of texts()) {
      for (const word of node.textContent.matchAll(/[\p{L}\p{N}]{2,12}(?![\p{L}\p{N}])/gu)) {
        if (/[\p{L}\p{N}]/u.test(node.textContent[word.index - 1] ?? "")) continue; // the end of a longer one
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].filter((rect) => rect.width > 0).map((rect) => Math.round(rect.top)));
        if (lines.size > 1) found.push(`“${word[0]}”, ${where(el)}`);
      }
    }
    return [...new Set(found)];
  }

  // Where most lines of text in `el` begin (on the right, where text runs from there), and the share of lines that do.
  function edge(el) {
    const walker = document.createTreeWalker(el, NodeFilter.SHOW_TEXT), range = document.createRange();
    const lines = new Map();
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (!node.textContent.trim() || !seen(node.parentElement)) continue;
      range.selectNodeContents(node);
      const rtl = getComputedStyle(node.parentElement).direction === "rtl";
      for (const rect of range.getClientRects()) {
        const begins = rtl ? -rect.right : rect.left, line = Math.round(rect.bottom / 8);
        lines.set(line, Math.min(begins, lines.get(line) ?? Infinity));
      }
    }
    const counts = new Map();
    for (const begins of lines.values()) {
      const at = Math.round(Math.abs(begins));
      counts.set(at, (counts.get(at) ?? 0) + 1);
    }
    const [at, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [-1, 0];
    return { edge: at, agreed: lines.size > 2 ? Math.round(100 * count / lines.size) / 100 : 0 };
  }

  // The blocks: the sections that stand one below the other, in page pixels.
  function blocks() {
    const root = document.querySelector("[role=article]") || document.body.firstElementChild;
    return [...root.children].filter(seen).map((el) => {
      const box = el.getBoundingClientRect();
      return { x: box.left + scrollX, y: box.top + scrollY, width: box.width, height: box.height, ...edge(el) };
    }).filter((box) => box.height >= 1 && box.width >= 1);
  }

  return { forgetSchemes, invert, invertPartly, pairs, overflow, collisions, broken, blocks };
})()
