// The form of a newsletter on a magazine's own page. It talks to one address, sends no cookie and stores nothing.
(function () {
  "use strict";
  var where = {{ where|tojson }}, trap = {{ trap|tojson }};
  var hosts = document.querySelectorAll("[data-newsletter-form='" + {{ slug|tojson }} + "']");
  if (!hosts.length || !window.fetch) return;

  function element(name, attributes, text) {
    var made = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text) made.textContent = text;
    return made;
  }

  function build(host, number, about) {
    var id = "newsletter-" + number + "-";
    var rtl = about.language === "ar";
    var form = element("form", { "class": "newsletter-form", novalidate: "", lang: about.language, dir: rtl ? "rtl" : "ltr" });
    var said = element("p", { "class": "newsletter-said", role: "status", id: id + "said" });
    form.appendChild(element("h2", {}, about.heading));
    form.appendChild(element("p", {}, about.sub));
    form.appendChild(element("label", { "for": id + "address" }, about.words.address));
    var address = element("input", { id: id + "address", type: "email", name: "address", autocomplete: "email", dir: "ltr", required: "", "aria-describedby": id + "said" });
    form.appendChild(address);
    var name = null;
    if (about.ask_name) {
      form.appendChild(element("label", { "for": id + "name" }, about.words.name + " (" + about.words.optional + ")"));
      name = form.appendChild(element("input", { id: id + "name", type: "text", name: "name", autocomplete: "given-name" }));
    }
    var ticks = [];
    if (about.topics.length) {
      var group = form.appendChild(element("fieldset"));
      group.appendChild(element("legend", {}, about.words.topics + " (" + about.words.optional + ")"));
      about.topics.forEach(function (topic) {
        var label = group.appendChild(element("label"));
        var tick = element("input", { type: "checkbox", value: topic.key });
        ticks.push(tick);
        label.appendChild(tick);
        label.appendChild(document.createTextNode(" " + topic.label));
      });
    }
    var hidden = element("input", { type: "text", name: trap, tabindex: "-1", autocomplete: "off", "aria-hidden": "true" });
    hidden.style.cssText = "position:absolute;inset-inline-start:-999rem";
    form.appendChild(hidden);
    form.appendChild(said);
    var consent = form.appendChild(element("p", { "class": "newsletter-consent" }, about.consent + " "));
    if (about.privacy) consent.appendChild(element("a", { href: about.privacy }, about.words.privacy));
    form.appendChild(element("button", {}, about.button));
    var stamp = about.stamp;

    function send(sure) {
      fetch(where + "?lang=" + about.language, {
        method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ address: address.value, name: name ? name.value : "", stamp: stamp, company: hidden.value, sure: sure, page: location.href,
          topics: ticks.filter(function (tick) { return tick.checked; }).map(function (tick) { return tick.value; }) })
      }).then(function (answer) { return answer.json(); }).then(function (answer) {
        if (answer.ok) { form.replaceChildren(element("p", { role: "status", tabindex: "-1" }, answer.message)); form.firstChild.focus(); return; }
        stamp = answer.stamp || stamp;
        said.textContent = answer.message;
        if (answer.field === "address") { address.setAttribute("aria-invalid", "true"); address.focus(); }
        if (answer.suggestion) {
          var use = element("button", { type: "button" }, about.words.use.replace("{address}", answer.suggestion));
          use.addEventListener("click", function () { address.value = answer.suggestion; send(true); });
          said.appendChild(document.createTextNode(" "));
          said.appendChild(use);
          form.dataset.sure = address.value;
        }
      }).catch(function () { said.textContent = about.words.failed; });
    }

    form.addEventListener("submit", function (event) {
      event.preventDefault();
      send(form.dataset.sure === address.value);
    });
    host.replaceChildren(form);
  }

  fetch(where + "?lang=" + encodeURIComponent(document.documentElement.lang || ""), { credentials: "omit" })
    .then(function (answer) { return answer.json(); })
    .then(function (about) { if (about.open) hosts.forEach(function (host, number) { build(host, number, about); }); })
    .catch(function () { /* what stands in the element, a plain form, stays */ });
})();
