(function () {
  "use strict";
  var form = "KOPRU_FORM";
  var script = document.currentScript;

  function node(tag, attributes, children) {
    var made = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      if (attributes[name] !== false && attributes[name] !== undefined) made.setAttribute(name, attributes[name]);
    });
    (children || []).forEach(function (child) {
      made.append(child);
    });
    return made;
  }

  function paragraphs(wording) {
    return wording.paragraphs.map(function (text) {
      return node("p", {}, [text]);
    });
  }

  function field(it) {
    var hint = it.hint ? [node("p", { class: "small", id: it.name + "-hint" }, [it.hint])] : [];
    var input = node("input", {
      id: it.name, name: it.name, type: it.type, autocomplete: it.autocomplete, maxlength: "254",
      required: it.required ? "" : false, "aria-describedby": it.hint ? it.name + "-hint" : false
    });
    return node("div", { class: "field" }, [node("label", { for: it.name }, [it.label])].concat(hint, [input]));
  }

  function page() {
    var bytes = new Uint8Array(16);
    crypto.getRandomValues(bytes);
    return Array.prototype.map.call(bytes, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
  }

  function build(host) {
    var root = host.attachShadow({ mode: "open" });
    var sheet = new CSSStyleSheet();
    sheet.replaceSync(form.css);
    root.adoptedStyleSheets = [sheet];
    var name = page();
    var status = node("div", { role: "status", "aria-live": "polite", tabindex: "-1" });
    var boxes = form.boxes.map(function (box) {
      var input = node("input", { type: "checkbox", name: "channels", value: box.value });
      return node("label", {}, [input, node("span", {}, [box.label])]);
    });
    var trap = node("div", { class: "trap", "aria-hidden": "true" }, [
      node("label", { for: "website" }, [form.trap]),
      node("input", { id: "website", name: "website", type: "text", tabindex: "-1", autocomplete: "off" })
    ]);
    var button = node("button", { type: "submit" }, [form.send]);
    var element = node("form", { novalidate: "" }, [
      node("fieldset", {}, [node("legend", {}, [form.legend]), node("p", { class: "small" }, [form.hint])].concat(boxes))
    ].concat(form.fields.map(field), [trap, button]));
    var main = node("div", { class: "kopru", lang: form.lang }, [
      node("p", {}, [node("strong", {}, [form.company])]),
      node("p", { class: "small" }, [form.mersis]),
      node("h2", {}, [form.heading]),
      status,
      node("section", {}, [node("h2", {}, [form.textHeading]), node("p", {}, [node("strong", {}, [form.text.title])])].concat(paragraphs(form.text))),
      node("details", {}, [node("summary", {}, [form.noticeHeading + ": " + form.notice.title])].concat(paragraphs(form.notice))),
      element
    ]);
    root.append(main);

    function say(text, errors) {
      status.replaceChildren(node("p", { class: errors ? "error" : false }, [text]));
      if (errors && errors.length) {
        status.append(node("ul", {}, errors.map(function (error) { return node("li", {}, [error.title]); })));
      }
      status.focus();
    }

    element.addEventListener("submit", function (event) {
      event.preventDefault();
      button.disabled = true;
      var data = new FormData(element);
      var body = { channels: data.getAll("channels"), page: name, lang: form.lang, website: data.get("website") || "" };
      form.fields.forEach(function (it) { body[it.name] = data.get(it.name) || ""; });
      fetch(form.action, {
        method: "POST", mode: "cors", credentials: "omit",
        headers: { "content-type": "application/json" }, body: JSON.stringify(body)
      }).then(function (answer) {
        return answer.json();
      }).then(function (answer) {
        if (answer.result === "taken") {
          element.remove();
          say(answer.title);
        } else if (answer.result === "confirm") {
          element.remove();
          say(answer.title);
          if (answer.page) {
            var there = new URL(answer.page, form.action).href;
            status.append(node("p", {}, [node("a", { href: there }, [answer.open])]));
          }
        } else {
          button.disabled = false;
          say(answer.title || form.failed, answer.errors || []);
        }
      }).catch(function () {
        button.disabled = false;
        say(form.failed, []);
      });
    });
  }

  function start() {
    var target = script && script.dataset.target ? document.getElementById(script.dataset.target) : null;
    var host = node("div", {});
    if (target) {
      target.append(host);
    } else if (script && script.parentNode && script.parentNode.nodeName !== "HEAD") {
      script.parentNode.insertBefore(host, script);
    } else {
      document.body.append(host);
    }
    build(host);
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
