/* What has to happen in the browser: titles, continuing charts, writing addresses, watching the connection. */
(function () {
  "use strict";

  const SILENCE_MS = 8000; // the server ticks at least every 4 s
  const RELOAD_AFTER_MS = 14000; // silent although the server answers: start over, the address holds the view
  const RELOAD_PAUSE_MS = 30000;
  const HOLE_BUCKETS = 5; // a silence longer than these is shown as a hole and not as a straight line
  const HOLE_STEPS = 5; // usual times between readings
  const HOLE_MS = 30000;
  const FEW_POINTS = 2;
  const NO_UPDATE = () => window.dash_clientside.no_update;

  const line = { lastTick: Date.now(), offline: false, checking: false };

  const typed = []; // search texts on their way into the address

  function setOffline(offline) {
    if (offline !== line.offline) {
      line.offline = offline;
      document.documentElement.classList.toggle("is-offline", offline);
    }
  }

  async function watch() {
    const silent = Date.now() - line.lastTick;
    setOffline(silent > SILENCE_MS);
    if (silent < RELOAD_AFTER_MS || line.checking || document.hidden) {
      return;
    }
    line.checking = true;
    try {
      const answer = await fetch("/healthz", { cache: "no-store" });
      const last = Number(sessionStorage.getItem("forewarn-reload") || 0);
      const busy = document.querySelector('[role="dialog"]') !== null;
      if (answer.ok && !busy && Date.now() - last > RELOAD_PAUSE_MS && window.SharedWorker) {
        sessionStorage.setItem("forewarn-reload", String(Date.now()));
        window.location.reload();
      }
    } catch (_unreachable) {
      /* the server is away: the banner says so, and the next round asks again */
    } finally {
      line.checking = false;
    }
  }

  function parsed(text) {
    return Date.parse(text + "Z"); // both ends of every comparison are wall-clock texts of one zone
  }

  /* A figure with the new readings appended, thinned to one point a bucket, and what left the window cut off. */
  function extended(figure, key, frame) {
    const prefix = (key === "anomaly" ? "" : key) + ":";
    const start = parsed(frame.from);
    const first = figure.data[0];
    if (!first) {
      return figure;
    }
    const times = first.x.slice();
    const blanks = [];
    const positions = frame.times.map((text) => {
      const at = parsed(text);
      const last = times.length ? parsed(times[times.length - 1]) : -Infinity;
      if (at < last) {
        return -1;
      }
      if (last > -Infinity && at - last > Math.max(HOLE_BUCKETS * frame.bucket_ms, HOLE_STEPS * frame.usual_ms, HOLE_MS)) {
        [last + 1000, at - 1000].forEach((edge) => blanks.push(times.push(new Date(edge).toISOString().slice(0, 23)) - 1));
      }
      const before = times.length > 1 ? parsed(times[times.length - 2]) : -Infinity;
      if (at === last || at - before < frame.bucket_ms) {
        times[times.length - 1] = text;
      } else {
        times.push(text);
      }
      return times.length - 1;
    });
    let cut = 0;
    while (cut < times.length - 1 && parsed(times[cut + 1]) < start) {
      cut += 1;
    }
    const shown = times.slice(cut);
    let low = [];
    const data = figure.data.map((trace) => {
      const values = frame.columns[prefix + trace.uid];
      const y = trace.y.slice();
      const put = (position, value) => {
        const edge = { low: y[position - 1], high: low[position] }[trace.uid]; // the band closes where it is unknown
        y[position] = value ?? edge ?? null;
      };
      const news = positions.map((position, i) => [position, values ? values[i] : null]).filter((item) => item[0] >= 0);
      blanks.map((position) => [position, null]).concat(news)
        .sort((a, b) => a[0] - b[0])
        .forEach((item) => put(item[0], item[1]));
      if (trace.uid === "low") {
        low = y;
      }
      const few = y.filter((value) => value !== null).length <= FEW_POINTS; // drawn as points, see figures.py
      return Object.assign({}, trace, { x: shown, y: y.slice(cut), mode: few ? trace.mode : "lines" });
    });
    const xaxis = Object.assign({}, figure.layout.xaxis, { range: [frame.from, frame.to] });
    const changes = positions.length ? { xaxis: xaxis, annotations: [] } : { xaxis: xaxis };
    return Object.assign({}, figure, { data: data, layout: Object.assign({}, figure.layout, changes) });
  }

  function withParameters(search, changes) {
    const query = new URLSearchParams(search || "");
    Object.entries(changes).forEach(([name, value]) => {
      if (value) {
        query.set(name, value);
      } else {
        query.delete(name);
      }
    });
    const text = query.toString();
    return text ? "?" + text : "";
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    forewarn: {
      browser: () => ({ zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "" }),

      title: (title) => {
        if (title) {
          document.title = title;
        }
      },

      tick: () => {
        line.lastTick = Date.now();
        setOffline(false);
      },

      extend: (frame, figures, ids, view) => {
        if (!frame || !view || frame.render_id !== view.render_id) {
          return figures.map(NO_UPDATE);
        }
        return figures.map((figure, i) => (figure ? extended(figure, ids[i].key, frame) : NO_UPDATE()));
      },

      /* The back button and links change the address: let the search field follow. What was typed comes back here
         too, and late: by then the field may hold more, which must stay. */
      address: (search) => {
        const asked = new URLSearchParams(search || "").get("q") || "";
        const position = typed.indexOf(asked);
        if (position >= 0) {
          typed.splice(0, position + 1);
        } else if (document.getElementById("search")) {
          window.dash_clientside.set_props("search", { value: asked });
        }
      },

      /* A new text begins at the first page. The field also follows the address: then its text is not new, and must
         not lead back from the page that was just chosen. */
      search: (text, search) => {
        const asked = new URLSearchParams(search || "").get("q") || "";
        if ((text || "") === asked) {
          return NO_UPDATE();
        }
        const changed = withParameters(search, { q: text, page: "" });
        typed.push(text || "");
        return changed;
      },

      range: (clicks, from, to, search) => {
        if (!clicks || !from || !to) {
          return NO_UPDATE();
        }
        const utc = new URLSearchParams(search || "").get("tz") === "utc";
        const instant = (text) => new Date(text.replace(" ", "T") + (utc ? "Z" : "")).toISOString().slice(0, 19) + "Z";
        return withParameters(search, { from: instant(from), to: instant(to) });
      },

      /* Read the fields themselves: their components lag behind somebody who types fast. */
      answer: (clicks, asked) => {
        const written = (id) => document.getElementById(id)?.value ?? "";
        return clicks && asked
          ? { alarm: asked.alarm, occurrence: asked.occurrence, by: written("ack-by"), comment: written("ack-comment"), clicks: clicks }
          : NO_UPDATE();
      },

      close: (clicks) => (clicks ? false : NO_UPDATE()),
    },
  });

  /* Open <details class="popover"> close like menus; a calendar they opened lies outside of them and counts as inside. */
  function closePopovers(event) {
    document.querySelectorAll("details.popover[open]").forEach((popover) => {
      const inside = event.target instanceof Element
        && (popover.contains(event.target) || event.target.closest("[data-portal]") !== null);
      if (event.key === "Escape" || (event.type === "click" && !inside)) {
        popover.open = false;
        place.open.delete(popover.id);
      }
    });
  }

  /* Dash replaces elements when it redraws a region. The keyboard focus and what somebody has opened must survive
     that: both are found again by element id. */
  const place = { focused: "", opener: "", open: new Set() };

  function keepPlace() {
    place.open.forEach((id) => {
      const details = document.getElementById(id);
      if (details !== null && !details.open) {
        details.open = true;
      }
    });
    const lost = document.activeElement === null || document.activeElement === document.body;
    const again = lost ? document.getElementById(place.focused) || document.getElementById(place.opener) : null;
    if (again !== null) {
      again.focus({ preventScroll: true });
    }
  }

  document.addEventListener("focusin", (event) => {
    if (event.target.closest('[role="dialog"]') === null) {
      place.opener = event.target.id; // a closed dialog gives the focus back to what opened it
    }
    place.focused = event.target.id;
  });
  /* Dash's field sets the caret a moment after each letter to where it was then. The letters of somebody who types
     fast would get out of order; the browser itself keeps the caret where it belongs. */
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("input.dash-input-element")) {
      event.target.setSelectionRange = () => {};
    }
  });
  document.addEventListener("pointerdown", () => {
    place.focused = "";
    place.opener = "";
  });
  /* The browser toggles after the click, and its event comes later still: a redraw in between must know already. */
  document.addEventListener("click", (event) => {
    const details = event.target instanceof Element ? event.target.closest("summary")?.parentElement : null;
    if (details?.id) {
      event.preventDefault();
      details.open = !details.open;
      place.open[details.open ? "add" : "delete"](details.id);
    }
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.id && event.target.isConnected) {
      place.open[event.target.open ? "add" : "delete"](event.target.id);
    }
  }, true);
  new MutationObserver(keepPlace).observe(document.documentElement, { childList: true, subtree: true });

  /* No click may get lost either. A press can begin on an element and end on the one that has replaced it: the browser
     then clicks neither. */
  const ACTIVE = "a, button, summary";
  let pressed = null;

  document.addEventListener("pointerdown", (event) => {
    pressed = event.button === 0 && event.target instanceof Element ? event.target.closest(ACTIVE) : null;
  });
  document.addEventListener("pointerup", (event) => {
    const under = pressed && !pressed.isConnected && document.elementFromPoint(event.clientX, event.clientY);
    const released = under ? under.closest(ACTIVE) : null;
    if (released && (released.id ? released.id === pressed.id : released.href && released.href === pressed.href)) {
      released.click();
    }
    pressed = null;
  });

  /* A redrawn component restarts its count of clicks, so a click could be lost before the server gets it. This store
     stays. */
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-occurrence]") : null;
    if (button !== null) {
      const { alarm, occurrence } = button.dataset;
      window.dash_clientside.set_props("asked", { data: { alarm: alarm, occurrence: occurrence, at: Date.now() } });
    }
  });

  document.addEventListener("click", closePopovers);
  document.addEventListener("keydown", closePopovers);
  window.setInterval(watch, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      line.lastTick = Math.max(line.lastTick, Date.now() - SILENCE_MS); // a tab that slept gets time to catch up
    }
  });
})();
