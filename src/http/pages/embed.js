(function () {
  "use strict";
  var form = "KOPRU_FORM";
  var script = document.currentScript;

  function node(tag, attributes, children) {
    var made = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      var value = attributes[name];
      if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    });
    (children || []).forEach(function (child) {
      if (child) made.append(child);
    });
    return made;
  }

  function wording(it) {
    return it.paragraphs.map(function (text) {
      return node("p", {}, [text]);
    });
  }

  function titled(heading, title) {
    return title === heading ? null : title;
  }

  function header() {
    return node("div", { class: "head" }, [
      node("div", { class: "who" }, [
        node("p", { class: "name" }, [form.company]),
        form.brand !== form.company && node("p", {}, [form.brand]),
        node("p", {}, [form.mersis])
      ])
    ]);
  }

  function box(it) {
    return node("label", { class: "box" }, [
      node("input", { type: "checkbox", name: "channels", value: it.value }),
      node("span", {}, [it.label])
    ]);
  }

  function field(it) {
    return node("div", { class: "field" }, [
      node("label", { for: it.name }, [it.label]),
      it.hint && node("p", { class: "small", id: it.name + "-hint" }, [it.hint]),
      node("input", {
        id: it.name, name: it.name, type: it.type, autocomplete: it.autocomplete, maxlength: "254",
        required: it.required ? "" : false, "aria-describedby": it.hint ? it.name + "-hint" : false
      })
    ]);
  }

  function trap() {
    return node("div", { class: "trap", "aria-hidden": "true" }, [
      node("label", { for: "website" }, [form.trap]),
      node("input", { id: "website", name: "website", type: "text", tabindex: "-1", autocomplete: "off" })
    ]);
  }

  function content(status, element) {
    var title = titled(form.textHeading, form.text.title);
    var notice = titled(form.noticeHeading, form.notice.title);
    return [
      header(),
      node("h2", { id: "heading" }, [form.heading]),
      status,
      node("section", { class: "card", "aria-labelledby": "onay" }, [
        node("h3", { id: "onay" }, [form.textHeading]),
        title && node("p", { class: "name" }, [title])
      ].concat(wording(form.text))),
      node("details", {}, [node("summary", {}, [form.noticeHeading + (notice ? ": " + notice : "")])].concat(wording(form.notice))),
      element
    ];
  }

  function name() {
    var bytes = new Uint8Array(16);
    crypto.getRandomValues(bytes);
    return Array.prototype.map.call(bytes, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
  }

  function build(host) {
    var root = host.attachShadow({ mode: "open" });
    var sheet = new CSSStyleSheet();
    sheet.replaceSync(form.css);
    root.adoptedStyleSheets = [sheet];
    var status = node("div", { tabindex: "-1" });
    var main = node("div", { class: "kopru", lang: form.lang });
    root.append(main);
    if (form.origins.indexOf(location.origin) < 0 && location.origin !== new URL(form.action).origin) {
      main.append(header(), node("p", { class: "note" }, [form.foreign]));
      console.error("Köprü: " + location.origin + " is not among the form's allowedOrigins");
      return;
    }
    var page = name();
    var button = node("button", { type: "submit" }, [form.send]);
    var boxes = node("fieldset", { id: "channels", tabindex: "-1", "aria-describedby": "channels-hint" }, [
      node("legend", {}, [form.legend]),
      node("p", { class: "small", id: "channels-hint" }, [form.hint])
    ].concat(form.boxes.map(box)));
    var element = node("form", { novalidate: "", "aria-labelledby": "heading" }, [boxes]
      .concat(form.fields.map(field), [trap(), button, node("p", { class: "small" }, [form.takeBack])]));
    content(status, element).forEach(function (part) { main.append(part); });

    function find(id) {
      return root.getElementById(id);
    }

    function clear() {
      status.className = "";
      status.replaceChildren();
      root.querySelectorAll(".wrong").forEach(function (told) { told.remove(); });
      ["channels"].concat(form.fields.map(function (it) { return it.name; })).forEach(function (id) {
        find(id).removeAttribute("aria-invalid");
        describe(id, "");
      });
    }

    // What tells about a field: its hint, and what is wrong with it.
    function describe(id, more) {
      var ids = [find(id + "-hint") ? id + "-hint" : "", more].filter(Boolean).join(" ");
      if (ids) find(id).setAttribute("aria-describedby", ids); else find(id).removeAttribute("aria-describedby");
    }

    function mark(error) {
      var wrong = find(error.field);
      if (!wrong) return node("li", {}, [error.title]);
      var told = node("p", { class: "wrong", id: error.field + "-error" }, [error.title]);
      if (error.field === "channels") {
        find("channels-hint").after(told);
      } else {
        wrong.before(told);
        wrong.setAttribute("aria-invalid", "true");
      }
      describe(error.field, error.field + "-error");
      // A link to an id does not lead into a shadow tree.
      var link = node("a", { href: "#" + error.field }, [error.title]);
      link.addEventListener("click", function (event) {
        event.preventDefault();
        wrong.focus();
      });
      return node("li", {}, [link]);
    }

    function failed(title, errors) {
      button.disabled = false;
      status.className = "errors";
      status.append(node("h3", {}, [title]));
      if (errors.length) status.append(node("ul", {}, errors.map(mark)));
      status.focus();
    }

    function done(answer) {
      element.remove();
      status.className = "note";
      status.append(node("p", {}, [answer.title]));
      if (answer.page) {
        var there = new URL(answer.page, form.action).href;
        status.append(node("p", {}, [node("a", { href: there }, [answer.open])]));
      }
      status.focus();
    }

    element.addEventListener("submit", function (event) {
      event.preventDefault();
      button.disabled = true;
      clear();
      var data = new FormData(element);
      var body = { channels: data.getAll("channels"), page: page, lang: form.lang, website: data.get("website") || "" };
      form.fields.forEach(function (it) { body[it.name] = data.get(it.name) || ""; });
      fetch(form.action, {
        method: "POST", mode: "cors", credentials: "omit",
        headers: { "content-type": "application/json" }, body: JSON.stringify(body)
      }).then(function (answer) {
        return answer.json();
      }).then(function (answer) {
        if (answer.result === "taken" || answer.result === "confirm") done(answer);
        else failed(answer.title || form.failed, answer.errors || []);
      }).catch(function () {
        failed(form.failed, []);
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
