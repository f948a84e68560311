// Keys of the first page. Whoever types into a field, or holds a modifier, means something else.
"use strict";
{
  // On a phone the strip is wider than the window: begin at what comes next, and leave the page where it is.
  const strip = document.querySelector(".strip");
  const here = strip && strip.querySelector(".here");
  if (here) strip.scrollLeft = here.offsetLeft - strip.offsetLeft - (strip.clientWidth - here.clientWidth) / 2;
}
document.addEventListener("keydown", function (event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const at = event.target;
  if (at instanceof Element && at.closest("input, textarea, select, button, summary, a, [contenteditable]")) return;
  const follow = { ArrowLeft: "earlier", ArrowRight: "later", Enter: "primary" }[event.key];
  const open = { n: "new", "?": "help" }[event.key];
  const link = follow && document.getElementById(follow);
  const part = open && document.getElementById(open);
  if (link) {
    link.click();
  } else if (part) {
    part.parentElement.open = true;
    const field = part.parentElement.querySelector("input:not([type=hidden])");
    (field || part).focus();
  } else if (event.key === "/" && document.getElementById("q")) {
    document.getElementById("q").focus();
  } else {
    return;
  }
  event.preventDefault();
});
